// Views of the reference backend: making them, walking them, reading them as flat lists.
import ndarray from 'ndarray';
import type { Layout, View } from '../primitive.ts';
import { sizeOf, stridesOf } from '../shape.ts';
import type { Data, Shape } from '../tensor.ts';

/** A contiguous view of the data. */
export const viewOf = (data: Data, shape: Shape): View => ndarray(data, [...shape], stridesOf(shape));

/** A view of the data with the given layout. */
export const layoutView = (data: Data, shape: Shape, layout: Layout): View =>
  ndarray(data, [...shape], [...layout.strides], layout.offset);

/** Flat positions, in the view's storage, of its elements in row-major order. */
export const positionsOf = (shape: Shape, layout: Layout): Int32Array => {
  const positions = new Int32Array(sizeOf(shape));
  const index = new Int32Array(shape.length);
  let position = layout.offset;
  for (let i = 0; i < positions.length; i++) {
    positions[i] = position;
    for (let d = shape.length - 1; d >= 0; d--) {
      position += layout.strides[d]!;
      if (++index[d]! < shape[d]!) break;
      position -= layout.strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return positions;
};

const emptyLike = (data: Data, length: number): Data => {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof Float64Array) return new Float64Array(length);
  return data instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
};

/** The elements of a view in row-major order; the storage itself when it is contiguous from its start. */
export const elementsOf = (view: View): Data => {
  const strides = stridesOf(view.shape);
  const contiguous =
    view.offset === 0 && view.data.length === view.size && strides.every((s, d) => s === view.stride[d]);
  if (contiguous) return view.data;
  // one repeated element, the most common broadcast by far
  if (view.size > 0 && view.stride.every((s) => s === 0))
    return emptyLike(view.data, view.size).fill(view.data[view.offset]!);
  const positions = positionsOf(view.shape, { strides: view.stride, offset: view.offset });
  const copy = emptyLike(view.data, positions.length);
  for (let i = 0; i < positions.length; i++) copy[i] = view.data[positions[i]!]!;
  return copy;
};
