// Rules of reductions.
import type { ReduceAttrs, Shape, Tensor } from '@autoassign/tensor';
import { broadcastTo, cast, div, equal, maximum, reshape, select, sum } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

/** A reduced tensor repeated along the axes it was folded over. */
const unfold = (reduced: Tensor, shape: Shape, axes: readonly number[]): Tensor => {
  const kept = shape.map((n, d) => (axes.includes(d) ? 1 : n));
  return broadcastTo(reshape(reduced, kept), shape);
};

/** Every element gets the cotangent of the sum it is in. */
export const sumRule: VjpRule<ReduceAttrs> = (ct, [x], { axes }) => [unfold(ct, x!.shape, axes)];

/** Every element that equals the maximum gets an even share. */
export const reduceMaxRule: VjpRule<ReduceAttrs> = (ct, [x], { axes }, output) => {
  const isMax = equal(x!, unfold(output, x!.shape, axes));
  const winners = maximum(sum(cast(isMax, 'f32'), axes), 1); // a fold over nothing has none
  return [select(isMax, unfold(div(ct, winners), x!.shape, axes), 0)];
};
