// Activations and their stable logarithms, composed of primitives.
import { abs, add, exp, lessEqual, log1p, maximum, neg, select } from '../ops/elementwise.ts';
import type { Tensor, TensorLike } from '../tensor.ts';
import { asTensor } from '../tensor.ts';

/**
 * max(x, 0); NaN stays NaN.
 *
 * Gradient 1 where x > 0, else 0
 */
export const relu = (x: TensorLike): Tensor => {
  const t = asTensor(x);
  return select(lessEqual(t, 0), 0, t);
};

/** ln(1 + e^x), without overflow. */
export const softplus = (x: TensorLike): Tensor => add(maximum(x, 0), log1p(exp(neg(abs(x)))));

/** ln of the logistic function, without underflow. */
export const logSigmoid = (x: TensorLike): Tensor => neg(softplus(neg(x)));
