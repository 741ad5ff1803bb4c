// Scalar expressions as WGSL: one `let` per node, so that a shared node is computed once.
import type { BinaryName, Expression, UnaryName } from '../../expression.ts';
import { operandsOf } from '../../expression.ts';
import type { DType } from '../../tensor.ts';
import type { FunctionName } from './functions.ts';

/** Statements, and the name of the value that they lead to. */
export interface ExpressionText {
  readonly statements: readonly string[];
  readonly value: string;
}

/** A number as a WGSL expression of the dtype. */
export const literalText = (value: number, dtype: DType, use: (name: FunctionName) => void): string => {
  if (dtype === 'bool') return String(value !== 0);
  if (dtype === 'i32') return value === -2147483648 ? '(-2147483647 - 1)' : String(value);
  if (Number.isNaN(value)) {
    use('notANumber');
    return 'notANumber()';
  }
  if (!Number.isFinite(value)) {
    use('infinity');
    return value < 0 ? '-infinity()' : 'infinity()';
  }
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return literalText(single, dtype, use);
  const isPlain = Math.abs(single) >= 2 ** -126 || Object.is(single, 0);
  if (isPlain) return `${single}f`;
  const bits = new Uint32Array(Float32Array.of(single).buffer)[0]!;
  return `bitcast<f32>(${bits}u)`;
};

/** The statements of an expression; `read` gives the text of an input's element, `prefix` begins the names of its values. */
export const expressionText = (
  root: Expression,
  read: (input: number) => string,
  use: (name: FunctionName) => void,
  prefix = 'v',
): ExpressionText => {
  const statements: string[] = [];
  const names = new Map<Expression, string>();
  const nameOf = (node: Expression): string => {
    const known = names.get(node);
    if (known !== undefined) return known;
    const operands = operandsOf(node).map(nameOf);
    const text = nodeText(node, operands, read, use);
    const name = node.kind === 'literal' ? text : `${prefix}${statements.length}`;
    if (node.kind !== 'literal') statements.push(`let ${name} = ${text};`);
    names.set(node, name);
    return name;
  };
  return { value: nameOf(root), statements };
};

const nodeText = (
  node: Expression,
  operands: readonly string[],
  read: (input: number) => string,
  use: (name: FunctionName) => void,
): string => {
  const [a = '', b = '', c = ''] = operands;
  switch (node.kind) {
    case 'input':
      return fromStored(read(node.index), node.dtype);
    case 'literal':
      return literalText(node.value, node.dtype, use);
    case 'unary':
      return unaryText(node.name, node.operand.dtype, a, use);
    case 'binary':
      if (takesBack(node)) use('rounded');
      return binaryText(node.name, node.left.dtype, takesBack(node) ? `rounded(${a})` : a, b, use);
    case 'select':
      return `select(${c}, ${b}, ${a})`;
    case 'cast':
      return castText(a, node.operand.dtype, node.dtype, use);
  }
};

/**
 * Whether a node is (p + q) - p: what the rounding of the sum has left of q, as log1p needs it. Shader compilers may take it for q, so the
 * sum goes through a function that they cannot see through.
 */
const takesBack = (node: Expression): boolean => {
  if (node.kind !== 'binary' || node.name !== 'sub' || node.dtype !== 'f32') return false;
  const { left, right } = node;
  if (left.kind !== 'binary' || left.name !== 'add') return false;
  const isSame = (x: Expression): boolean =>
    x === right || (x.kind === 'literal' && right.kind === 'literal' && x.value === right.value);
  return isSame(left.left) || isSame(left.right);
};

/** The value of a stored element. */
const fromStored = (text: string, dtype: DType): string => (dtype === 'bool' ? `(${text} != 0)` : text);

/** The stored form of a value. */
export const toStored = (text: string, dtype: DType): string => (dtype === 'bool' ? `i32(${text})` : text);

const castText = (x: string, from: DType, to: DType, use: (name: FunctionName) => void): string => {
  if (to === 'f32') return `f32(${x})`;
  if (to === 'bool') return from === 'f32' ? `((bitcast<u32>(${x}) & 0x7fffffffu) != 0u)` : `(${x} != 0)`;
  if (from === 'bool') return `i32(${x})`;
  use('toInteger');
  return `toInteger(${x})`;
};

const floatUnary: Readonly<Record<Exclude<UnaryName, 'not'>, (x: string) => string>> = {
  // on the bits: arithmetic may flush subnormals
  neg: (x) => `bitcast<f32>(bitcast<u32>(${x}) ^ 0x80000000u)`,
  abs: (x) => `bitcast<f32>(bitcast<u32>(${x}) & 0x7fffffffu)`,
  floor: (x) => `floor(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  exp: (x) => `expOf(${x})`,
  log: (x) => `logOf(${x})`,
};

const unaryText = (name: UnaryName, dtype: DType, x: string, use: (name: FunctionName) => void): string => {
  if (name === 'not')
    return dtype === 'bool' ? `!${x}` : `select(${dtype}(0), ${dtype}(1), ${x} == ${dtype}(0))`;
  if (name === 'exp') use('expOf');
  if (name === 'log') use('logOf');
  if (dtype === 'f32') return floatUnary[name](x);
  if (dtype === 'i32' && name === 'neg') return `-${x}`;
  if (dtype === 'i32' && name === 'abs') return `abs(${x})`;
  if (name === 'floor' || dtype === 'bool') return x;
  use('toInteger');
  return `toInteger(${floatUnary[name](`f32(${x})`)})`;
};

type BinaryTexts = Readonly<Record<BinaryName, (a: string, b: string) => string>>;

const infix =
  (sign: string) =>
  (a: string, b: string): string =>
    `(${a} ${sign} ${b})`;

const floatBinary: BinaryTexts = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  pow: (a, b) => `powOf(${a}, ${b})`,
  minimum: (a, b) => `minimumOf(${a}, ${b})`,
  maximum: (a, b) => `maximumOf(${a}, ${b})`,
  less: infix('<'),
  lessEqual: infix('<='),
  equal: infix('=='),
};

const integerBinary: BinaryTexts = {
  ...floatBinary,
  div: (a, b) => `select(${a} / ${b}, 0, ${b} == 0)`,
  pow: (a, b) => `powerOfIntegers(${a}, ${b})`,
  minimum: (a, b) => `min(${a}, ${b})`,
  maximum: (a, b) => `max(${a}, ${b})`,
};

// Arithmetic of bools is that of the numbers 0 and 1, where every result that is not zero is true.
const boolBinary: BinaryTexts = {
  add: infix('||'),
  sub: infix('!='),
  mul: infix('&&'),
  div: (a) => a,
  pow: (a, b) => `(${a} || !${b})`,
  minimum: infix('&&'),
  maximum: infix('||'),
  less: (a, b) => `(!${a} && ${b})`,
  lessEqual: (a, b) => `(!${a} || ${b})`,
  equal: infix('=='),
};

const calledBy: Readonly<
  Partial<Record<BinaryName, readonly [float: FunctionName, integer?: FunctionName]>>
> = {
  pow: ['powOf', 'powerOfIntegers'],
  minimum: ['minimumOf'],
  maximum: ['maximumOf'],
};

const binaryText = (
  name: BinaryName,
  dtype: DType,
  a: string,
  b: string,
  use: (name: FunctionName) => void,
): string => {
  const [float, integer] = calledBy[name] ?? [];
  if (dtype === 'f32' && float !== undefined) use(float);
  if (dtype === 'i32' && integer !== undefined) use(integer);
  if (dtype === 'bool') return boolBinary[name](a, b);
  return (dtype === 'f32' ? floatBinary : integerBinary)[name](a, b);
};
