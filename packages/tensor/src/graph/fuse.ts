// Fusion: chains of elementwise steps, the movement between them, and a reduction at the end become one loop each.
import type { Expression } from '../expression.ts';
import { input, literal } from '../expression.ts';
import { transposeOp } from '../ops/movement.ts';
import type { ReduceAttrs } from '../ops/reduce.ts';
import type { Layout } from '../primitive.ts';
import { sizeOf, stridesOf } from '../shape.ts';
import type { Shape } from '../tensor.ts';
import type { Graph, Slot, Step } from './graph.ts';
import type { Loop, Reduction } from './loop.ts';
import { coalesce, loopOp } from './loop.ts';
import { isTransparent } from './simplify.ts';

/** Bounds of what becomes one loop. */
export interface FuseOptions {
  /** Inputs of one loop at most, 16 by default: each needs a pointer and an address computation, or a binding. */
  readonly mostInputs?: number;
}

/** Expression nodes of one loop at most: beyond it registers spill. */
const mostNodes = 96;
/** Ops so cheap that computing them again in every user beats storing their result. */
const cheap: ReadonlySet<string> = new Set(['neg', 'abs', 'less', 'lessEqual', 'equal', 'cast']);
/** Squares are as cheap: their only operand is read in any case. */
const isCheap = ({ op, inputs }: Step): boolean =>
  cheap.has(op.name) || (op.name === 'mul' && inputs[0] === inputs[1]);

const isReduction = ({ op }: Pick<Step, 'op'>): boolean => op.name === 'sum' || op.name === 'reduceMax';
const isElementwise = ({ op }: Pick<Step, 'op'>): boolean => op.expression !== undefined;
const isMovement = ({ op }: Pick<Step, 'op'>): boolean => op.relayout !== undefined;

/** Whether an op becomes part of a loop, or costs nothing: a backend that has loops needs no kernel for it. */
export const isLoopOp = (op: Step['op']): boolean =>
  isElementwise({ op }) ||
  isMovement({ op }) ||
  isReduction({ op }) ||
  op.name === 'after' ||
  isTransparent(op);

/** An equal graph in which every elementwise, movement and reduction step is part of a loop; reshapes of stored values stay, as aliases. */
export const fuse = (graph: Graph, { mostInputs = 16 }: FuseOptions = {}): Graph => {
  const makers = new Map(graph.steps.map((step) => [step.output, step]));
  const constants = new Map(graph.constants.map(({ slot, data }) => [slot, data]));
  const stored = chooseStored(graph);
  const steps: Step[] = [];
  for (const step of [...graph.steps].reverse()) {
    if (!stored.has(step.output)) continue;
    const fused = isFusible(step) ? buildLoop({ graph, makers, constants, stored, mostInputs }, step) : step;
    for (const slot of fused.inputs) stored.add(slot);
    steps.push(fused);
  }
  const used = new Set([...graph.results, ...steps.flatMap((step) => step.inputs)]);
  return {
    ...graph,
    steps: steps.reverse(),
    constants: graph.constants.filter(({ slot }) => used.has(slot)),
  };
};

const isFusible = (step: Step): boolean =>
  step.op.name !== 'reshape' && (isElementwise(step) || isMovement(step) || isReduction(step));

/** Slots that must exist in memory: results, inputs of other kernels, values that several loops need, values repeated by a broadcast. */
const chooseStored = (graph: Graph): Set<Slot> => {
  const stored = new Set<Slot>(graph.results);
  /** The loops that need a slot: none, one or two, since more make no difference. */
  const users = new Map<Slot, Set<Slot>>();
  const repeated = new Set<Slot>();
  for (let i = graph.steps.length - 1; i >= 0; i--) {
    const step = graph.steps[i]!;
    const loops = users.get(step.output) ?? new Set();
    const shared = loops.size > 1 && isElementwise(step) && !isCheap(step);
    if (shared || isReduction(step) || (isElementwise(step) && repeated.has(step.output)))
      stored.add(step.output);
    const isRoot = stored.has(step.output);
    for (const slot of step.inputs) {
      if (isRoot && !isFusible(step)) stored.add(slot);
      const known = users.get(slot) ?? new Set();
      for (const user of isRoot ? [step.output] : loops) if (known.size < 2) known.add(user);
      users.set(slot, known);
      if (expands(graph, step) || (isMovement(step) && repeated.has(step.output))) repeated.add(slot);
    }
    if (!isFusible(step) && step.op.name !== 'reshape') for (const slot of step.inputs) stored.add(slot);
  }
  return stored;
};

const expands = (graph: Graph, step: Step): boolean =>
  step.op.name === 'broadcastTo' &&
  sizeOf(graph.specs[step.output]!.shape) > sizeOf(graph.specs[step.inputs[0]!]!.shape);

interface Context {
  readonly graph: Graph;
  readonly makers: ReadonlyMap<Slot, Step>;
  readonly constants: ReadonlyMap<Slot, ArrayLike<number>>;
  /** Grows: what a loop cannot reach through must be stored. */
  readonly stored: Set<Slot>;
  readonly mostInputs: number;
}

/** A loop under construction. */
interface Draft {
  readonly slots: Slot[];
  readonly layouts: Layout[];
  readonly places: Map<string, Expression>;
  readonly visited: Map<string, Expression>;
  nodes: number;
  /** Elementwise values in the order in which they were finished, and the inputs that the loop had then. */
  readonly finished: { readonly slot: Slot; readonly inputs: number }[];
}

const buildLoop = (context: Context, root: Step): Step => {
  for (;;) {
    const draft: Draft = {
      slots: [],
      layouts: [],
      places: new Map(),
      visited: new Map(),
      nodes: 0,
      finished: [],
    };
    const { start, chain, shape, reduction } = iterationOf(context, root);
    const expression = isReduction(root)
      ? express(context, draft, start, chain)
      : expressMaker(context, draft, root, []);
    if (expression === undefined) continue; // something more is stored now: draft again
    if (new Set(draft.slots).size > context.mostInputs) {
      storePart(context, draft);
      continue;
    }
    const loop: Loop = {
      extents: shape,
      strides: draft.layouts.map(({ strides }) => strides),
      offsets: draft.layouts.map(({ offset }) => offset),
      expression,
      ...(reduction === undefined ? {} : { reduction }),
    };
    return {
      ...root,
      op: loopOp as unknown as Step['op'],
      attrs: { loop: coalesce(loop), spec: context.graph.specs[root.output]! },
      inputs: draft.slots,
    };
  }
};

/** Makes a part of a loop with too many inputs a loop of its own: the first that needed nearly as many as there may be. */
const storePart = ({ mostInputs, stored }: Context, { finished }: Draft): void => {
  // the root is the last that is finished, and stored in any case
  const parts = finished.slice(0, -1).filter(({ slot }) => !stored.has(slot));
  const part = parts.find(({ inputs }) => inputs >= mostInputs - 1) ?? parts.at(-1);
  if (part === undefined)
    throw new RangeError(`fuse: needs loops of at least 3 inputs, got at most ${mostInputs}.`);
  stored.add(part.slot);
};

/** Where a loop over the root's elements begins: for reductions at the input, with the folded axes moved to the end. */
const iterationOf = (
  { graph }: Context,
  root: Step,
): { start: Slot; chain: readonly Step[]; shape: Shape; reduction?: Reduction } => {
  const start = root.inputs[0]!;
  if (!isReduction(root)) return { start, chain: [], shape: graph.specs[root.output]!.shape };
  const { axes: folded } = root.attrs as ReduceAttrs;
  const from = graph.specs[start]!.shape;
  const axes = [...from.keys()].filter((d) => !folded.includes(d)).concat(folded);
  const move: Step = {
    op: transposeOp as unknown as Step['op'],
    attrs: { axes },
    inputs: [start],
    output: -1,
  };
  return {
    start,
    chain: [move],
    shape: axes.map((d) => from[d]!),
    reduction: { name: root.op.name === 'sum' ? 'sum' : 'max', rank: folded.length },
  };
};

/** The expression of a slot seen through a chain of movements, or undefined when something had to be added to `stored`. */
const express = (
  context: Context,
  draft: Draft,
  slot: Slot,
  chain: readonly Step[],
): Expression | undefined => {
  const maker = context.makers.get(slot);
  const reachable =
    maker !== undefined && !context.stored.has(slot) && (isElementwise(maker) || isMovement(maker));
  if (!reachable) return leaf(context, draft, slot, chain);
  const full = draft.slots.length >= context.mostInputs || draft.nodes >= mostNodes;
  if (full && isElementwise(maker)) {
    context.stored.add(slot);
    return leaf(context, draft, slot, chain);
  }
  return expressMaker(context, draft, maker, chain);
};

const expressMaker = (
  context: Context,
  draft: Draft,
  maker: Step,
  chain: readonly Step[],
): Expression | undefined => {
  if (isMovement(maker)) return express(context, draft, maker.inputs[0]!, [maker, ...chain]);
  const key = `${maker.output}:${chain.map((step) => step.output)}`;
  const known = draft.visited.get(key);
  if (known !== undefined) return known;
  draft.nodes++; // counted on the way down, so that the limit also bounds the recursion
  const operands: Expression[] = [];
  for (const slot of maker.inputs) {
    const operand = express(context, draft, slot, chain);
    if (operand === undefined) return undefined;
    operands.push(operand);
  }
  const expression = maker.op.expression!(operands, maker.attrs, context.graph.specs[maker.output]!);
  draft.visited.set(key, expression);
  draft.finished.push({ slot: maker.output, inputs: new Set(draft.slots).size });
  return expression;
};

/** A stored slot, argument or constant read through a chain of movements. */
const leaf = (
  { graph, constants, stored, makers }: Context,
  draft: Draft,
  slot: Slot,
  chain: readonly Step[],
): Expression | undefined => {
  const { dtype, shape: own } = graph.specs[slot]!;
  const constant = constants.get(slot);
  if (constant?.length === 1) return literal(constant[0]!, dtype);
  let shape = own;
  let layout: Layout = { strides: stridesOf(own), offset: 0 };
  for (const step of chain) {
    const moved = step.op.relayout!(layout, shape, step.attrs);
    if (moved === undefined) {
      stored.add(step.output); // a reshape that strides cannot express: store its input and alias it
      return undefined;
    }
    layout = moved;
    shape =
      step.output < 0
        ? (step.attrs.axes as readonly number[]).map((d) => shape[d]!)
        : graph.specs[step.output]!.shape;
  }
  if (makers.has(slot)) stored.add(slot);
  const key = `${slot}@${layout.strides}+${layout.offset}`;
  const known = draft.places.get(key);
  if (known !== undefined) return known;
  const expression = input(draft.slots.length, dtype);
  draft.slots.push(slot);
  draft.layouts.push(layout);
  draft.places.set(key, expression);
  return expression;
};
