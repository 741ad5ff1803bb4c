// Small compositions of elementwise primitives: logic, clamps, sign.
import { abs, less, mul, select } from '../ops/elementwise.ts';
import type { Tensor } from '../tensor.ts';
import { scalar } from '../tensor.ts';

/** Whether both bools hold. */
export const logicalAnd = (a: Tensor, b: Tensor): Tensor => select(a, b, scalar(0, 'bool'));

/** Whether either bool holds. */
export const logicalOr = (a: Tensor, b: Tensor): Tensor => select(a, scalar(1, 'bool'), b);

/** Whether the bool does not hold. */
export const logicalNot = (a: Tensor): Tensor => select(a, scalar(0, 'bool'), scalar(1, 'bool'));

/** x * x */
export const square = (x: Tensor): Tensor => mul(x, x);

/**
 * -1, 0 or 1 as x is negative, zero or positive.
 *
 * Gradient zero
 */
export const sign = (x: Tensor): Tensor =>
  select(less(0, x), scalar(1, x.dtype), select(less(x, 0), scalar(-1, x.dtype), scalar(0, x.dtype)));

/** Whether x is neither NaN nor infinite. */
export const isFiniteValue = (x: Tensor): Tensor => less(abs(x), Number.POSITIVE_INFINITY);

/** The bounds of `clamp`; a missing one does not bind. */
export interface ClampBounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * x limited to [min, max]; NaN stays NaN.
 *
 * Gradient 1 inside and on the bounds, 0 outside
 */
export const clamp = (x: Tensor, { min, max }: ClampBounds): Tensor => {
  const above = min === undefined ? x : select(less(x, min), min, x);
  return max === undefined ? above : select(less(max, x), max, above);
};
