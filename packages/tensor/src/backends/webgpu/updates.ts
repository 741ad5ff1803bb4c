// The loops that update what a program is given: each computes a result from a donated argument, element by element.
//
// What several of them need, such as the new mean of Adam, is computed again in each: it costs arithmetic where storing it costs memory and launches.
import type { Expression } from '../../expression.ts';
import { input, sizeOf as nodesOf, substitute } from '../../expression.ts';
import type { Graph, Slot, Step } from '../../graph/graph.ts';
import type { LoopAttrs } from '../../graph/loop.ts';
import { sizeOf } from '../../shape.ts';

/** A tensor that an update reads: along with the result, or one element of it for all. */
interface UpdateOperand {
  readonly slot: Slot;
  readonly isAlong: boolean;
  /** Of the one element. */
  readonly offset: number;
}

/** An update as a function of single elements. */
export interface Update {
  readonly step: Step;
  readonly expression: Expression;
  readonly operands: readonly UpdateOperand[];
}

/** The updates among the steps of a graph that compute results, with what they have in common computed by each. */
export interface Updates {
  readonly results: readonly Update[];
  /** Steps that nothing reads but updates, in their order. */
  readonly between: readonly Step[];
}

/** Nodes of an expression at most: beyond it registers spill. */
const mostNodes = 96;

/** The updates of a graph that read at most so many tensors each. */
export const updatesOf = (graph: Graph, mostInputs: number): Updates => {
  const single = slotsReadForAll(graph);
  const donated = new Set(graph.args.filter((arg) => arg.donated).map(({ slot }) => slot));
  const found = new Map<Slot, Update>();
  for (const step of graph.steps) {
    const update = single.has(step.output) ? undefined : elementwise(graph, step, single);
    if (update?.operands.some(({ slot, isAlong }) => isAlong && donated.has(slot)) === true)
      found.set(step.output, update);
  }
  const results = new Set(graph.results);
  const makers = new Map([...found].filter(([slot]) => isOnlyReadBy(graph, slot, found)));
  const [whole, between] = [true, false].map((isResult) =>
    [...makers.values()].filter(({ step }) => results.has(step.output) === isResult),
  ) as [Update[], Update[]];
  return {
    results: whole
      .map((update) => withMakers(graph, update, makers))
      .filter(
        ({ operands, expression }) => operands.length <= mostInputs && nodesOf(expression) <= mostNodes,
      ),
    between: between.map(({ step }) => step),
  };
};

/** Slots of which some loop over many elements reads one element for all. */
const slotsReadForAll = ({ steps }: Graph): Set<Slot> => {
  const found = new Set<Slot>();
  for (const { op, attrs, inputs } of steps) {
    if (op.name !== 'loop') continue;
    const { loop } = attrs as LoopAttrs;
    if (loop.extents.length > 0)
      inputs.forEach((slot, k) => {
        if (loop.strides[k]!.every((stride) => stride === 0)) found.add(slot);
      });
  }
  return found;
};

/** A loop without a reduction whose inputs go along with the result, or stand still. */
const elementwise = ({ specs }: Graph, step: Step, single: ReadonlySet<Slot>): Update | undefined => {
  if (step.op.name !== 'loop') return undefined;
  const { loop, spec } = step.attrs as LoopAttrs;
  if (loop.reduction !== undefined || loop.extents.length > 1 || spec.dtype !== 'f32') return undefined;
  const operands = step.inputs.map((slot, k): UpdateOperand => {
    const [stride = single.has(slot) ? 0 : 1] = loop.strides[k]!;
    return { slot, isAlong: stride !== 0, offset: loop.offsets[k]! };
  });
  const size = sizeOf(spec.shape);
  if (size === 0) return undefined;
  const isFit = operands.every(({ slot, isAlong, offset }, k) => {
    if (!isAlong) return true;
    const { dtype, shape } = specs[slot]!;
    return offset === 0 && dtype === 'f32' && sizeOf(shape) === size && (loop.strides[k]![0] ?? 1) === 1;
  });
  return isFit ? { step, expression: loop.expression, operands } : undefined;
};

const isOnlyReadBy = ({ steps }: Graph, slot: Slot, updates: ReadonlyMap<Slot, Update>): boolean =>
  steps.every(({ inputs, output }) => {
    if (!inputs.includes(slot)) return true;
    const reader = updates.get(output);
    return reader?.operands.every((operand) => operand.slot !== slot || operand.isAlong) === true;
  });

/** The update with the expressions of what it reads in place of their results. */
const withMakers = (graph: Graph, update: Update, makers: ReadonlyMap<Slot, Update>): Update => {
  const operands: UpdateOperand[] = [];
  const known = new Map<string, Expression>();
  const read = (operand: UpdateOperand): Expression => {
    const key = `${operand.slot} ${operand.isAlong} ${operand.offset}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const maker = operand.isAlong ? makers.get(operand.slot) : undefined;
    const made =
      maker === undefined
        ? input(operands.push(operand) - 1, graph.specs[operand.slot]!.dtype)
        : expressed(maker);
    known.set(key, made);
    return made;
  };
  const expressed = (from: Update): Expression =>
    substitute(from.expression, (index) => read(from.operands[index]!));
  return { step: update.step, expression: expressed(update), operands };
};
