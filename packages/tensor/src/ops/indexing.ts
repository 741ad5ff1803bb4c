// Ops whose positions are data: gather, its adjoint scatterAdd, and the indices of the largest elements.
import { DTypeError, describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Primitive } from '../primitive.ts';
import { normalizeAxis, sizeOf } from '../shape.ts';
import type { Shape, Spec, Tensor } from '../tensor.ts';
import { apply, requireDType } from '../tensor.ts';
import { elementsOf } from './views.ts';

/** Attrs of gather: the axis that is indexed, after `batch` leading dimensions shared with the indices. */
export type GatherAttrs = { readonly axis: number; readonly batch: number };
/** Attrs of scatterAdd: as for gather, and the size of the axis in the result. */
export type ScatterAttrs = GatherAttrs & { readonly size: number };

/** How the loops of gather run: `batch` blocks, in each `outer` rows, `axis` entries there, `inner` elements each. */
export interface GatherExtents {
  readonly batch: number;
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
  /** Indices per batch. */
  readonly count: number;
}

/** The loop sizes of gathering from `shape` with indices of shape `indices`. */
export const gatherExtents = (shape: Shape, indices: Shape, attrs: GatherAttrs): GatherExtents => ({
  batch: sizeOf(shape.slice(0, attrs.batch)),
  outer: sizeOf(shape.slice(attrs.batch, attrs.axis)),
  axis: shape[attrs.axis]!,
  inner: sizeOf(shape.slice(attrs.axis + 1)),
  count: sizeOf(indices.slice(attrs.batch)),
});

const checkIndices = (where: string, x: Spec, indices: Spec, { axis, batch }: GatherAttrs): void => {
  const agree =
    indices.dtype === 'i32' &&
    batch <= axis &&
    indices.shape.length >= batch &&
    x.shape.slice(0, batch).every((n, d) => n === indices.shape[d]);
  if (agree) return;
  const ErrorType = indices.dtype === 'i32' ? ShapeError : DTypeError;
  throw new ErrorType(
    sentence({
      where,
      needs: `i32 indices that share ${batch} leading dimensions, and an axis after them`,
      got: `${describeInputs({ x, indices })}, axis ${axis}`,
      advice: 'Check axis and batchDims.',
    }),
  );
};

/** The primitive of `gather`. */
export const gatherOp: Primitive<GatherAttrs> = {
  name: 'gather',
  infer: ([x, indices], attrs) => {
    checkIndices('gather', x!, indices!, attrs);
    const shape = [
      ...x!.shape.slice(0, attrs.axis),
      ...indices!.shape.slice(attrs.batch),
      ...x!.shape.slice(attrs.axis + 1),
    ];
    return { shape, dtype: x!.dtype };
  },
  reference: ([x, indices], out, attrs) => {
    const { batch, outer, axis, inner, count } = gatherExtents(x!.shape, indices!.shape, attrs);
    const [from, at] = [elementsOf(x!), elementsOf(indices!)];
    let o = 0;
    for (let b = 0; b < batch; b++)
      for (let r = 0; r < outer; r++)
        for (let j = 0; j < count; j++) {
          const start = ((b * outer + r) * axis + at[b * count + j]!) * inner;
          for (let i = 0; i < inner; i++) out.data[o++] = from[start + i]!;
        }
  },
};

/** The primitive of `scatterAdd`. */
export const scatterAddOp: Primitive<ScatterAttrs> = {
  name: 'scatterAdd',
  infer: ([updates, indices], attrs) => {
    requireDType('scatterAdd', updates!, ['f32', 'i32'], 'updates');
    const places = indices!.shape.length - attrs.batch;
    const shape = [
      ...updates!.shape.slice(0, attrs.axis),
      attrs.size,
      ...updates!.shape.slice(attrs.axis + places),
    ];
    checkIndices('scatterAdd', { shape, dtype: updates!.dtype }, indices!, attrs);
    const expected = indices!.shape.slice(attrs.batch);
    const given = updates!.shape.slice(attrs.axis, attrs.axis + places);
    if (expected.join() !== given.join())
      throw new ShapeError(
        sentence({
          where: 'scatterAdd',
          needs: `updates with the indices' dimensions [${expected}] at axis ${attrs.axis}`,
          got: describeInputs({ updates: updates!, indices: indices! }),
          advice: 'Check axis and batchDims.',
        }),
      );
    return { shape, dtype: updates!.dtype };
  },
  reference: ([updates, indices], out, attrs) => {
    const { batch, outer, axis, inner, count } = gatherExtents(out.shape, indices!.shape, attrs);
    const [from, at] = [elementsOf(updates!), elementsOf(indices!)];
    const total = new Float64Array(out.data.length);
    let u = 0;
    for (let b = 0; b < batch; b++)
      for (let r = 0; r < outer; r++)
        for (let j = 0; j < count; j++) {
          const start = ((b * outer + r) * axis + at[b * count + j]!) * inner;
          for (let i = 0; i < inner; i++) total[start + i]! += from[u++]!;
        }
    for (let i = 0; i < total.length; i++) out.data[i] = total[i]!;
  },
};

/** Attrs of topKIndices, which works on the last axis. */
export type TopKAttrs = { readonly count: number };
/** The primitive of `topK`. */
export const topKIndicesOp: Primitive<TopKAttrs> = {
  name: 'topKIndices',
  infer: ([x], { count }) => {
    requireDType('topK', x!, ['f32', 'i32']);
    const length = x!.shape.at(-1);
    if (length === undefined || !Number.isInteger(count) || count < 0 || count > length)
      throw new ShapeError(
        sentence({
          where: 'topK',
          needs: `a last axis of at least ${count} elements`,
          got: describeInputs({ x: x! }),
          advice: 'Lower the count.',
        }),
      );
    return { shape: [...x!.shape.slice(0, -1), count], dtype: 'i32' };
  },
  reference: ([x], out, { count }) => {
    const length = x!.shape.at(-1)!;
    const from = elementsOf(x!);
    const rows = sizeOf(x!.shape.slice(0, -1));
    for (let row = 0; row < rows; row++) {
      const values = from.subarray(row * length, (row + 1) * length);
      const order = Array.from({ length }, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
      for (let k = 0; k < count; k++) out.data[row * count + k] = order[k]!;
    }
  },
};

/** Options of gather and scatterAdd. */
export interface GatherOptions {
  /** The indexed axis of the source; the first after the batch dimensions by default. */
  readonly axis?: number;
  /** Leading dimensions that source and indices share. */
  readonly batchDims?: number;
}

/**
 * The entries of `x` along an axis at the given indices.
 *
 * Shapes   x [...batch, ...outer, A, ...inner], indices i32[...batch, ...J] -> [...batch, ...outer, ...J, ...inner]
 * Units    indices must lie in [0, A): backends do not check them
 * Gradient to x, by scatterAdd; none to indices
 * Example  gather(table, tensor(new Int32Array([2, 0])))
 */
export const gather = (x: Tensor, indices: Tensor, options: GatherOptions = {}): Tensor => {
  const batch = options.batchDims ?? 0;
  const axis = normalizeAxis('gather', options.axis ?? batch, x.shape.length);
  return apply(gatherOp, [x, indices], { axis, batch });
};

/**
 * Zeros with the updates added at the indices along an axis of the given size: the adjoint of gather.
 *
 * Shapes   updates [...batch, ...outer, ...J, ...inner], indices i32[...batch, ...J] -> [...batch, ...outer, size, ...inner]
 * Gradient to updates, by gather; none to indices
 */
export const scatterAdd = (
  updates: Tensor,
  indices: Tensor,
  size: number,
  options: GatherOptions = {},
): Tensor => {
  const batch = options.batchDims ?? 0;
  const axis = normalizeAxis('scatterAdd', options.axis ?? batch, updates.shape.length + 1);
  return apply(scatterAddOp, [updates, indices], { axis, batch, size });
};

/**
 * The `count` largest elements along the last axis, in descending order, and their indices; of equals the lower index first.
 *
 * Gradient to x through the values
 */
export const topK = (x: Tensor, count: number): { readonly values: Tensor; readonly indices: Tensor } => {
  const indices = apply(topKIndicesOp, [x], { count });
  const batch = x.shape.length - 1;
  return { values: apply(gatherOp, [x, indices], { axis: batch, batch }), indices };
};
