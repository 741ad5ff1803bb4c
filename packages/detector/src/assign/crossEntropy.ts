// Binary cross entropy of probabilities against 1 and against 0, with the limits that keep it finite.
import type { Tensor } from '@autoassign/tensor';
import { clamp, div, less, log, log1p, mul, neg, select, sub, withRule } from '@autoassign/tensor';

/** The largest value: logarithms are cut at -100. */
export const largestCrossEntropy = 100;

/** The bound of the reference implementation, which keeps it in single precision also for double precision inputs. */
const smallestVariance = Math.fround(1e-12);

/** p (1 - p), kept away from 0 where derivatives divide by it. */
const variance = (p: Tensor): Tensor => clamp(mul(p, sub(1, p)), { min: smallestVariance });

/** -value where `isDefined` holds, at most 100; 100 elsewhere. */
const limited = (isDefined: Tensor, value: Tensor): Tensor =>
  select(isDefined, clamp(neg(value), { max: largestCrossEntropy }), largestCrossEntropy);

/**
 * -ln p of probabilities, at most 100.
 *
 * Gradient (p - 1) / max(p (1 - p), 1e-12): not zero where the value is cut, so a hopeless object still pulls
 */
export const crossEntropyToOne = (p: Tensor): Tensor => {
  const isDefined = less(0, p);
  // No logarithm of 0 is ever taken: an infinite value that is only hidden later would look like a fault to a search for one.
  const value = limited(isDefined, log(select(isDefined, p, 1)));
  return withRule(value, [p], (cotangent, [x]) => [mul(cotangent, div(sub(x!, 1), variance(x!)))]);
};

/**
 * -ln (1 - p) of probabilities, at most 100.
 *
 * Gradient p / max(p (1 - p), 1e-12)
 */
export const crossEntropyToZero = (p: Tensor): Tensor => {
  const isDefined = less(p, 1);
  const value = limited(isDefined, log1p(neg(select(isDefined, p, 0))));
  return withRule(value, [p], (cotangent, [x]) => [mul(cotangent, div(x!, variance(x!)))]);
};
