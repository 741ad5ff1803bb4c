// e^x and ln x of four floats at once, as functions of the module: within 2 units in the last place over the whole range.

import type { Expression } from '../assembler/code.ts';
import type { FunctionRef, ModuleBuilder } from '../assembler/module.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';

/** A function of one vector. */
export type VectorFunction = FunctionRef<readonly ['v128'], 'v128'>;

type V = Expression<'v128'>;

/** The polynomial with the given coefficients, highest power first. */
const polynomial = (coefficients: readonly number[], x: V): V =>
  coefficients
    .slice(1)
    .reduce<V>((value, c) => f32x4.add(f32x4.mul(value, x), f32x4.const(c)), f32x4.const(coefficients[0]!));

/** ln 2 in two parts: the first has few bits, so that a small integer times it is exact. */
const ln2High = 0.693359375;
const ln2Low = -2.1219444e-4;

/** 2^n for integers n in [-126, 127]. */
const powerOfTwo = (n: V): V => i32x4.shl(i32x4.add(n, i32x4.const(127)), 23);

/**
 * The function e^x: infinity above 88.73, gradual underflow below -87.34, NaN for NaN.
 *
 * Source  range reduction and coefficients of Moshier's Cephes library, expf
 */
export const exponential = (module: ModuleBuilder): VectorFunction =>
  module.once('exp', () =>
    module.define({ params: ['v128'], result: 'v128' }, ([given], local) => {
      const x = local('v128');
      const n = local('v128');
      const half = local('v128');
      const p = local('v128');
      const coefficients = [
        1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5,
      ];
      return [
        // beyond these bounds the result is infinity or zero already, and the integer below stays small
        x.set(f32x4.max(f32x4.min(given, f32x4.const(150)), f32x4.const(-150))),
        n.set(f32x4.nearest(f32x4.mul(x, f32x4.const(Math.LOG2E)))),
        x.set(f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.const(ln2High))), f32x4.mul(n, f32x4.const(ln2Low)))),
        p.set(f32x4.add(f32x4.mul(polynomial(coefficients, x), f32x4.mul(x, x)), x)),
        p.set(f32x4.add(p, f32x4.const(1))),
        // 2^n in two factors: n may be below the smallest exponent, where the product underflows gradually
        n.set(i32x4.truncSaturateF32x4(n)),
        half.set(i32x4.shrS(n, 1)),
        f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half))),
      ];
    }),
  );

/**
 * The function ln x: -infinity at 0, NaN below, infinity at infinity; exact to the range's ends, denormals included.
 *
 * Source  range reduction and coefficients of Moshier's Cephes library, logf
 */
export const logarithm = (module: ModuleBuilder): VectorFunction =>
  module.once('log', () =>
    module.define({ params: ['v128'], result: 'v128' }, ([given], local) => {
      const x = local('v128');
      const tiny = local('v128');
      const exponent = local('v128');
      const low = local('v128');
      const squared = local('v128');
      const y = local('v128');
      const coefficients = [
        7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
      ];
      const infinite = f32x4.const(Number.POSITIVE_INFINITY);
      return [
        // denormals have no exponent bits of their own: scale them up by 2^23
        tiny.set(f32x4.lt(given, f32x4.const(2 ** -126))),
        x.set(v128.bitselect(f32x4.mul(given, f32x4.const(2 ** 23)), given, tiny)),
        exponent.set(
          i32x4.sub(i32x4.sub(i32x4.shrU(x, 23), i32x4.const(126)), v128.and(tiny, i32x4.const(23))),
        ),
        exponent.set(f32x4.convertI32x4(exponent)),
        // the fraction in [0.5, 1), then in [sqrt(0.5), sqrt(2)) minus 1
        x.set(v128.or(v128.and(x, i32x4.const(0x007fffff)), f32x4.const(0.5))),
        low.set(f32x4.lt(x, f32x4.const(Math.SQRT1_2))),
        exponent.set(f32x4.sub(exponent, v128.and(low, f32x4.const(1)))),
        x.set(f32x4.add(f32x4.sub(x, f32x4.const(1)), v128.and(low, x))),
        squared.set(f32x4.mul(x, x)),
        y.set(f32x4.mul(f32x4.mul(polynomial(coefficients, x), x), squared)),
        y.set(f32x4.add(y, f32x4.mul(exponent, f32x4.const(ln2Low)))),
        y.set(f32x4.sub(y, f32x4.mul(squared, f32x4.const(0.5)))),
        y.set(f32x4.add(f32x4.add(x, y), f32x4.mul(exponent, f32x4.const(ln2High)))),
        y.set(v128.bitselect(y, given, f32x4.lt(given, infinite))), // infinity and NaN stay
        y.set(v128.bitselect(f32x4.const(Number.NaN), y, f32x4.lt(given, f32x4.const(0)))),
        v128.bitselect(f32x4.const(Number.NEGATIVE_INFINITY), y, f32x4.eq(given, f32x4.const(0))),
      ];
    }),
  );
