// Masks of rectifiers read the rectifier's result instead of its input, which then need not be stored for the backward pass.
//
// y = select(x <= 0, 0, x) is not positive exactly where x is not: both are NaN together, and -0 becomes 0.
import type { Graph, Slot, Step } from './graph.ts';

/** A rectifier: its mask `x <= 0`, and the step that selects. */
interface Rectifier {
  readonly mask: Step;
  readonly select: Step;
}

/** An equal graph in which every later use of a rectifier's mask is computed from the rectifier's result. */
export const maskByResults = (graph: Graph): Graph => {
  const rectifiers = rectifiersOf(graph);
  const specs = [...graph.specs];
  const steps: Step[] = [];
  const renamed = new Map<Slot, Slot>();
  for (const step of graph.steps) {
    const rectifier = rectifiers.get(step);
    const inputs =
      rectifier === undefined ? step.inputs.map((slot) => renamed.get(slot) ?? slot) : step.inputs;
    steps.push({ ...step, inputs });
    if (rectifier === undefined) continue;
    const { mask, select } = rectifier;
    const output = specs.push(specs[mask.output]!) - 1;
    steps.push({ ...mask, inputs: [select.output, mask.inputs[1]!], output });
    renamed.set(mask.output, output);
  }
  const results = graph.results.map((slot) => renamed.get(slot) ?? slot);
  return { ...graph, specs, steps, results };
};

/** The rectifiers whose mask has other readers behind them, by the step that selects. */
const rectifiersOf = (graph: Graph): Map<Step, Rectifier> => {
  const makers = new Map(graph.steps.map((step) => [step.output, step]));
  const zeros = new Set(
    graph.constants.filter(({ data }) => data.length === 1 && data[0] === 0).map(({ slot }) => slot),
  );
  for (const { op, inputs, output } of graph.steps)
    if ((op.name === 'broadcastTo' || op.name === 'reshape') && zeros.has(inputs[0]!)) zeros.add(output);
  const lastReader = new Map<Slot, Step>();
  for (const step of graph.steps) for (const slot of step.inputs) lastReader.set(slot, step);
  const found = new Map<Step, Rectifier>();
  for (const select of graph.steps) {
    if (select.op.name !== 'select') continue;
    const [condition, whenTrue, whenFalse] = select.inputs as readonly [Slot, Slot, Slot];
    const mask = makers.get(condition);
    const isRectifier =
      mask?.op.name === 'lessEqual' &&
      mask.inputs[0] === whenFalse &&
      zeros.has(mask.inputs[1]!) &&
      zeros.has(whenTrue);
    if (isRectifier && lastReader.get(condition) !== select) found.set(select, { mask, select });
  }
  return found;
};
