// Parts of the network whose inner values are computed again in the backward pass instead of being kept.
import { checkpoint } from '@autoassign/autograd';
import type { Tensor, Tree } from '@autoassign/tensor';

/** What is computed again: nothing, or the inside of residual blocks and of the head's towers. */
export type Recompute = 'none' | 'blocks';

/** The part of a network, differentiated by computing it anew where that is wanted; it must take all its parameters as arguments. */
export const block = <Params extends Tree, Out extends Tree>(
  recompute: Recompute,
  part: (params: Params, x: Tensor) => Out,
): ((params: Params, x: Tensor) => Out) => (recompute === 'none' ? part : checkpoint(part));
