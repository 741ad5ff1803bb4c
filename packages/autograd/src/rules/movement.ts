// Rules of ops that move elements: each one's rule moves them back, and adds where elements were repeated.
import type { ConcatAttrs, PadAttrs, ShapeAttrs, SliceAttrs, TransposeAttrs } from '@autoassign/tensor';
import { pad, reshape, slice, sum, transpose } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

/** The cotangent in the shape of the input. */
export const reshapeRule: VjpRule<ShapeAttrs> = (ct, [x]) => [reshape(ct, x!.shape)];

/** The cotangent with the axes put back. */
export const transposeRule: VjpRule<TransposeAttrs> = (ct, _inputs, { axes }) => [
  transpose(
    ct,
    axes.map((_, d) => axes.indexOf(d)),
  ),
];

/** The cotangent summed over the axes that were repeated. */
export const broadcastToRule: VjpRule<ShapeAttrs> = (ct, [x], { shape }) => {
  const lead = shape.length - x!.shape.length;
  const repeated = shape.map((_, d) => d).filter((d) => d < lead || x!.shape[d - lead] !== shape[d]);
  return [reshape(sum(ct, repeated), x!.shape)];
};

/** The cotangent with zeros around it, where the slice left elements out. */
export const sliceRule: VjpRule<SliceAttrs> = (ct, [x], { begin, size }) => [
  pad(
    ct,
    x!.shape.map((n, d) => [begin[d]!, n - begin[d]! - size[d]!]),
  ),
];

/** The cotangent without the padding. */
export const padRule: VjpRule<PadAttrs> = (ct, [x], { before }) => [slice(ct, before, x!.shape)];

/** Each input gets its part of the cotangent. */
export const concatRule: VjpRule<ConcatAttrs> = (ct, inputs, { axis }) => {
  let start = 0;
  return inputs.map(({ shape }) => {
    const begin = shape.map((_, d) => (d === axis ? start : 0));
    start += shape[axis]!;
    return slice(ct, begin, shape);
  });
};
