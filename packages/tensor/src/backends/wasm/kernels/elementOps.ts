// What every function of a scalar expression is in SIMD instructions, per dtype.
//
// In registers f32 and i32 are four elements; a bool is a mask, all ones or all zeros. In memory a bool is an
// i32 of 0 or 1.

import type { BinaryName, UnaryName } from '../../../expression.ts';
import type { DType } from '../../../tensor.ts';
import type { Expression } from '../assembler/code.ts';
import { choose } from '../assembler/control.ts';
import type { FunctionRef, ModuleBuilder } from '../assembler/module.ts';
import { f32, f64, i32 } from '../assembler/scalar.ts';
import type { Lane } from '../assembler/vector.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';
import { exponential, logarithm } from './exponential.ts';

type V = Expression<'v128'>;
type UnaryCode = (x: V) => V;
type BinaryCode = (a: V, b: V) => V;

/** A constant in all lanes. */
export function literalVector(value: number, dtype: DType): V {
  if (dtype === 'f32') return f32x4.const(value);
  return i32x4.const(dtype === 'bool' ? (value === 0 ? 0 : -1) : value);
}

/** The register form of a vector as it lies in memory. */
export function fromMemory(vector: V, dtype: DType): V {
  return dtype === 'bool' ? i32x4.ne(vector, i32x4.const(0)) : vector;
}

/** The memory form of a vector in registers. */
export function toMemory(vector: V, dtype: DType): V {
  return dtype === 'bool' ? v128.and(vector, i32x4.const(1)) : vector;
}

/** A vector as another dtype: truncation saturates, NaN gives 0, bool is "not zero". */
export function castVector(vector: V, from: DType, to: DType): V {
  if (from === to) return vector;
  if (to === 'bool') {
    return from === 'f32' ? f32x4.ne(vector, f32x4.const(0)) : i32x4.ne(vector, i32x4.const(0));
  }
  if (from === 'bool') return v128.and(vector, literalVector(1, to));
  return to === 'f32' ? f32x4.convertI32x4(vector) : i32x4.truncSaturateF32x4(vector);
}

/** The code of a function of one operand. */
export function unaryVector(module: ModuleBuilder, name: UnaryName, dtype: DType): UnaryCode {
  if (name === 'not') return (x) => castVector(v128.not(castVector(x, dtype, 'bool')), 'bool', dtype);
  if (dtype === 'f32') return floatUnary(module)[name];
  if (dtype === 'i32' && name in integerUnary) return integerUnary[name as keyof typeof integerUnary];
  // The remaining functions of integers and bools are those of the equal floats.
  return (x) => castVector(floatUnary(module)[name](castVector(x, dtype, 'f32')), 'f32', dtype);
}

function floatUnary(module: ModuleBuilder): Readonly<Record<Exclude<UnaryName, 'not'>, UnaryCode>> {
  return {
    neg: f32x4.neg,
    abs: f32x4.abs,
    floor: f32x4.floor,
    sqrt: f32x4.sqrt,
    exp: (x) => exponential(module).call(x),
    log: (x) => logarithm(module).call(x),
  };
}

const integerUnary = { neg: i32x4.neg, abs: i32x4.abs, floor: (x: V) => x };

/** The code of a function of two operands of one dtype; comparisons give masks. */
export function binaryVector(module: ModuleBuilder, name: BinaryName, dtype: DType): BinaryCode {
  if (dtype === 'bool') return boolBinary[name];
  return dtype === 'f32' ? floatBinary(module, name) : integerBinary(module, name);
}

function floatBinary(module: ModuleBuilder, name: BinaryName): BinaryCode {
  const { add, sub, mul, div, min, max, lt, le, eq } = f32x4;
  const codes = { add, sub, mul, div, minimum: min, maximum: max, less: lt, lessEqual: le, equal: eq };
  return name === 'pow' ? powerOfFloats(module).call : codes[name];
}

function integerBinary(module: ModuleBuilder, name: BinaryName): BinaryCode {
  const { add, sub, mul, minS, maxS, ltS, leS, eq } = i32x4;
  const codes = { add, sub, mul, minimum: minS, maximum: maxS, less: ltS, lessEqual: leS, equal: eq };
  if (name === 'pow') return powerOfIntegers(module).call;
  return name === 'div' ? quotientOfIntegers(module).call : codes[name];
}

const { and, or, xor, andnot, not } = v128;

// Arithmetic of bools is that of the numbers 0 and 1, where every result that is not zero is true.
const boolBinary: Readonly<Record<BinaryName, BinaryCode>> = {
  add: or,
  sub: xor,
  mul: and,
  div: (a) => a,
  pow: (a, b) => or(a, not(b)),
  minimum: and,
  maximum: or,
  less: (a, b) => andnot(b, a),
  lessEqual: (a, b) => or(b, not(a)),
  equal: (a, b) => not(xor(a, b)),
};

type PairFunction = FunctionRef<readonly ['v128', 'v128'], 'v128'>;

const lanes: readonly Lane[] = [0, 1, 2, 3];

/** The module's pow of floats, lane by lane through the host's Math.pow. */
function powerOfFloats(module: ModuleBuilder): PairFunction {
  return module.once('pow f32x4', () =>
    module.define({ params: ['v128', 'v128'], result: 'v128' }, ([base, exponent], local) => {
      const result = local('v128');
      const power = (lane: Lane): Expression<'f32'> =>
        f32.demote(
          hostPower(module).call(
            f64.promote(f32x4.extractLane(base, lane)),
            f64.promote(f32x4.extractLane(exponent, lane)),
          ),
        );
      return [...lanes.map((lane) => result.set(f32x4.replaceLane(result, lane, power(lane)))), result];
    }),
  );
}

function powerOfIntegers(module: ModuleBuilder): PairFunction {
  return perLane(module, 'pow i32x4', (a, b) =>
    i32.truncSaturateF64(hostPower(module).call(f64.convertI32(a), f64.convertI32(b))),
  );
}

/** Integer division towards zero; division by zero gives 0, and the one quotient that overflows wraps. */
function quotientOfIntegers(module: ModuleBuilder): PairFunction {
  return perLane(module, 'div i32x4', (a, b) =>
    choose(
      i32.leU(i32.add(b, 1), 1), // b is -1 or 0, for which the machine's division may trap
      i32.mul(a, b),
      i32.divS(a, b),
    ),
  );
}

function perLane(
  module: ModuleBuilder,
  name: string,
  code: (a: Expression<'i32'>, b: Expression<'i32'>) => Expression<'i32'>,
): PairFunction {
  return module.once(name, () =>
    module.define({ params: ['v128', 'v128'], result: 'v128' }, ([a, b], local) => {
      const result = local('v128');
      const at = (lane: Lane) => code(i32x4.extractLane(a, lane), i32x4.extractLane(b, lane));
      return [...lanes.map((lane) => result.set(i32x4.replaceLane(result, lane, at(lane)))), result];
    }),
  );
}

function hostPower(module: ModuleBuilder): FunctionRef<readonly ['f64', 'f64'], 'f64'> {
  return module.once('Math.pow', () =>
    module.importFunction('math', 'pow', { params: ['f64', 'f64'], result: 'f64' }),
  );
}
