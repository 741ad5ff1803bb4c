// Tensors of PyTorch's files: descriptions checked against their storage, and their numbers in row-major order.
import type { StoredData, StoredTensor } from '../safetensors.ts';
import { elementTypes } from '../safetensors.ts';
import type { Refuse, TorchTensor, TorchValue } from './values.ts';
import { describeValue, isKind } from './values.ts';

/** PyTorch's own limit of dimensions. */
const mostDimensions = 64;

const isCount = (value: TorchValue | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

const countsOf = (value: TorchValue | undefined, what: string, refuse: Refuse): number[] => {
  if (!Array.isArray(value) || value.length > mostDimensions || !value.every(isCount)) {
    const found = Array.isArray(value)
      ? `[${value.slice(0, mostDimensions).map(describeValue)}]`
      : describeValue(value);
    return refuse(`${what} of at most ${mostDimensions} non-negative integers`, found);
  }
  return value;
};

/**
 * The tensor that the arguments of PyTorch's own function describe: storage, offset, size, stride, and whether it has a gradient.
 *
 * Throws   what `refuse` throws, when a number is negative or no integer, or the tensor reaches beyond its storage
 */
export const tensorOf = (
  [storage, offset, size, stride, requiresGrad]: readonly TorchValue[],
  refuse: Refuse,
): TorchTensor => {
  if (!isKind(storage, 'storage')) return refuse('a storage for a tensor', describeValue(storage));
  if (!isCount(offset)) return refuse('a non-negative offset of a tensor', describeValue(offset));
  const shape = countsOf(size, 'a shape', refuse);
  const steps = countsOf(stride, 'strides', refuse);
  if (steps.length !== shape.length)
    refuse(`${shape.length} strides for the shape [${shape.join(',')}]`, `${steps.length}`);
  // sums beyond 2^53 are too large whatever their last digits
  const last = shape.reduce((sum, n, i) => sum + (n - 1) * steps[i]!, offset);
  const isEmpty = shape.includes(0);
  if (isEmpty ? offset > storage.length : last >= storage.length)
    refuse(
      `a tensor within its storage '${storage.key}' of ${storage.length} elements`,
      `offset ${offset}, shape [${shape.join(',')}], strides [${steps.join(',')}]`,
    );
  return {
    kind: 'tensor',
    dtype: storage.dtype,
    shape,
    stride: steps,
    offset,
    storage,
    requiresGrad: requiresGrad === true,
    isParameter: false,
  };
};

/** The number of elements of a tensor. */
export const countOf = ({ shape }: Pick<TorchTensor, 'shape'>): number =>
  shape.reduce((product, n) => product * n, 1);

/** Whether a tensor's elements stand one after the other in row-major order. */
const isContiguous = ({ shape, stride }: TorchTensor): boolean => {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
};

/** The array of a tensor: a view of its storage's elements where they stand in order, else a copy. */
export const arrayIn = (tensor: TorchTensor, elements: StoredData): StoredTensor => {
  const { dtype, shape, offset, storage } = tensor;
  const count = countOf(tensor);
  const from = storage.start + offset;
  const isView = count === 0 || isContiguous(tensor);
  const data = isView ? elements.subarray(from, from + count) : gathered(tensor, elements, from);
  return { dtype, shape, data };
};

const gathered = (tensor: TorchTensor, elements: StoredData, from: number): StoredData => {
  const { dtype, shape, stride } = tensor;
  const result = new elementTypes[dtype](countOf(tensor));
  const [to, source] = [result as Float64Array, elements as Float64Array]; // of one type, whichever it is
  const index = shape.map(() => 0);
  const [inner, step] = [shape.at(-1)!, stride.at(-1)!];
  for (let at = from, done = 0; done < result.length; done += inner) {
    for (let i = 0; i < inner; i++) to[done + i] = source[at + i * step]!;
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      index[axis]! += 1;
      at += stride[axis]!;
      if (index[axis]! < shape[axis]!) break;
      at -= index[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
  return result;
};

/** The bytes of a storage as its elements, turned where they are big-endian. The bytes become those of the elements. */
export const elementsOf = (
  bytes: Uint8Array,
  { dtype, isBigEndian }: { readonly dtype: TorchTensor['dtype']; readonly isBigEndian: boolean },
): StoredData => {
  const Type = elementTypes[dtype];
  const isAligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0;
  // a view of the caller's bytes would change with them
  const owned = isAligned && bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
  if (isBigEndian) turn(owned, Type.BYTES_PER_ELEMENT);
  return new Type(owned.buffer as ArrayBuffer, owned.byteOffset, owned.length / Type.BYTES_PER_ELEMENT);
};

/** Turns the bytes of every element around. */
const turn = (bytes: Uint8Array, width: number): void => {
  if (width === 1) return;
  for (let at = 0; at < bytes.length; at += width)
    for (let i = 0; i < width / 2; i++) {
      const other = at + width - 1 - i;
      [bytes[at + i], bytes[other]] = [bytes[other]!, bytes[at + i]!];
    }
};
