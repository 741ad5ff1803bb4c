// Ops that move elements and compute nothing: reshape, transpose, broadcastTo, slice, pad, concat.
import { describeSpec, ShapeError, sentence } from '../errors.ts';
import type { Layout, Primitive, View } from '../primitive.ts';
import { broadcastShapes, normalizeAxis, sameShape, sizeOf, stridesOf } from '../shape.ts';
import type { Shape, Spec, Tensor } from '../tensor.ts';
import { apply } from '../tensor.ts';
import { elementsOf, layoutView, positionsOf } from './views.ts';

const complain = (where: string, needs: string, x: Spec, advice: string): ShapeError =>
  new ShapeError(sentence({ where, needs, got: `x ${describeSpec(x)}`, advice }));

/** The reference of an op that is a relayout: read the input through the new layout. */
const throughLayout = (x: View, out: View, layout: Layout): void => {
  const moved = layoutView(x.data, out.shape, layout);
  (out.data as Float64Array).set(elementsOf(moved) as Float64Array);
};
const layoutOf = (x: View): Layout => ({ strides: x.stride, offset: x.offset });

/** Attrs of reshape and broadcastTo. */
export type ShapeAttrs = { readonly shape: Shape };

/** The primitive of `reshape`. */
export const reshapeOp: Primitive<ShapeAttrs> = {
  name: 'reshape',
  infer: ([x], { shape }) => {
    if (sizeOf(shape) !== sizeOf(x!.shape))
      throw complain('reshape', `${sizeOf(shape)} elements for shape [${shape}]`, x!, 'Check the sizes.');
    return { shape, dtype: x!.dtype };
  },
  reference: ([x], out) => {
    (out.data as Float64Array).set(elementsOf(x!) as Float64Array);
  },
  relayout: (layout, shape, attrs) => reshapeLayout(layout, shape, attrs.shape),
};

/** The layout of a reshaped strided array, when strides can express it: dimensions split, or merge where they are contiguous. */
const reshapeLayout = (layout: Layout, from: Shape, to: Shape): Layout | undefined => {
  if (sizeOf(to) === 0) return { strides: stridesOf(to), offset: layout.offset };
  const strides: number[] = new Array<number>(to.length).fill(0);
  let d = from.length - 1;
  let e = to.length - 1;
  while (d >= 0 || e >= 0) {
    if (d >= 0 && from[d] === 1) d--;
    else if (e >= 0 && to[e] === 1) e--;
    else {
      let have = from[d]!;
      let want = to[e]!;
      const start = d;
      const first = e;
      while (have !== want) {
        if (have < want) {
          d--;
          if (layout.strides[d] !== layout.strides[d + 1]! * from[d + 1]!) return undefined;
          have *= from[d]!;
        } else want *= to[--e]!;
      }
      let step = layout.strides[start]!;
      for (let k = first; k >= e; k--) {
        strides[k] = step;
        step *= to[k]!;
      }
      d--;
      e--;
    }
  }
  return { strides, offset: layout.offset };
};

/** Attrs of transpose: output dimension d is input dimension `axes[d]`. */
export type TransposeAttrs = { readonly axes: readonly number[] };
const permute = (layout: Layout, axes: readonly number[]): Layout => ({
  strides: axes.map((d) => layout.strides[d]!),
  offset: layout.offset,
});
/** The primitive of `transpose`. */
export const transposeOp: Primitive<TransposeAttrs> = {
  name: 'transpose',
  infer: ([x], { axes }) => {
    const rank = x!.shape.length;
    if (axes.length !== rank || new Set(axes).size !== rank || axes.some((d) => d < 0 || d >= rank))
      throw complain(
        'transpose',
        `axes that permute ${rank} dimensions, not [${axes}]`,
        x!,
        'Name each once.',
      );
    return { shape: axes.map((d) => x!.shape[d]!), dtype: x!.dtype };
  },
  reference: ([x], out, { axes }) => throughLayout(x!, out, permute(layoutOf(x!), axes)),
  relayout: (layout, _shape, { axes }) => permute(layout, axes),
};

const repeat = (layout: Layout, from: Shape, to: Shape): Layout => {
  const lead = to.length - from.length;
  return {
    strides: to.map((_, d) => (d < lead || from[d - lead] === 1 ? 0 : layout.strides[d - lead]!)),
    offset: layout.offset,
  };
};
/** The primitive of `broadcastTo`. */
export const broadcastToOp: Primitive<ShapeAttrs> = {
  name: 'broadcastTo',
  infer: ([x], { shape }) => {
    const joint = broadcastShapes(x!.shape, shape);
    if (joint === undefined || !sameShape(joint, shape))
      throw complain('broadcastTo', `a shape that broadcasts to [${shape}]`, x!, 'Reshape it first.');
    return { shape, dtype: x!.dtype };
  },
  reference: ([x], out, { shape }) => throughLayout(x!, out, repeat(layoutOf(x!), x!.shape, shape)),
  relayout: (layout, shape, attrs) => repeat(layout, shape, attrs.shape),
};

/** Attrs of slice: first index and count per dimension. */
export type SliceAttrs = { readonly begin: readonly number[]; readonly size: readonly number[] };
const cut = (layout: Layout, begin: readonly number[]): Layout => ({
  strides: layout.strides,
  offset: layout.offset + begin.reduce((sum, b, d) => sum + b * layout.strides[d]!, 0),
});
/** The primitive of `slice`. */
export const sliceOp: Primitive<SliceAttrs> = {
  name: 'slice',
  infer: ([x], { begin, size }) => {
    const { shape } = x!;
    const fits =
      begin.length === shape.length &&
      size.length === shape.length &&
      shape.every((n, d) => begin[d]! >= 0 && size[d]! >= 0 && begin[d]! + size[d]! <= n);
    if (!fits)
      throw complain('slice', `a range inside x, not begin [${begin}] size [${size}]`, x!, 'Clip the range.');
    return { shape: size, dtype: x!.dtype };
  },
  reference: ([x], out, { begin }) => throughLayout(x!, out, cut(layoutOf(x!), begin)),
  relayout: (layout, _shape, { begin }) => cut(layout, begin),
};

/** Attrs of pad: how many elements of `value` before and after every dimension. */
export type PadAttrs = {
  readonly before: readonly number[];
  readonly afterwards: readonly number[];
  readonly value: number;
};
/** The primitive of `pad`. */
export const padOp: Primitive<PadAttrs> = {
  name: 'pad',
  infer: ([x], { before, afterwards }) => {
    const { shape } = x!;
    const counts = [...before, ...afterwards];
    if (before.length !== shape.length || afterwards.length !== shape.length || counts.some((n) => n < 0))
      throw complain('pad', 'a non-negative pair of counts per dimension', x!, 'Use slice to cut.');
    return { shape: shape.map((n, d) => before[d]! + n + afterwards[d]!), dtype: x!.dtype };
  },
  reference: ([x], out, { before, value }) => {
    out.data.fill(value);
    writeAt(x!, out, before);
  },
};

/** Writes a view into a block of a larger contiguous one. */
const writeAt = (x: View, out: View, begin: readonly number[]): void => {
  const from = elementsOf(x);
  const to = positionsOf(x.shape, cut({ strides: out.stride, offset: out.offset }, begin));
  for (let i = 0; i < to.length; i++) out.data[to[i]!] = from[i]!;
};

/** Attrs of concat. */
export type ConcatAttrs = { readonly axis: number };
/** The primitive of `concat`. */
export const concatOp: Primitive<ConcatAttrs> = {
  name: 'concat',
  infer: (inputs, { axis }) => {
    const first = inputs[0]!;
    const agree = inputs.every(
      (x) =>
        x.dtype === first.dtype &&
        x.shape.length === first.shape.length &&
        x.shape.every((n, d) => d === axis || n === first.shape[d]),
    );
    if (!agree)
      throw new ShapeError(
        sentence({
          where: 'concat',
          needs: `inputs of one dtype that differ in axis ${axis} only`,
          got: inputs.map(describeSpec).join(', '),
          advice: 'Reshape or cast them first.',
        }),
      );
    const total = inputs.reduce((n, x) => n + x.shape[axis]!, 0);
    return { shape: first.shape.map((n, d) => (d === axis ? total : n)), dtype: first.dtype };
  },
  reference: (inputs, out, { axis }) => {
    let start = 0;
    for (const x of inputs) {
      writeAt(
        x,
        out,
        x.shape.map((_, d) => (d === axis ? start : 0)),
      );
      start += x.shape[axis]!;
    }
  },
};

/**
 * The same elements in row-major order under another shape; one size may be -1 and is then inferred.
 *
 * Throws ShapeError when the sizes do not multiply to the number of elements
 */
export const reshape = (x: Tensor, shape: Shape): Tensor => {
  const known = shape.reduce((n, size) => (size === -1 ? n : n * size), 1);
  const target = shape.map((size) => (size === -1 ? sizeOf(x.shape) / Math.max(known, 1) : size));
  if (shape.filter((size) => size === -1).length > 1 || target.some((n) => !Number.isInteger(n)))
    throw complain(
      'reshape',
      `a shape of its ${sizeOf(x.shape)} elements, not [${shape}]`,
      x,
      'Use at most one -1.',
    );
  return sameShape(x.shape, target) ? x : apply(reshapeOp, [x], { shape: target });
};

/** The tensor with its dimensions permuted; reversed when no axes are given. */
export const transpose = (x: Tensor, axes?: readonly number[]): Tensor => {
  const order = axes ?? x.shape.map((_, d) => x.shape.length - 1 - d);
  const positive = order.map((d) => normalizeAxis('transpose', d, x.shape.length));
  return apply(transposeOp, [x], { axes: positive });
};

/** The tensor repeated to a larger shape by NumPy's broadcasting rules. */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : apply(broadcastToOp, [x], { shape });

/** The block that starts at `begin` and has shape `size`; a size of -1 reaches to the end. */
export const slice = (x: Tensor, begin: readonly number[], size: readonly number[]): Tensor =>
  apply(sliceOp, [x], {
    begin,
    size: size.map((n, d) => (n === -1 ? (x.shape[d] ?? 0) - (begin[d] ?? 0) : n)),
  });

/** The tensor with `paddings[d] = [before, after]` elements of `value` around it. */
export const pad = (x: Tensor, paddings: readonly (readonly [number, number])[], value = 0): Tensor =>
  apply(padOp, [x], { before: paddings.map(([n]) => n), afterwards: paddings.map(([, n]) => n), value });

/** The tensors one after the other along an axis. */
export const concat = (tensors: readonly Tensor[], axis = 0): Tensor => {
  if (tensors.length === 0)
    throw new ShapeError(
      sentence({ where: 'concat', needs: 'at least one tensor', got: 'none', advice: 'Check the list.' }),
    );
  const positive = normalizeAxis('concat', axis, tensors[0]!.shape.length);
  return tensors.length === 1 ? tensors[0]! : apply(concatOp, tensors, { axis: positive });
};
