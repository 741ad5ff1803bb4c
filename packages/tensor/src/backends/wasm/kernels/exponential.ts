// exp and log of four floats at once, within two units in the last place over the whole range.
//
// Polynomials and the split of ln 2 are those of the Cephes library (expf and logf), which were fitted for these
// intervals; scaling in two steps makes underflow gradual.

import type { Expression, Statement } from '../assembler/code.ts';
import type { FunctionRef, Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';

/** A function of the module from four floats to four floats. */
export type VectorFunction = FunctionRef<readonly ['v128'], 'v128'>;

type V = Expression<'v128'>;

// ln 2 in two parts: products of the first with small integers are exact.
const ln2High = 0.693359375;
const ln2Low = -2.12194440054e-4;
// Added to a number below 2^22 it rounds it to an integer, which the last bits of the sum then hold.
const rounder = 1.5 * 2 ** 23;
const rounderBits = 0x4b400000;
const exponentOfOne = 0x3f800000;
const mantissaBits = 23;

/** c[0] x^n + ... + c[n], by Horner's rule. */
function polynomial(x: V, [first = 0, ...rest]: readonly number[]): V {
  return rest.reduce<V>((sum, c) => f32x4.add(f32x4.mul(sum, x), f32x4.const(c)), f32x4.const(first));
}

/** 2^n for integers n of normal results. */
function powerOfTwo(n: V): V {
  return i32x4.add(i32x4.shl(n, mantissaBits), i32x4.const(exponentOfOne));
}

/** Statements to run first, and the value that they lead to. */
export interface InlineCode {
  readonly statements: readonly Statement[];
  readonly value: V;
}

/** The module's exp: overflows to infinity, underflows gradually to 0, keeps NaN. */
export function exponential(module: ModuleBuilder): VectorFunction {
  return module.once('exp', () => defineInline(module, exponentialCode));
}

/** The module's natural logarithm: -infinity of 0, NaN of negative numbers, exact scaling of denormal ones. */
export function logarithm(module: ModuleBuilder): VectorFunction {
  return module.once('log', () => defineInline(module, logarithmCode));
}

function defineInline(
  module: ModuleBuilder,
  code: (x: Local<'v128'>, local: NewLocal) => InlineCode,
): VectorFunction {
  return module.define({ params: ['v128'], result: 'v128' }, ([x], local) => {
    const { statements, value } = code(x, local);
    return [...statements, value];
  });
}

/** exp in place; the local holds the operand and is overwritten. */
export function exponentialCode(x: Local<'v128'>, local: NewLocal): InlineCode {
  const [n, r, power, half] = newLocals(local, 'v128', 4);
  const coefficients = [
    1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
  ];
  return {
    statements: [
      // Beyond these bounds the result is infinite or zero anyway; in this order min and max keep NaN.
      x.set(f32x4.pmax(f32x4.pmin(x, f32x4.const(89)), f32x4.const(-104))),
      half.set(f32x4.add(f32x4.mul(x, f32x4.const(Math.LOG2E)), f32x4.const(rounder))),
      n.set(f32x4.sub(half, f32x4.const(rounder))),
      r.set(f32x4.sub(x, f32x4.mul(n, f32x4.const(ln2High)))),
      r.set(f32x4.sub(r, f32x4.mul(n, f32x4.const(ln2Low)))),
      power.set(f32x4.mul(polynomial(r, coefficients), f32x4.mul(r, r))),
      power.set(f32x4.add(f32x4.add(power, r), f32x4.const(1))),
      n.set(i32x4.sub(half, i32x4.const(rounderBits))),
      half.set(i32x4.shrS(n, 1)),
    ],
    value: f32x4.mul(f32x4.mul(power, powerOfTwo(half)), powerOfTwo(i32x4.sub(n, half))),
  };
}

/** The natural logarithm in place, of the number that the local holds. */
export function logarithmCode(x: Local<'v128'>, local: NewLocal): InlineCode {
  const [bits, exponent, m, square, sum] = newLocals(local, 'v128', 5);
  const coefficients = [
    7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
  ];
  return {
    statements: [
      ...splitNumber(x, bits, exponent, m),
      square.set(f32x4.mul(m, m)),
      sum.set(f32x4.mul(f32x4.mul(polynomial(m, coefficients), m), square)),
      sum.set(f32x4.add(sum, f32x4.mul(exponent, f32x4.const(ln2Low)))),
      sum.set(f32x4.sub(sum, f32x4.mul(square, f32x4.const(0.5)))),
      sum.set(f32x4.add(f32x4.add(m, sum), f32x4.mul(exponent, f32x4.const(ln2High)))),
    ],
    value: specialLogarithms(x, sum),
  };
}

/** Sets `exponent` and `m` so that x = 2^exponent (1 + m), with 1 + m between the square roots of 1/2 and 2. */
function splitNumber(
  x: Local<'v128'>,
  bits: Local<'v128'>,
  exponent: Local<'v128'>,
  m: Local<'v128'>,
): readonly Statement[] {
  const squareRootOfHalf = 0x3f3504f3;
  const smallestNormal = 2 ** -126;
  return [
    // Denormal numbers are made normal first; m holds the mask meanwhile.
    m.set(f32x4.lt(x, f32x4.const(smallestNormal))),
    bits.set(v128.bitselect(f32x4.mul(x, f32x4.const(2 ** mantissaBits)), x, m)),
    bits.set(i32x4.add(bits, i32x4.const(exponentOfOne - squareRootOfHalf))),
    exponent.set(i32x4.sub(i32x4.shrS(bits, mantissaBits), i32x4.const(127))),
    exponent.set(i32x4.sub(exponent, v128.and(m, i32x4.const(mantissaBits)))),
    exponent.set(f32x4.convertI32x4(exponent)),
    m.set(i32x4.add(v128.and(bits, i32x4.const(0x7fffff)), i32x4.const(squareRootOfHalf))),
    m.set(f32x4.sub(m, f32x4.const(1))),
  ];
}

/** The logarithm where x is finite and positive, else what the limits are. */
function specialLogarithms(x: V, logarithmOfX: V): V {
  const orInfinity = v128.bitselect(
    f32x4.const(Number.POSITIVE_INFINITY),
    logarithmOfX,
    f32x4.eq(x, f32x4.const(Number.POSITIVE_INFINITY)),
  );
  const orZero = v128.bitselect(
    f32x4.const(Number.NEGATIVE_INFINITY),
    orInfinity,
    f32x4.eq(x, f32x4.const(0)),
  );
  // Not "x < 0": NaN must stay NaN.
  const isDefined = f32x4.ge(x, f32x4.const(0));
  return v128.bitselect(orZero, f32x4.const(Number.NaN), isDefined);
}
