// Hunting NaN: a graph run one step at a time, checked after each.
import type { Backend, Buffer } from '../backends/backend.ts';
import { describeSpec, NotFiniteError, sentence } from '../errors.ts';
import type { Data, Spec } from '../tensor.ts';
import type { Graph, Step } from './graph.ts';

/**
 * Nothing when every value of the graph is finite.
 *
 * Throws  NotFiniteError that names the first operation with a NaN or infinite result, and its label
 */
export const findNotFinite = async (
  graph: Graph,
  args: readonly Buffer[],
  backend: Backend,
): Promise<void> => {
  const values: Buffer[] = [];
  const owned: Buffer[] = [];
  const own = (slot: number, buffer: Buffer): void => {
    values[slot] = buffer;
    owned.push(buffer);
  };
  graph.args.forEach(({ slot }, i) => {
    values[slot] = args[i]!;
  });
  const check = async (slot: number): Promise<void> => {
    const data = await backend.download(values[slot]!);
    const bad = firstNotFinite(data, graph.specs[slot]!);
    if (bad !== undefined) throw new NotFiniteError(inputMessage(graph.specs[slot]!, data, bad));
  };
  try {
    for (const { slot } of graph.args) await check(slot);
    for (const { slot, data } of graph.constants) own(slot, backend.upload(data, graph.specs[slot]!));
    for (const step of graph.steps) {
      const program = await backend.compile(singleStep(graph, step));
      const [result] = await program.run(step.inputs.map((slot) => values[slot]!));
      own(step.output, result!);
      program.destroy();
      const data = await backend.download(values[step.output]!);
      const bad = firstNotFinite(data, graph.specs[step.output]!);
      if (bad !== undefined) throw new NotFiniteError(message(graph, step, data, bad));
    }
  } finally {
    for (const buffer of owned) backend.free(buffer);
  }
};

const singleStep = (graph: Graph, step: Step): Graph => {
  const inputs = step.inputs.map((slot) => graph.specs[slot]!);
  return {
    specs: [...inputs, graph.specs[step.output]!],
    args: inputs.map((_, slot) => ({ slot, donated: false })),
    constants: [],
    steps: [{ ...step, inputs: inputs.map((_, slot) => slot), output: inputs.length }],
    results: [inputs.length],
  };
};

const firstNotFinite = (data: Data, spec: Spec): number | undefined => {
  if (spec.dtype !== 'f32') return undefined;
  const index = (data as Float32Array).findIndex((x) => !Number.isFinite(x));
  return index < 0 ? undefined : index;
};

const inputMessage = (spec: Spec, data: Data, index: number): string =>
  sentence({
    where: 'evaluate',
    needs: 'finite values (checkFinite)',
    got: `${data[index]} at element ${index} of an input ${describeSpec(spec)}`,
    advice: 'No operation made it; look at where this tensor came from.',
  });

const message = (graph: Graph, step: Step, data: Data, index: number): string => {
  const inputs = step.inputs.map((slot) => describeSpec(graph.specs[slot]!)).join(', ');
  return sentence({
    where: 'evaluate',
    label: step.label,
    needs: 'finite values (checkFinite)',
    got: `${data[index]} at element ${index} of ${step.op.name}(${inputs}) -> ${describeSpec(graph.specs[step.output]!)}, operation ${graph.steps.indexOf(step) + 1} of ${graph.steps.length}`,
    advice: 'It is the first such operation; look at its inputs.',
  });
};
