// Scalar expressions printed as SIMD code: four elements at a time. Bools are masks here, all ones or all zeros per lane.
import type { BinaryName, Expression, UnaryName } from '../../../expression.ts';
import { operandsOf } from '../../../expression.ts';
import type { DType } from '../../../tensor.ts';
import type { Expression as Code, Statement } from '../assembler/code.ts';
import type { FunctionRef, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { f32, f64 } from '../assembler/scalar.ts';
import type { Lane } from '../assembler/vector.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';
import { exponential, logarithm } from './exponential.ts';

type V = Code<'v128'>;

/** Code that computes an expression: statements first, then the value. */
export interface VectorCode {
  readonly statements: readonly Statement[];
  readonly value: V;
}

/**
 * The code of an expression whose inputs are already in registers.
 *
 * Bools come in and go out as masks. A node that is used more than once is computed into a local.
 */
export const vectorCode = (
  module: ModuleBuilder,
  local: NewLocal,
  root: Expression,
  inputs: readonly V[],
): VectorCode => {
  const uses = countUses(root);
  const statements: Statement[] = [];
  const known = new Map<Expression, V>();
  const visit = (node: Expression): V => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const value = nodeCode(module, node, operandsOf(node).map(visit), inputs);
    if (uses.get(node)! < 2 || node.kind === 'input' || node.kind === 'literal') return value;
    const held = local('v128');
    statements.push(held.set(value));
    known.set(node, held);
    return held;
  };
  const value = visit(root);
  return { statements, value };
};

const countUses = (root: Expression): Map<Expression, number> => {
  const uses = new Map<Expression, number>();
  const visit = (node: Expression): void => {
    const count = uses.get(node) ?? 0;
    uses.set(node, count + 1);
    if (count === 0) operandsOf(node).forEach(visit);
  };
  visit(root);
  return uses;
};

const nodeCode = (
  module: ModuleBuilder,
  node: Expression,
  operands: readonly V[],
  inputs: readonly V[],
): V => {
  const [a, b, c] = operands;
  switch (node.kind) {
    case 'input':
      return inputs[node.index]!;
    case 'literal':
      return splatConstant(node.value, node.dtype);
    case 'unary':
      return unaryCode(module, node.name, node.dtype, a!);
    case 'binary':
      return binaryCode(module, node.name, node.left.dtype, a!, b!);
    case 'select':
      return v128.bitselect(b!, c!, a!);
    case 'cast':
      return castCode(node.operand.dtype, node.dtype, a!);
  }
};

/** A constant in all lanes. */
export const splatConstant = (value: number, dtype: DType): V => {
  if (dtype === 'f32') return f32x4.const(value);
  return i32x4.const(dtype === 'i32' ? value : value !== 0 ? -1 : 0);
};

const unaryCode = (module: ModuleBuilder, name: UnaryName, dtype: DType, x: V): V => {
  switch (name) {
    case 'neg':
      return dtype === 'i32' ? i32x4.neg(x) : f32x4.neg(x);
    case 'abs':
      return dtype === 'i32' ? i32x4.abs(x) : f32x4.abs(x);
    case 'floor':
      return f32x4.floor(x);
    case 'sqrt':
      return f32x4.sqrt(x);
    case 'exp':
      return exponential(module).call(x);
    case 'log':
      return logarithm(module).call(x);
    case 'not':
      return v128.not(x);
  }
};

type TwoVectors = (a: V, b: V) => V;

const floatOps: Readonly<Record<Exclude<BinaryName, 'pow'>, TwoVectors>> = {
  add: f32x4.add,
  sub: f32x4.sub,
  mul: f32x4.mul,
  div: f32x4.div,
  minimum: f32x4.min,
  maximum: f32x4.max,
  less: f32x4.lt,
  lessEqual: f32x4.le,
  equal: f32x4.eq,
};

const integerOps: Readonly<Record<Exclude<BinaryName, 'pow' | 'div'>, TwoVectors>> = {
  add: i32x4.add,
  sub: i32x4.sub,
  mul: i32x4.mul,
  minimum: i32x4.minS,
  maximum: i32x4.maxS,
  less: i32x4.ltS,
  lessEqual: i32x4.leS,
  equal: i32x4.eq,
};

const binaryCode = (module: ModuleBuilder, name: BinaryName, dtype: DType, a: V, b: V): V => {
  if (name === 'pow') return power(module).call(a, b);
  if (dtype === 'f32' || name === 'div') return floatOps[name](a, b);
  return integerOps[name](a, b);
};

const castCode = (from: DType, to: DType, x: V): V => {
  if (from === 'bool') return v128.and(x, to === 'f32' ? f32x4.const(1) : i32x4.const(1));
  if (to === 'bool') return from === 'f32' ? f32x4.ne(x, f32x4.const(0)) : i32x4.ne(x, i32x4.const(0));
  return to === 'f32' ? f32x4.convertI32x4(x) : i32x4.truncSaturateF32x4(x);
};

/** a^b lane by lane through the engine's own double-precision power: exact to the last bit, and rare. */
const power = (module: ModuleBuilder): FunctionRef<readonly ['v128', 'v128'], 'v128'> =>
  module.once('pow', () => {
    const pow = module.importFunction('math', 'pow', { params: ['f64', 'f64'], result: 'f64' });
    return module.define({ params: ['v128', 'v128'], result: 'v128' }, ([a, b], local) => {
      const result = local('v128');
      const lanes: readonly Lane[] = [0, 1, 2, 3];
      const each = lanes.map((lane) => {
        const base = f64.promote(f32x4.extractLane(a, lane));
        const exponent = f64.promote(f32x4.extractLane(b, lane));
        return result.set(f32x4.replaceLane(result, lane, f32.demote(pow.call(base, exponent))));
      });
      return [...each, result];
    });
  });

/** Elements as loaded from memory, made into what expressions work on. */
export const fromMemory = (x: V, dtype: DType): V => (dtype === 'bool' ? i32x4.ne(x, i32x4.const(0)) : x);

/** A value as it is stored in memory. */
export const toMemory = (x: V, dtype: DType): V => (dtype === 'bool' ? v128.and(x, i32x4.const(1)) : x);
