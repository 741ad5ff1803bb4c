// Tensors: immutable nodes of a graph, and the functions that make leaves.
import type { Buffer } from './backends/backend.ts';
import { DTypeError, LifetimeError, ShapeError, sentence } from './errors.ts';
import type { Attrs, Primitive } from './primitive.ts';
import { sizeOf } from './shape.ts';

/** Sizes of the dimensions, outermost first; [] is a scalar. */
export type Shape = readonly number[];

/** Element types. The reference backend can compute f32 tensors in double precision. */
export type DType = 'f32' | 'i32' | 'bool';

/** Element storage outside a backend: f32 as Float32Array (Float64Array from the f64 reference), i32 as Int32Array, bool as Uint8Array. */
export type Data = Float32Array | Float64Array | Int32Array | Uint8Array;

/** What is known of a tensor before any data exists. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Where the value of a tensor comes from. */
export type Source =
  | { readonly kind: 'constant'; readonly data: Data }
  | { readonly kind: 'buffer'; readonly buffer: Buffer }
  | { readonly kind: 'argument'; readonly index: number; readonly path: string }
  | {
      readonly kind: 'apply';
      readonly op: Primitive;
      readonly inputs: readonly Tensor[];
      readonly attrs: Attrs;
    };

/** An immutable array value: a leaf, or one primitive applied to tensors. Building one never computes. */
export interface Tensor extends Spec {
  readonly source: Source;
  /** Length of the longest chain of unevaluated nodes below this one. */
  readonly depth: number;
  /** The caller's name, shown in errors and printed plans. */
  readonly label?: string;
}

/** A tensor, or a number that stands for a scalar of the other operand's dtype. */
export type TensorLike = Tensor | number;

/** Options of `tensor`. */
export interface TensorOptions {
  readonly shape?: Shape;
  readonly dtype?: DType;
  /** Whether a typed array that needs no conversion becomes the tensor's own instead of being copied; nobody may change it afterwards. */
  readonly adopt?: boolean;
}

const dtypes: readonly DType[] = ['f32', 'i32', 'bool'];

/** Numbers or booleans, nested as deep as the rank. */
export type NestedNumbers = number | boolean | readonly NestedNumbers[];

/**
 * A constant tensor with a copy of the given values, or with the array itself under `adopt`.
 *
 * Shapes   taken from the nesting, or from `shape`; a typed array without `shape` is a vector
 * Throws   ShapeError when the number of values does not fill the shape or rows differ in length
 * Example  tensor([[1, 2], [3, 4]])
 */
export const tensor = (data: NestedNumbers | Data, options: TensorOptions = {}): Tensor => {
  if (options.dtype !== undefined && !dtypes.includes(options.dtype))
    throw new DTypeError(
      sentence({
        where: 'tensor',
        needs: `dtype ${dtypes.join(', ')}`,
        got: `'${String(options.dtype)}'`,
        advice: 'Choose one of these.',
      }),
    );
  if (ArrayBuffer.isView(data)) {
    const dtype = options.dtype ?? dtypeOfData(data);
    const isAdopted = options.adopt === true && isStorageOf(dtype, data);
    return constant(isAdopted ? data : convert(data, dtype), options.shape ?? [data.length], dtype);
  }
  const shape = options.shape ?? nestedShape(data);
  const flat = flatten(data);
  const dtype = options.dtype ?? (typeof flat[0] === 'boolean' ? 'bool' : 'f32');
  return constant(convert(flat.map(Number), dtype), shape, dtype);
};

const flatten = (data: NestedNumbers): (number | boolean)[] =>
  typeof data === 'object' ? data.flatMap(flatten) : [data];

const dtypeOfData = (data: Data): DType =>
  data instanceof Int32Array ? 'i32' : data instanceof Uint8Array ? 'bool' : 'f32';

/** Whether an array is what tensors of a dtype are stored in; truth values are not, as a byte may be more than 1. */
const isStorageOf = (dtype: DType, data: Data): boolean =>
  dtype === 'f32'
    ? data instanceof Float32Array || data instanceof Float64Array
    : dtype === 'i32' && data instanceof Int32Array;

/** Values as the storage of a dtype; f32 values keep double precision until a backend stores them. */
const convert = (values: Data | readonly number[], dtype: DType): Data => {
  if (dtype === 'i32') return Int32Array.from(values);
  if (dtype === 'bool') return Uint8Array.from(values, (x) => (x !== 0 ? 1 : 0));
  return values instanceof Float32Array ? values.slice() : Float64Array.from(values);
};

const nestedShape = (data: NestedNumbers): Shape => {
  if (typeof data === 'number' || typeof data === 'boolean') return [];
  const inner = data.map(nestedShape);
  if (inner.some((shape) => shape.join() !== inner[0]!.join()))
    throw new ShapeError(
      sentence({
        where: 'tensor',
        needs: 'rows of one length',
        got: `rows of shapes ${inner.map((s) => `[${s}]`).join(', ')}`,
        advice: 'Pad the rows or pass flat data with a shape.',
      }),
    );
  return [data.length, ...(inner[0] ?? [])];
};

const constant = (data: Data, shape: Shape, dtype: DType): Tensor => {
  if (!shape.every((n) => Number.isInteger(n) && n >= 0) || sizeOf(shape) !== data.length)
    throw new ShapeError(
      sentence({
        where: 'tensor',
        needs: `${shape.every((n) => Number.isInteger(n) && n >= 0) ? sizeOf(shape) : 'a non-negative integer number of'} values for shape [${shape}]`,
        got: `${data.length} values`,
        advice: 'Check the shape.',
      }),
    );
  return { shape, dtype, depth: 0, source: { kind: 'constant', data } };
};

/** A scalar constant. */
export const scalar = (value: number, dtype: DType = 'f32'): Tensor =>
  constant(convert([value], dtype), [], dtype);

/** The vector start, start + step, … of `count` elements. */
export const arange = (count: number, start = 0, step = 1, dtype: DType = 'f32'): Tensor =>
  tensor(
    Array.from({ length: count }, (_, i) => start + i * step),
    { shape: [count], dtype },
  );

/** The same tensor under a name that errors and printed plans show. */
export const named = (t: Tensor, label: string): Tensor => ({ ...t, label });

/** The spec of a tensor alone. */
export const specOf = (t: Spec): Spec => ({ shape: t.shape, dtype: t.dtype });

/** A number as a scalar of the wanted dtype; tensors pass. */
export const asTensor = (value: TensorLike, dtype: DType = 'f32'): Tensor =>
  typeof value === 'number' ? scalar(value, dtype) : value;

/** How long a chain of unevaluated nodes may become before building throws. */
export const maxDepth = 100_000;

/**
 * One primitive applied to tensors: the node every op returns.
 *
 * Throws  what the primitive's shape rule throws; LifetimeError past `maxDepth` unevaluated nodes in a chain
 */
export const apply = <A extends Attrs>(op: Primitive<A>, inputs: readonly Tensor[], attrs: A): Tensor => {
  const spec = op.infer(inputs, attrs);
  let depth = 0;
  for (const t of inputs) depth = Math.max(depth, t.depth);
  if (depth >= maxDepth) throw new LifetimeError(tooDeep(inputs));
  const label = attrs.label;
  return {
    shape: spec.shape,
    dtype: spec.dtype,
    depth: depth + 1,
    source: { kind: 'apply', op: op as Primitive, inputs, attrs },
    ...(typeof label === 'string' ? { label } : {}),
  };
};

const tooDeep = (inputs: readonly Tensor[]): string => {
  let node = inputs.reduce((a, b) => (b.depth > a.depth ? b : a));
  for (;;) {
    if (node.source.kind !== 'apply') break;
    const below = node.source.inputs.filter((t) => t.depth > 0);
    if (below.length === 0) break;
    node = below.reduce((a, b) => (b.depth > a.depth ? b : a));
  }
  const oldest = node.label ?? (node.source.kind === 'apply' ? node.source.op.name : 'a leaf');
  return sentence({
    where: 'apply',
    needs: `fewer than ${maxDepth} unevaluated operations in a chain`,
    got: `a chain that began at ${oldest}`,
    advice: 'Evaluate the value now and then, or return it from a compiled function.',
  });
};

/** Throws DTypeError unless the spec has one of the dtypes. */
export const requireDType = (where: string, spec: Spec, allowed: readonly DType[], name = 'x'): void => {
  if (allowed.includes(spec.dtype)) return;
  throw new DTypeError(
    sentence({
      where,
      needs: `${name} of dtype ${allowed.join(' or ')}`,
      got: `${name} ${spec.dtype}[${spec.shape.join(',')}]`,
      advice: 'Convert it with cast.',
    }),
  );
};
