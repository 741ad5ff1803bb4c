// Simplification: constants folded, equal steps merged, steps that change nothing removed. Values stay what they were.
import { mulOp } from '../ops/elementwise.ts';
import { reshapeOp, transposeOp } from '../ops/movement.ts';
import { viewOf } from '../ops/views.ts';
import type { Attrs } from '../primitive.ts';
import { sameShape, sizeOf } from '../shape.ts';
import type { Data, DType, Spec } from '../tensor.ts';
import type { Graph, Slot, Step } from './graph.ts';
import { prune } from './graph.ts';

/** Ops that are their first input to every backend. `after` keeps its own slot until equal steps are merged. */
const transparent: ReadonlySet<string> = new Set(['identity', 'stopGradient', 'withRule']);

/** Whether an op is its first input to every backend. */
export const isTransparent = (op: Step['op']): boolean => transparent.has(op.name);

/** Larger constants are left to the backend. */
const largestFolded = 64;

/** What is known while steps are rewritten from first to last. */
interface Rewriting {
  readonly specs: readonly Spec[];
  /** Slot to the slot that holds the same value. */
  readonly same: Map<Slot, Slot>;
  readonly constants: Map<Slot, Data>;
  readonly makers: Map<Slot, Step>;
  readonly known: Map<string, Slot>;
}

/** An equal graph with fewer steps. */
export const simplify = (graph: Graph): Graph => {
  const state: Rewriting = {
    specs: graph.specs,
    same: new Map(),
    constants: new Map(),
    makers: new Map(),
    known: new Map(),
  };
  for (const { slot, data } of graph.constants) rememberConstant(state, slot, data);
  const steps: Step[] = [];
  for (const original of graph.steps) {
    const inputs = original.inputs.map((slot) => state.same.get(slot) ?? slot);
    const step = rewrite(state, { ...original, inputs });
    if (step === undefined) continue;
    state.makers.set(step.output, step);
    steps.push(step);
  }
  return dropOrdering(
    prune({
      ...graph,
      steps,
      constants: [...state.constants].map(([slot, data]) => ({ slot, data })),
      results: graph.results.map((slot) => state.same.get(slot) ?? slot),
    }),
  );
};

const rememberConstant = (state: Rewriting, slot: Slot, data: Data): void => {
  const spec = state.specs[slot]!;
  const key =
    data.length === 1
      ? `constant ${spec.dtype}[${spec.shape}] ${Object.is(data[0], -0) ? '-0' : data[0]}`
      : undefined;
  const known = key === undefined ? undefined : state.known.get(key);
  if (known !== undefined) {
    state.same.set(slot, known);
    return;
  }
  if (key !== undefined) state.known.set(key, slot);
  state.constants.set(slot, data);
};

/** The step to keep, or undefined when its output is known to equal another slot or a constant. */
const rewrite = (state: Rewriting, step: Step): Step | undefined => {
  if (isTransparent(step.op) || isNeutral(state, step)) {
    state.same.set(step.output, keptOperand(state, step));
    return undefined;
  }
  const folded = fold(state, step);
  if (folded !== undefined) {
    rememberConstant(state, step.output, folded);
    return undefined;
  }
  const simpler = simplerStep(state, step);
  const key = `${simpler.op.name}(${simpler.inputs})${attrsKey(simpler.attrs)}`;
  const twin = state.known.get(key);
  if (twin !== undefined) {
    state.same.set(step.output, twin);
    return undefined;
  }
  state.known.set(key, step.output);
  return simpler;
};

/** Attrs as a key: labels do not matter, and numbers that JSON cannot hold stay apart. */
const attrsKey = (attrs: Attrs): string => {
  for (const name in attrs)
    if (name !== 'label')
      return JSON.stringify(attrs, (at, value: unknown) =>
        at === 'label'
          ? undefined
          : typeof value === 'number' && !Number.isFinite(value)
            ? String(value)
            : value,
      );
  return ''; // most steps have none, and JSON would ask for them one by one
};

/** The value of a slot that holds one repeated constant. */
const repeatedValue = (state: Rewriting, slot: Slot): number | undefined => {
  const data = state.constants.get(slot);
  if (data !== undefined) return data.length === 1 ? data[0] : undefined;
  const maker = state.makers.get(slot);
  if (maker === undefined || (maker.op.name !== 'broadcastTo' && maker.op.name !== 'reshape'))
    return undefined;
  return repeatedValue(state, maker.inputs[0]!);
};

/** Neutral right operands, and left ones of the commutative ops. */
const neutral: Readonly<Record<string, number>> = { add: 0, sub: 0, mul: 1, div: 1, pow: 1 };

const neutralSide = (state: Rewriting, step: Step): 0 | 1 | undefined => {
  const value = neutral[step.op.name];
  if (value === undefined) return undefined;
  if (repeatedValue(state, step.inputs[1]!) === value) return 1;
  const commutes = step.op.name === 'add' || step.op.name === 'mul';
  return commutes && repeatedValue(state, step.inputs[0]!) === value ? 0 : undefined;
};

const isNeutral = (state: Rewriting, step: Step): boolean => {
  if (neutralSide(state, step) !== undefined) return true;
  const from = state.specs[step.inputs[0]!]!;
  const to = state.specs[step.output]!;
  if (step.op.name === 'transpose')
    return (step.attrs.axes as readonly number[]).every((axis, d) => axis === d);
  const moves = ['reshape', 'broadcastTo', 'slice', 'pad'];
  return moves.includes(step.op.name) && sameShape(from.shape, to.shape);
};

const keptOperand = (state: Rewriting, step: Step): Slot =>
  neutralSide(state, step) === 0 ? step.inputs[1]! : step.inputs[0]!;

/** The value of a small step on constants. */
const fold = (state: Rewriting, step: Step): Data | undefined => {
  const spec = state.specs[step.output]!;
  if (step.op.name === 'after' || sizeOf(spec.shape) > largestFolded) return undefined;
  if (step.op.name === 'broadcastTo') return undefined; // a repeated constant is cheaper than its copies
  const inputs = step.inputs.map((slot) => constantOf(state, slot));
  if (inputs.some((data) => data === undefined)) return undefined;
  const out = emptyData(spec.dtype, sizeOf(spec.shape));
  const views = step.inputs.map((slot, i) => viewOf(inputs[i]!, state.specs[slot]!.shape));
  step.op.reference(views, viewOf(out, spec.shape), step.attrs);
  return out;
};

const emptyData = (dtype: DType, size: number): Data => {
  if (dtype === 'i32') return new Int32Array(size);
  return dtype === 'bool' ? new Uint8Array(size) : new Float64Array(size);
};

const constantOf = (state: Rewriting, slot: Slot): Data | undefined => {
  const data = state.constants.get(slot);
  if (data !== undefined) return data;
  const value = repeatedValue(state, slot);
  const spec = state.specs[slot]!;
  if (value === undefined || sizeOf(spec.shape) > largestFolded) return undefined;
  const out = emptyData(spec.dtype, sizeOf(spec.shape));
  out.fill(value);
  return out;
};

/** The same value by a cheaper op: chains of reshapes and transposes merge, squares are products. */
const simplerStep = (state: Rewriting, step: Step): Step => {
  const below = state.makers.get(step.inputs[0]!);
  if (step.op.name === 'reshape' && below?.op.name === 'reshape')
    return { ...step, op: reshapeOp as unknown as Step['op'], inputs: below.inputs };
  if (step.op.name === 'transpose' && below?.op.name === 'transpose') {
    const inner = below.attrs.axes as readonly number[];
    const axes = (step.attrs.axes as readonly number[]).map((d) => inner[d]!);
    return { ...step, op: transposeOp as unknown as Step['op'], inputs: below.inputs, attrs: { axes } };
  }
  if (step.op.name === 'pow' && repeatedValue(state, step.inputs[1]!) === 2)
    return {
      ...step,
      op: mulOp as unknown as Step['op'],
      inputs: [step.inputs[0]!, step.inputs[0]!],
      attrs: {},
    };
  return step;
};

/** The graph with every `after` read as its first input: once equal steps are merged, the order of the steps is all it asked for. */
const dropOrdering = (graph: Graph): Graph => {
  const same = new Map<Slot, Slot>();
  const through = (slot: Slot): Slot => same.get(slot) ?? slot;
  const steps: Step[] = [];
  for (const step of graph.steps) {
    if (step.op.name === 'after') same.set(step.output, through(step.inputs[0]!));
    else steps.push({ ...step, inputs: step.inputs.map(through) });
  }
  return prune({ ...graph, steps, results: graph.results.map(through) });
};
