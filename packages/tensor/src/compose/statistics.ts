// Statistics and normalised exponentials over axes.
import { add, div, exp, log, neg, sub } from '../ops/elementwise.ts';
import { reshape } from '../ops/movement.ts';
import type { Axes, ReduceOptions } from '../ops/reduce.ts';
import { max, sum } from '../ops/reduce.ts';
import { stopGradient } from '../ops/structural.ts';
import { normalizeAxes, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { square } from './arithmetic.ts';

const countOf = (x: Tensor, axes: Axes | undefined): number =>
  sizeOf(normalizeAxes('mean', axes, x).map((d) => x.shape[d]!));

/** The arithmetic mean over axes (all by default); NaN over nothing. */
export const mean = (x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor =>
  div(sum(x, axes, options), countOf(x, axes));

/** The population variance over axes (all by default), from differences to the mean. */
export const variance = (x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor =>
  mean(square(sub(x, mean(x, axes, { keepDims: true }))), axes, options);

/**
 * The smallest element over axes (all by default); Infinity over nothing.
 *
 * Gradient shared evenly by all elements equal to the minimum
 */
export const min = (x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor =>
  neg(max(neg(x), axes, options));

/** ln of the sum of exponentials over an axis, without overflow. */
export const logSumExp = (x: Tensor, axis: number, options: ReduceOptions = {}): Tensor => {
  const peak = stopGradient(max(x, axis, { keepDims: true }));
  const total = sum(exp(sub(x, peak)), axis, options);
  return add(log(total), reshape(peak, total.shape));
};

/** Exponentials that sum to 1 along an axis. */
export const softmax = (x: Tensor, axis = -1): Tensor => {
  const powers = exp(sub(x, stopGradient(max(x, axis, { keepDims: true }))));
  return div(powers, sum(powers, axis, { keepDims: true }));
};
