// Randomness by explicit keys: the same key gives the same bits on every backend.
import { full } from './compose/fill.ts';
import { sentence, UnsupportedError } from './errors.ts';
import { add, cast, less, log, mul, neg, select, sqrt, sub } from './ops/elementwise.ts';
import { reshape, slice } from './ops/movement.ts';
import { randomBitsOp } from './ops/random.ts';
import type { Shape, Tensor } from './tensor.ts';
import { apply, tensor } from './tensor.ts';

/** A key made of a seed: an integer below 2^53. Keys are values; use each for one purpose and `split` it for more. */
export const key = (seed: number): Tensor => {
  if (Number.isSafeInteger(seed)) return tensor(Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0));
  throw new UnsupportedError(
    sentence({
      where: 'key',
      needs: 'an integer seed below 2^53',
      got: String(seed),
      advice: 'Round it, or use split for further keys.',
    }),
  );
};

/** `count` keys that are independent of each other and of the given one. */
export const split = (from: Tensor, count = 2): Tensor[] => {
  const words = apply(randomBitsOp, [from], { shape: [count, 2], bits: 32 });
  return Array.from({ length: count }, (_, i) => reshape(slice(words, [i, 0], [1, 2]), [2]));
};

/** Options of `uniform`. */
export interface UniformOptions {
  readonly low?: number;
  readonly high?: number;
}

/** Random numbers spread evenly from `low` up to `high`, [0, 1) by default, in steps of 2^-24 of the range; rounding can give `high` itself. */
export const uniform = (from: Tensor, shape: Shape, { low = 0, high = 1 }: UniformOptions = {}): Tensor => {
  const bits = cast(apply(randomBitsOp, [from], { shape, bits: 24 }), 'f32');
  return add(mul(bits, (high - low) / 2 ** 24), low);
};

/** Options of `normal`. */
export interface NormalOptions {
  readonly mean?: number;
  readonly deviation?: number;
}

/** Normally distributed random numbers, by the inverse of the error function. */
export const normal = (
  from: Tensor,
  shape: Shape,
  { mean = 0, deviation = 1 }: NormalOptions = {},
): Tensor => {
  // centres of 2^24 cells of (-1, 1): never the ends, where the inverse is infinite
  const bits = cast(apply(randomBitsOp, [from], { shape, bits: 24 }), 'f32');
  const centered = mul(add(sub(bits, 2 ** 23), 0.5), 2 ** -23);
  return add(mul(inverseErf(centered), Math.SQRT2 * deviation), mean);
};

const centralCoefficients = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
] as const;
const tailCoefficients = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
] as const;

const polynomial = (coefficients: readonly number[], x: Tensor): Tensor =>
  coefficients.reduce((value, c) => add(mul(value, x), c), full(x.shape, 0));

/**
 * The inverse of the error function on (-1, 1), to about 1e-6 relative.
 *
 * Source  Giles, Approximating the erfinv function (GPU Computing Gems, 2011), single precision
 */
const inverseErf = (x: Tensor): Tensor => {
  const w = neg(log(mul(sub(1, x), add(1, x))));
  const central = polynomial(centralCoefficients, sub(w, 2.5));
  const tail = polynomial(tailCoefficients, sub(sqrt(w), 3));
  return mul(select(less(w, 5), central, tail), x);
};
