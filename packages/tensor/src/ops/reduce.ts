// Reductions over axes: sum, max, and the index of the first maximum.
import { describeSpec, ShapeError, sentence } from '../errors.ts';
import type { Primitive, View } from '../primitive.ts';
import { normalizeAxes, normalizeAxis, reduceShape, sizeOf } from '../shape.ts';
import type { Spec, Tensor } from '../tensor.ts';
import { apply, requireDType } from '../tensor.ts';
import { reshape } from './movement.ts';
import { layoutView, positionsOf } from './views.ts';

/** Attrs of reductions: sorted axes to fold. The result drops them. */
export type ReduceAttrs = { readonly axes: readonly number[] };

/** Reorders a view so that the folded axes come last; returns its elements' positions and the length of one fold. */
const foldsOf = (x: View, axes: readonly number[]): { positions: Int32Array; length: number } => {
  const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const order = [...kept, ...axes];
  const moved = layoutView(
    x.data,
    order.map((d) => x.shape[d]!),
    { strides: order.map((d) => x.stride[d]!), offset: x.offset },
  );
  return {
    positions: positionsOf(moved.shape, { strides: moved.stride, offset: moved.offset }),
    length: sizeOf(axes.map((d) => x.shape[d]!)),
  };
};

const reduceOp = (
  name: string,
  start: number,
  fold: (soFar: number, x: number) => number,
): Primitive<ReduceAttrs> => ({
  name,
  infer: ([x], { axes }) => {
    requireDType(name, x!, ['f32', 'i32']);
    return { shape: reduceShape(x!.shape, axes, false), dtype: x!.dtype };
  },
  reference: ([x], out, { axes }) => {
    const { positions, length } = foldsOf(x!, axes);
    const first = out.data instanceof Int32Array ? Math.max(start, -2147483648) : start;
    for (let i = 0; i < out.data.length; i++) {
      let value = first;
      for (let k = 0; k < length; k++) value = fold(value, x!.data[positions[i * length + k]!]!);
      out.data[i] = value;
    }
  },
});

/** The primitive of `sum`. */
export const sumOp: Primitive<ReduceAttrs> = reduceOp('sum', 0, (a, b) => a + b);
/** The primitive of `max`. */
export const reduceMaxOp: Primitive<ReduceAttrs> = reduceOp('reduceMax', Number.NEGATIVE_INFINITY, Math.max);

/** Attrs of `argMax`. */
export type ArgMaxAttrs = { readonly axis: number };
/** The primitive of `argMax`. */
export const argMaxOp: Primitive<ArgMaxAttrs> = {
  name: 'argMax',
  infer: ([x], { axis }) => {
    requireDType('argMax', x!, ['f32', 'i32']);
    requireElements('argMax', x!, [axis]);
    return { shape: reduceShape(x!.shape, [axis], false), dtype: 'i32' };
  },
  reference: ([x], out, { axis }) => {
    const { positions, length } = foldsOf(x!, [axis]);
    for (let i = 0; i < out.data.length; i++) {
      let best = 0;
      for (let k = 1; k < length; k++)
        if (x!.data[positions[i * length + k]!]! > x!.data[positions[i * length + best]!]!) best = k;
      out.data[i] = best;
    }
  },
};

const requireElements = (where: string, x: Spec, axes: readonly number[]): void => {
  if (axes.every((d) => x.shape[d]! > 0)) return;
  throw new ShapeError(
    sentence({
      where,
      needs: 'at least one element along the folded axes',
      got: `x ${describeSpec(x)}`,
      advice: 'Handle the empty case before.',
    }),
  );
};

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep folded axes with size 1. */
  readonly keepDims?: boolean;
}

/** The axes of a reduction: one, several, or all when left out. */
export type Axes = number | readonly number[];

const reduce = (
  op: Primitive<ReduceAttrs>,
  x: Tensor,
  axes: Axes | undefined,
  options: ReduceOptions,
): Tensor => {
  const folded = normalizeAxes(op.name, axes, x);
  const result = folded.length === 0 ? x : apply(op, [x], { axes: folded });
  return options.keepDims === true ? reshape(result, reduceShape(x.shape, folded, true)) : result;
};

/** The sum over axes (all by default); 0 over nothing. */
export const sum = (x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor =>
  reduce(sumOp, x, axes, options);

/**
 * The largest element over axes (all by default); -Infinity over nothing, of i32 the smallest integer.
 *
 * Gradient shared evenly by all elements equal to the maximum
 */
export const max = (x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor =>
  reduce(reduceMaxOp, x, axes, options);

/**
 * The index of the largest element along an axis, i32; the first of equals.
 *
 * Gradient none
 */
export const argMax = (x: Tensor, axis: number): Tensor =>
  apply(argMaxOp, [x], { axis: normalizeAxis('argMax', axis, x.shape.length) });
