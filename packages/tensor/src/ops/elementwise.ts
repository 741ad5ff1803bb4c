// Elementwise arithmetic: one row per op with its JavaScript meaning and its scalar expression; then the functions users call.
import { DTypeError, describeInputs, ShapeError, sentence } from '../errors.ts';
import type { BinaryName, Expression, UnaryName } from '../expression.ts';
import { binary, castTo, choose, literal, unary } from '../expression.ts';
import type { Attrs, Primitive } from '../primitive.ts';
import { broadcastShapes, sameShape } from '../shape.ts';
import type { DType, Spec, Tensor, TensorLike } from '../tensor.ts';
import { apply, asTensor, requireDType } from '../tensor.ts';
import { broadcastTo } from './movement.ts';
import { elementsOf } from './views.ts';

/** Attrs of ops that have none. */
export type NoAttrs = Readonly<Record<never, never>>;

const unaryOp = (
  name: string,
  meaning: (x: number) => number,
  expression: (x: Expression) => Expression,
  dtypes: readonly DType[] = ['f32'],
): Primitive<NoAttrs> => ({
  name,
  infer: ([x]) => {
    requireDType(name, x!, dtypes);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  reference: ([x], out) => {
    const from = elementsOf(x!);
    const to = out.data;
    for (let i = 0; i < to.length; i++) to[i] = meaning(from[i]!);
  },
  expression: ([x]) => expression(x!),
});

const named = (name: UnaryName) => (x: Expression) => unary(name, x);

/** 1 / (1 + e^-x) from e^-|x|, which never overflows and keeps small values exact. */
const sigmoidExpression = (x: Expression): Expression => {
  const small = unary('exp', unary('neg', unary('abs', x)));
  const upper = binary('div', literal(1), binary('add', literal(1), small));
  return choose(binary('less', x, literal(0)), binary('mul', small, upper), upper);
};

/** ln(1 + x) as ln(u) * x / (u - 1) with u = 1 + x: the rounding of u cancels. */
const log1pExpression = (x: Expression): Expression => {
  const u = binary('add', literal(1), x);
  const excess = binary('sub', u, literal(1));
  const logarithm = unary('log', u); // one node, so that it is computed once
  const exact = binary('mul', logarithm, binary('div', x, excess));
  const large = binary('less', literal(1e30), x);
  return choose(binary('equal', excess, literal(0)), x, choose(large, logarithm, exact));
};

const sigmoidMeaning = (x: number): number => {
  const small = Math.exp(-Math.abs(x));
  return x < 0 ? small / (1 + small) : 1 / (1 + small);
};

/** The primitive of `neg`. */
export const negOp: Primitive<NoAttrs> = unaryOp('neg', (x) => -x, named('neg'), ['f32', 'i32']);
/** The primitive of `abs`. */
export const absOp: Primitive<NoAttrs> = unaryOp('abs', Math.abs, named('abs'), ['f32', 'i32']);
/** The primitive of `floor`. */
export const floorOp: Primitive<NoAttrs> = unaryOp('floor', Math.floor, named('floor'));
/** The primitive of `sqrt`. */
export const sqrtOp: Primitive<NoAttrs> = unaryOp('sqrt', Math.sqrt, named('sqrt'));
/** The primitive of `exp`. */
export const expOp: Primitive<NoAttrs> = unaryOp('exp', Math.exp, named('exp'));
/** The primitive of `log`. */
export const logOp: Primitive<NoAttrs> = unaryOp('log', Math.log, named('log'));
/** The primitive of `log1p`. */
export const log1pOp: Primitive<NoAttrs> = unaryOp('log1p', Math.log1p, log1pExpression);
/** The primitive of `sigmoid`. */
export const sigmoidOp: Primitive<NoAttrs> = unaryOp('sigmoid', sigmoidMeaning, sigmoidExpression);

/** The shape rule of ops on two equal shapes and dtypes. */
const sameSpecs = (name: string, dtypes: readonly DType[], inputs: readonly Spec[]): void => {
  const [a, b] = inputs as readonly [Spec, Spec];
  requireDType(name, a, dtypes, 'a');
  if (a.dtype === b.dtype && sameShape(a.shape, b.shape)) return;
  const ErrorType = a.dtype === b.dtype ? ShapeError : DTypeError;
  throw new ErrorType(
    sentence({
      where: name,
      needs: 'inputs of one dtype and of shapes that broadcast',
      got: describeInputs({ a, b }),
      advice: a.dtype === b.dtype ? 'Reshape one of them.' : 'Convert one of them with cast.',
    }),
  );
};

const binaryOp = (
  name: BinaryName,
  meaning: (a: number, b: number) => number,
  dtypes: readonly DType[] = ['f32', 'i32'],
  result?: DType,
  integerMeaning: (a: number, b: number) => number = meaning,
): Primitive<NoAttrs> => ({
  name,
  infer: (inputs) => {
    sameSpecs(name, dtypes, inputs);
    return { shape: inputs[0]!.shape, dtype: result ?? inputs[0]!.dtype };
  },
  reference: ([a, b], out) => {
    const left = elementsOf(a!);
    const right = elementsOf(b!);
    const to = out.data;
    const value = to instanceof Int32Array ? integerMeaning : meaning;
    for (let i = 0; i < to.length; i++) to[i] = value(left[i]!, right[i]!);
  },
  expression: ([a, b]) => binary(name, a!, b!),
});

/** The primitive of `add`. */
export const addOp: Primitive<NoAttrs> = binaryOp('add', (a, b) => a + b);
/** The primitive of `sub`. */
export const subOp: Primitive<NoAttrs> = binaryOp('sub', (a, b) => a - b);
/** Products of i32 keep their low 32 bits, which double precision alone would round away. */
export const mulOp: Primitive<NoAttrs> = binaryOp(
  'mul',
  (a, b) => a * b,
  ['f32', 'i32'],
  undefined,
  Math.imul,
);
/** The primitive of `div`. */
export const divOp: Primitive<NoAttrs> = binaryOp('div', (a, b) => a / b, ['f32']);
/** The primitive of `pow`. */
export const powOp: Primitive<NoAttrs> = binaryOp('pow', (a, b) => a ** b, ['f32']);
/** The primitive of `minimum`. */
export const minimumOp: Primitive<NoAttrs> = binaryOp('minimum', Math.min);
/** The primitive of `maximum`. */
export const maximumOp: Primitive<NoAttrs> = binaryOp('maximum', Math.max);

const anyDType: readonly DType[] = ['f32', 'i32', 'bool'];
/** The primitive of `less`. */
export const lessOp: Primitive<NoAttrs> = binaryOp('less', (a, b) => Number(a < b), ['f32', 'i32'], 'bool');
/** The primitive of `lessEqual`. */
export const lessEqualOp: Primitive<NoAttrs> = binaryOp(
  'lessEqual',
  (a, b) => Number(a <= b),
  ['f32', 'i32'],
  'bool',
);
/** The primitive of `equal`. */
export const equalOp: Primitive<NoAttrs> = binaryOp('equal', (a, b) => Number(a === b), anyDType, 'bool');

/** The primitive of `select`. */
export const selectOp: Primitive<NoAttrs> = {
  name: 'select',
  infer: ([condition, a, b]) => {
    requireDType('select', condition!, ['bool'], 'condition');
    sameSpecs('select', anyDType, [a!, b!]);
    return { shape: a!.shape, dtype: a!.dtype };
  },
  reference: ([condition, a, b], out) => {
    const chosen = elementsOf(condition!);
    const [whenTrue, whenFalse] = [elementsOf(a!), elementsOf(b!)];
    for (let i = 0; i < out.data.length; i++) out.data[i] = chosen[i] ? whenTrue[i]! : whenFalse[i]!;
  },
  expression: ([condition, a, b]) => choose(condition!, a!, b!),
};

/** Attrs of `cast`. */
export type CastAttrs = { readonly dtype: DType };
/** The primitive of `cast`. */
export const castOp: Primitive<CastAttrs> = {
  name: 'cast',
  infer: ([x], { dtype }) => ({ shape: x!.shape, dtype }),
  reference: ([x], out, { dtype }) => {
    const from = elementsOf(x!);
    const meaning = castMeaning[dtype];
    for (let i = 0; i < out.data.length; i++) out.data[i] = meaning(from[i]!);
  },
  expression: ([x], { dtype }) => castTo(x!, dtype),
};
const castMeaning: Readonly<Record<DType, (x: number) => number>> = {
  f32: (x) => x,
  bool: (x) => Number(x !== 0),
  i32: (x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, -2147483648), 2147483647))),
};

/** Two operands broadcast to one shape; numbers take the other operand's dtype. */
const broadcastPair = (where: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] => {
  const left = asTensor(a, typeof b === 'number' ? 'f32' : b.dtype);
  const right = asTensor(b, left.dtype);
  const shape = broadcastShapes(left.shape, right.shape);
  if (shape === undefined)
    throw new ShapeError(
      sentence({
        where,
        needs: 'shapes that broadcast',
        got: describeInputs({ a: left, b: right }),
        advice: 'Reshape one of them.',
      }),
    );
  return [broadcastTo(left, shape), broadcastTo(right, shape)];
};

const call1 =
  (op: Primitive<NoAttrs>) =>
  (x: TensorLike): Tensor =>
    apply(op, [asTensor(x)], {});
const call2 =
  (op: Primitive<NoAttrs>) =>
  (a: TensorLike, b: TensorLike): Tensor =>
    apply(op, broadcastPair(op.name, a, b), {});

/** An op of one tensor. */
export type UnaryFunction = (x: TensorLike) => Tensor;
/** An op of two tensors or numbers, broadcast to one shape. */
export type BinaryFunction = (a: TensorLike, b: TensorLike) => Tensor;

/** -x */
export const neg: UnaryFunction = call1(negOp);
/**
 * |x|
 *
 * Gradient sign(x), 0 at 0
 */
export const abs: UnaryFunction = call1(absOp);
/**
 * The largest integer not above x.
 *
 * Gradient zero
 */
export const floor: UnaryFunction = call1(floorOp);
/** The square root. */
export const sqrt: UnaryFunction = call1(sqrtOp);
/** e to the power of x. */
export const exp: UnaryFunction = call1(expOp);
/** The natural logarithm. */
export const log: UnaryFunction = call1(logOp);
/** ln(1 + x), exact for small x. */
export const log1p: UnaryFunction = call1(log1pOp);
/** The logistic function 1 / (1 + e^-x). */
export const sigmoid: UnaryFunction = call1(sigmoidOp);
/** a + b */
export const add: BinaryFunction = call2(addOp);
/** a - b */
export const sub: BinaryFunction = call2(subOp);
/** a * b */
export const mul: BinaryFunction = call2(mulOp);
/** a / b */
export const div: BinaryFunction = call2(divOp);
/** a to the power of b. */
export const pow: BinaryFunction = call2(powOp);
/**
 * The smaller of a and b; NaN if either is.
 *
 * Gradient to the smaller; half to each where they are equal
 */
export const minimum: BinaryFunction = call2(minimumOp);
/**
 * The larger of a and b; NaN if either is.
 *
 * Gradient to the larger; half to each where they are equal
 */
export const maximum: BinaryFunction = call2(maximumOp);
/** Whether a < b, as bool. */
export const less: BinaryFunction = call2(lessOp);
/** Whether a <= b, as bool. */
export const lessEqual: BinaryFunction = call2(lessEqualOp);
/** Whether a equals b, as bool. */
export const equal: BinaryFunction = call2(equalOp);

/**
 * `a` where the bool `condition` holds, else `b`; all three broadcast.
 *
 * Gradient to the chosen operand
 */
export const select = (condition: Tensor, a: TensorLike, b: TensorLike): Tensor => {
  const [left, right] = broadcastPair('select', a, b);
  const shape = broadcastShapes(condition.shape, left.shape);
  if (shape === undefined)
    throw new ShapeError(
      sentence({
        where: 'select',
        needs: 'shapes that broadcast',
        got: describeInputs({ condition, a: left, b: right }),
        advice: 'Reshape the condition.',
      }),
    );
  return apply(
    selectOp,
    [condition, left, right].map((t) => broadcastTo(t, shape)),
    {},
  );
};

/**
 * The tensor converted to another dtype: to i32 by truncation, to bool by `x !== 0`, from bool as 0 or 1.
 *
 * Gradient none between different dtypes
 */
export const cast = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : apply<CastAttrs & Attrs>(castOp as Primitive<CastAttrs & Attrs>, [x], { dtype });
