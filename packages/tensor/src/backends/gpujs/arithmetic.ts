// What every function of a scalar expression is in the text of a kernel, per dtype.
import { sentence, UnsupportedError } from '../../errors.ts';
import type { BinaryName, Expression, UnaryName } from '../../expression.ts';
import type { DType } from '../../tensor.ts';
import {
  binaryPair,
  choosePair,
  floatOfPair,
  literalPair,
  pairOf,
  truncatedPair,
  unaryPair,
} from './integers.ts';
import type { Value, Writer } from './source.ts';
import { printNumber } from './source.ts';

const float = (name: string): Value => ({ dtype: 'f32', name });
const bool = (writer: Writer, condition: string): Value => ({
  dtype: 'bool',
  name: writer.define(`${condition} ? 1 : 0`),
});

/** Not `!==`, which some shading languages take for "less or greater": NaN is neither, yet it is true. */
const isNotZero = (writer: Writer, x: string): Value => ({
  dtype: 'bool',
  name: writer.define(`${x} === 0 ? 0 : 1`),
});

const missing = (what: string): UnsupportedError =>
  new UnsupportedError(
    sentence({
      where: 'compile',
      label: 'gpujs',
      needs: 'functions that GPU.js kernels can compute',
      got: what,
      advice: 'Cast to f32 first.',
    }),
  );

/** A constant. */
export const literalValue = (writer: Writer, value: number, dtype: DType): Value => {
  if (dtype === 'i32') return literalPair(writer, value);
  const number = dtype === 'bool' ? Number(value !== 0) : value;
  return { dtype, name: writer.define(printNumber(number)) };
};

/** The condition that a bool holds. */
const holds = (value: Value): string => `${nameOf(value)} > 0.5`;

/** The variable of an f32 or bool. */
export const nameOf = (value: Value): string => {
  if (value.dtype === 'i32') throw missing('an i32 where a number is needed');
  return value.name;
};

/** The larger of two floats; NaN where either is. */
export const largerOf = (writer: Writer, a: string, b: string): string => {
  const larger = writer.define(`(${a} > ${b} || !(${a} === ${a})) ? ${a} : ${b}`);
  // of two zeros the positive one: that is their sum
  const sum = writer.define(`${a} + ${b}`);
  return writer.define(`(${a} === 0 && ${b} === 0) ? ${sum} : ${larger}`);
};

const smallerOf = (writer: Writer, a: string, b: string): string => {
  const smaller = writer.define(`(${a} < ${b} || !(${a} === ${a})) ? ${a} : ${b}`);
  const opposite = writer.define(`(-${a}) - ${b}`);
  return writer.define(`(${a} === 0 && ${b} === 0) ? (-${opposite}) : ${smaller}`);
};

/** The variable of a result of arithmetic, in single precision. */
const defineRounded = (writer: Writer, text: string): string =>
  writer.define(writer.traits.computesInDoubles ? `Math.fround(${text})` : text);

/** Functions whose result may need more digits than their operand has. */
const isInexact = (name: UnaryName): boolean => name === 'exp' || name === 'log' || name === 'sqrt';

const unaryText = (writer: Writer, name: UnaryName, x: string): string => {
  const { hostMath } = writer.traits;
  switch (name) {
    case 'neg':
      return `-${x}`;
    case 'abs':
    case 'floor':
    case 'sqrt':
      return `Math.${name}(${x})`;
    case 'exp':
      return hostMath ? `Math.exp(${x})` : `exponential(${x})`;
    case 'log':
      return hostMath ? `Math.log(${x})` : `logarithm(${x}, infinity, nan)`;
    case 'not':
      return `${x} === 0 ? 1 : 0`;
  }
};

const unaryValue = (writer: Writer, name: UnaryName, x: Value): Value => {
  if (x.dtype !== 'i32') {
    const text = unaryText(writer, name, x.name);
    return { ...x, name: isInexact(name) ? defineRounded(writer, text) : writer.define(text) };
  }
  const pair = unaryPair(writer, name, x);
  if (pair === undefined) throw missing(`${name} of an i32`);
  return pair;
};

const operators = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  less: '<',
  lessEqual: '<=',
  equal: '===',
} as const;

const binaryFloat = (writer: Writer, name: BinaryName, a: string, b: string): Value => {
  switch (name) {
    case 'minimum':
      return float(smallerOf(writer, a, b));
    case 'maximum':
      return float(largerOf(writer, a, b));
    case 'pow':
      return float(
        defineRounded(
          writer,
          writer.traits.hostMath ? `Math.pow(${a}, ${b})` : `power(${a}, ${b}, infinity, nan)`,
        ),
      );
    case 'less':
    case 'lessEqual':
    case 'equal':
      return bool(writer, `${a} ${operators[name]} ${b}`);
    default:
      return float(defineRounded(writer, `${a} ${operators[name]} ${b}`));
  }
};

const binaryValue = (writer: Writer, name: BinaryName, a: Value, b: Value): Value => {
  if (a.dtype === 'i32' && b.dtype === 'i32') {
    const value = binaryPair(writer, name, a, b);
    if (value === undefined) throw missing(`${name} of i32`);
    return value;
  }
  const result = binaryFloat(writer, name, nameOf(a), nameOf(b));
  // arithmetic of bools is that of 0 and 1, where every result that is not zero is true
  if (a.dtype !== 'bool' || result.dtype === 'bool') return result;
  return isNotZero(writer, nameOf(result));
};

/** One of two values of a dtype. */
const chooseValue = (writer: Writer, condition: string, a: Value, b: Value): Value => {
  if (a.dtype === 'i32' && b.dtype === 'i32') return choosePair(writer, condition, a, b);
  return {
    dtype: a.dtype as 'f32' | 'bool',
    name: writer.define(`${condition} ? ${nameOf(a)} : ${nameOf(b)}`),
  };
};

/** A value as another dtype. */
const castValue = (writer: Writer, x: Value, dtype: DType): Value => {
  if (x.dtype === dtype) return x;
  if (dtype === 'bool')
    return x.dtype === 'i32'
      ? isNotZero(writer, writer.define(`Math.abs(${x.low}) + Math.abs(${x.high})`))
      : isNotZero(writer, x.name);
  if (x.dtype === 'i32') return float(floatOfPair(writer, x));
  if (dtype === 'f32') return float(x.name);
  return x.dtype === 'bool' ? pairOf(x.name, writer.define('0')) : truncatedPair(writer, x.name);
};

type BinaryNode = Extract<Expression, { readonly kind: 'binary' }>;

/** Whether a sum is of a constant and a sum with a constant, which shader compilers make one sum with another constant. */
const mergesConstants = ({ name, left, right }: BinaryNode): boolean => {
  if (name !== 'add' && name !== 'sub') return false;
  const inner = left.kind === 'literal' ? right : right.kind === 'literal' ? left : undefined;
  return (
    inner?.kind === 'binary' &&
    (inner.name === 'add' || inner.name === 'sub') &&
    (inner.left.kind === 'literal' || inner.right.kind === 'literal')
  );
};

/** The same number in a way that a compiler cannot see through: `ln(1 + x)` needs what is lost in `1 + x`. */
const opaque = (writer: Writer, x: Value): Value =>
  writer.traits.keepsSums ? x : float(writer.define(`infinity > 1 ? ${nameOf(x)} : 0`));

/** The value of an expression; `input` gives the elements of the inputs. A node reached twice is computed once. */
export const printExpression = (writer: Writer, root: Expression, input: (index: number) => Value): Value => {
  const known = new Map<Expression, Value>();
  const visit = (node: Expression): Value => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const value = print(node);
    known.set(node, value);
    return value;
  };
  const operandsOfBinary = (node: BinaryNode): readonly [Value, Value] => {
    const [left, right] = [visit(node.left), visit(node.right)];
    if (!mergesConstants(node) || left.dtype !== 'f32' || right.dtype !== 'f32') return [left, right];
    return node.left.kind === 'literal' ? [left, opaque(writer, right)] : [opaque(writer, left), right];
  };
  const print = (node: Expression): Value => {
    switch (node.kind) {
      case 'input':
        return input(node.index);
      case 'literal':
        return literalValue(writer, node.value, node.dtype);
      case 'unary':
        return unaryValue(writer, node.name, visit(node.operand));
      case 'binary':
        return binaryValue(writer, node.name, ...operandsOfBinary(node));
      case 'select': {
        const condition = visit(node.condition);
        return chooseValue(writer, holds(condition), visit(node.whenTrue), visit(node.whenFalse));
      }
      case 'cast':
        return castValue(writer, visit(node.operand), node.dtype);
    }
  };
  return visit(root);
};
