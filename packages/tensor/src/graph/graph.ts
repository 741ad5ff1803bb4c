// A graph as a list: arguments, constants, steps in an order that can run, results. Passes map graphs to graphs.
import { LifetimeError, sentence } from '../errors.ts';
import { identityOp } from '../ops/structural.ts';
import type { Attrs, Primitive } from '../primitive.ts';
import { sizeOf } from '../shape.ts';
import type { Data, Spec, Tensor } from '../tensor.ts';

/** The number of a value in a graph. */
export type Slot = number;

/** One op at work. */
export interface Step {
  readonly op: Primitive;
  readonly attrs: Attrs;
  readonly inputs: readonly Slot[];
  readonly output: Slot;
  readonly label?: string;
}

/** A static program before any memory is planned. Every slot is written once: by an argument, a constant or a step. */
export interface Graph {
  /** What each slot holds. */
  readonly specs: readonly Spec[];
  readonly args: readonly { readonly slot: Slot; readonly donated: boolean }[];
  readonly constants: readonly { readonly slot: Slot; readonly data: Data }[];
  readonly steps: readonly Step[];
  /** Results may repeat a slot or name an argument's; programs copy where that would share storage. */
  readonly results: readonly Slot[];
  /** Computed slots whose elements are stored in half precision, 2 bytes each; none without it. Only backends that can do that have any. */
  readonly halves?: ReadonlySet<Slot>;
  /** Slots that are a part of another slot's elements; none without it. Only backends that bundle tensors have any. */
  readonly pieces?: ReadonlyMap<Slot, Piece>;
}

/** Where a slot lies in the slot that it is a part of. */
export interface Piece {
  readonly of: Slot;
  /** Elements before it. */
  readonly offset: number;
}

/** The bytes of a slot's elements: 4 each, or 2 of halves. */
export const storedBytes = ({ specs, halves }: Graph, slot: Slot): number =>
  (halves?.has(slot) === true ? 2 : 4) * sizeOf(specs[slot]!.shape);

/**
 * The graph that computes the outputs from the arguments, every node once, inputs before users.
 *
 * Throws LifetimeError for a placeholder or an evaluated tensor that is not among the arguments
 */
export const linearize = (
  outputs: readonly Tensor[],
  args: readonly { readonly tensor: Tensor; readonly donated: boolean }[],
): Graph => {
  const specs: Spec[] = [];
  const slots = new Map<Tensor, Slot>();
  const steps: Step[] = [];
  const constants: { slot: Slot; data: Data }[] = [];
  const claim = (t: Tensor): Slot => {
    slots.set(t, specs.length);
    return specs.push({ shape: t.shape, dtype: t.dtype }) - 1;
  };
  const argSlots = args.map(({ tensor, donated }) => ({ slot: claim(tensor), donated }));
  for (const t of postOrder(outputs, slots)) {
    if (t.source.kind === 'constant') constants.push({ slot: claim(t), data: t.source.data });
    else if (t.source.kind === 'apply') {
      const { op, attrs, inputs } = t.source;
      const from = inputs.map((x) => slots.get(x)!);
      const output = claim(t);
      steps.push({ op, attrs, inputs: from, output, ...(t.label === undefined ? {} : { label: t.label }) });
    } else throw new LifetimeError(capturedMessage(t));
  }
  return { specs, args: argSlots, constants, steps, results: outputs.map((t) => slots.get(t)!) };
};

/** Nodes below the outputs that are not known yet, inputs first. Iterative: graphs may be deep. */
const postOrder = (outputs: readonly Tensor[], known: ReadonlyMap<Tensor, Slot>): Tensor[] => {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>(known.keys());
  const stack: { node: Tensor; next: number }[] = [];
  const enter = (node: Tensor): void => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    enter(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const inputs = top.node.source.kind === 'apply' ? top.node.source.inputs : [];
      if (top.next < inputs.length) enter(inputs[top.next++]!);
      else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
};

const capturedMessage = (t: Tensor): string => {
  const what = `${t.dtype}[${t.shape.join(',')}]${t.label === undefined ? '' : ` '${t.label}'`}`;
  return t.source.kind === 'argument'
    ? sentence({
        where: 'compile',
        needs: 'placeholders of this trace only',
        got: `the placeholder ${t.source.path} ${what} of another trace`,
        advice: 'Do not keep tensors that a compiled function receives; return what you need.',
      })
    : sentence({
        where: 'compile',
        needs: 'evaluated tensors as arguments',
        got: `an evaluated tensor ${what} captured from outside`,
        advice: 'Pass it as an argument: a captured value would be frozen into the program.',
      });
};

/** The graph without steps and constants that no result needs. */
export const prune = (graph: Graph): Graph => {
  const needed = new Set<Slot>(graph.results);
  const steps: Step[] = [];
  for (let i = graph.steps.length - 1; i >= 0; i--) {
    const step = graph.steps[i]!;
    if (!needed.has(step.output)) continue;
    for (const slot of step.inputs) needed.add(slot);
    steps.push(step);
  }
  return {
    ...graph,
    steps: steps.reverse(),
    constants: graph.constants.filter(({ slot }) => needed.has(slot)),
  };
};

/** The graph in which every result is the output of a step of its own, by copies where needed: results never share storage. */
export const separateResults = (graph: Graph): Graph => {
  const produced = new Set(graph.steps.map((step) => step.output));
  const specs = [...graph.specs];
  const steps = [...graph.steps];
  const taken = new Set<Slot>();
  const results = graph.results.map((slot) => {
    if (produced.has(slot) && !taken.has(slot)) {
      taken.add(slot);
      return slot;
    }
    const copy = specs.push(specs[slot]!) - 1;
    steps.push({ op: identityOp, attrs: {}, inputs: [slot], output: copy });
    return copy;
  });
  return { ...graph, specs, steps, results };
};
