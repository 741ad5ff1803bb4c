// Rules of ops that move elements: each one's rule moves them back, and adds where elements were repeated.
import type { ConcatAttrs, PadAttrs, ShapeAttrs, SliceAttrs, TransposeAttrs } from '@autoassign/tensor';
import { pad, reshape, slice, sum, transpose } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

export const reshapeRule: VjpRule<ShapeAttrs> = (ct, [x]) => [reshape(ct, x!.shape)];

export const transposeRule: VjpRule<TransposeAttrs> = (ct, _inputs, { axes }) => [
  transpose(
    ct,
    axes.map((_, d) => axes.indexOf(d)),
  ),
];

export const broadcastToRule: VjpRule<ShapeAttrs> = (ct, [x], { shape }) => {
  const lead = shape.length - x!.shape.length;
  const repeated = shape.map((_, d) => d).filter((d) => d < lead || x!.shape[d - lead] !== shape[d]);
  return [reshape(sum(ct, repeated), x!.shape)];
};

export const sliceRule: VjpRule<SliceAttrs> = (ct, [x], { begin, size }) => [
  pad(
    ct,
    x!.shape.map((n, d) => [begin[d]!, n - begin[d]! - size[d]!]),
  ),
];

export const padRule: VjpRule<PadAttrs> = (ct, [x], { before }) => [slice(ct, before, x!.shape)];

export const concatRule: VjpRule<ConcatAttrs> = (ct, inputs, { axis }) => {
  let start = 0;
  return inputs.map(({ shape }) => {
    const begin = shape.map((_, d) => (d === axis ? start : 0));
    start += shape[axis]!;
    return slice(ct, begin, shape);
  });
};
