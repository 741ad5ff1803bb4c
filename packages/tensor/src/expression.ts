// Scalar expressions: a small typed tree that says what one element of an elementwise op is.
// Every backend prints the same tree in its own language; fusion composes trees.
import type { DType } from './tensor.ts';

/** Functions of one number. `not` takes and gives bool. */
export type UnaryName = 'neg' | 'abs' | 'floor' | 'sqrt' | 'exp' | 'log' | 'not';

/** Functions of two numbers. The last three compare and give bool; `maximum` and `minimum` pass NaN on. */
export type BinaryName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'minimum'
  | 'maximum'
  | 'less'
  | 'lessEqual'
  | 'equal';

/**
 * One number computed from the elements of the inputs. Nodes are immutable and may be shared: a node reached twice is
 * computed once.
 *
 * Semantics: f32 follows IEEE 754; i32 wraps; comparisons with NaN are false; a cast from f32 to i32 truncates towards zero and
 * saturates (NaN gives 0); a cast to bool is `x !== 0`, and from bool gives 0 or 1.
 */
export type Expression =
  | { readonly kind: 'input'; readonly index: number; readonly dtype: DType }
  | { readonly kind: 'literal'; readonly value: number; readonly dtype: DType }
  | { readonly kind: 'unary'; readonly name: UnaryName; readonly operand: Expression; readonly dtype: DType }
  | {
      readonly kind: 'binary';
      readonly name: BinaryName;
      readonly left: Expression;
      readonly right: Expression;
      readonly dtype: DType;
    }
  | {
      readonly kind: 'select';
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
      readonly dtype: DType;
    }
  | { readonly kind: 'cast'; readonly operand: Expression; readonly dtype: DType };

/** The element of input number `index`. */
export const input = (index: number, dtype: DType): Expression => ({ kind: 'input', index, dtype });

/** A constant. */
export const literal = (value: number, dtype: DType = 'f32'): Expression => ({
  kind: 'literal',
  value,
  dtype,
});

/** A function of one operand; keeps its dtype. */
export const unary = (name: UnaryName, operand: Expression): Expression => ({
  kind: 'unary',
  name,
  operand,
  dtype: operand.dtype,
});

const comparisons: ReadonlySet<BinaryName> = new Set(['less', 'lessEqual', 'equal']);

/** A function of two operands of one dtype; comparisons give bool, the others keep the dtype. */
export const binary = (name: BinaryName, left: Expression, right: Expression): Expression => ({
  kind: 'binary',
  name,
  left,
  right,
  dtype: comparisons.has(name) ? 'bool' : left.dtype,
});

/** `whenTrue` where the bool `condition` holds, else `whenFalse`. */
export const choose = (condition: Expression, whenTrue: Expression, whenFalse: Expression): Expression => ({
  kind: 'select',
  condition,
  whenTrue,
  whenFalse,
  dtype: whenTrue.dtype,
});

/** The operand as another dtype. */
export const castTo = (operand: Expression, dtype: DType): Expression =>
  operand.dtype === dtype ? operand : { kind: 'cast', operand, dtype };

/** The operands of a node, in order. */
export const operandsOf = (node: Expression): readonly Expression[] => {
  switch (node.kind) {
    case 'input':
    case 'literal':
      return [];
    case 'unary':
    case 'cast':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'select':
      return [node.condition, node.whenTrue, node.whenFalse];
  }
};

/** The tree with every input replaced; shared nodes stay shared. */
export const substitute = (root: Expression, replace: (index: number) => Expression): Expression => {
  const done = new Map<Expression, Expression>();
  const visit = (node: Expression): Expression => {
    const known = done.get(node);
    if (known !== undefined) return known;
    const result = rebuild(node, visit, replace);
    done.set(node, result);
    return result;
  };
  return visit(root);
};

const rebuild = (
  node: Expression,
  visit: (node: Expression) => Expression,
  replace: (index: number) => Expression,
): Expression => {
  switch (node.kind) {
    case 'input':
      return replace(node.index);
    case 'literal':
      return node;
    case 'unary':
    case 'cast':
      return { ...node, operand: visit(node.operand) };
    case 'binary':
      return { ...node, left: visit(node.left), right: visit(node.right) };
    case 'select':
      return {
        ...node,
        condition: visit(node.condition),
        whenTrue: visit(node.whenTrue),
        whenFalse: visit(node.whenFalse),
      };
  }
};

/** How many distinct nodes the tree has: the work of one element. */
export const sizeOf = (root: Expression): number => {
  const seen = new Set<Expression>();
  const visit = (node: Expression): void => {
    if (seen.has(node)) return;
    seen.add(node);
    operandsOf(node).forEach(visit);
  };
  visit(root);
  return seen.size;
};

const unaryMeaning: Readonly<Record<UnaryName, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  floor: Math.floor,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  not: (x) => (x === 0 ? 1 : 0),
};

const binaryMeaning: Readonly<Record<BinaryName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  minimum: Math.min,
  maximum: Math.max,
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
};

const castMeaning = (dtype: DType, x: number): number => {
  if (dtype === 'f32') return x;
  if (dtype === 'bool') return x !== 0 ? 1 : 0;
  return Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, -2147483648), 2147483647));
};

/** The JavaScript meaning of a tree, in double precision: a function from the inputs' elements to the value. */
export const toFunction = (root: Expression): ((inputs: ArrayLike<number>) => number) => {
  const order: Expression[] = [];
  const place = new Map<Expression, number>();
  const visit = (node: Expression): void => {
    if (place.has(node)) return;
    operandsOf(node).forEach(visit);
    place.set(node, order.length);
    order.push(node);
  };
  visit(root);
  const values = new Float64Array(order.length);
  const steps = order.map((node) => evaluator(node, (operand) => place.get(operand)!, values));
  return (inputs) => {
    for (let i = 0; i < steps.length; i++) values[i] = steps[i]!(inputs);
    return values[steps.length - 1]!;
  };
};

const evaluator = (
  node: Expression,
  at: (operand: Expression) => number,
  values: Float64Array,
): ((inputs: ArrayLike<number>) => number) => {
  switch (node.kind) {
    case 'input':
      return (inputs) => inputs[node.index]!;
    case 'literal':
      return () => node.value;
    case 'unary': {
      const x = at(node.operand);
      const f = unaryMeaning[node.name];
      return () => f(values[x]!);
    }
    case 'binary': {
      const [a, b] = [at(node.left), at(node.right)];
      const f = node.name === 'mul' && node.dtype === 'i32' ? Math.imul : binaryMeaning[node.name];
      return node.dtype === 'i32' ? () => f(values[a]!, values[b]!) | 0 : () => f(values[a]!, values[b]!);
    }
    case 'select': {
      const [c, a, b] = [at(node.condition), at(node.whenTrue), at(node.whenFalse)];
      return () => (values[c] !== 0 ? values[a]! : values[b]!);
    }
    case 'cast': {
      const x = at(node.operand);
      return () => castMeaning(node.dtype, values[x]!);
    }
  }
};
