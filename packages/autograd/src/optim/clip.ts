// Limits on gradients, as transforms to put before an optimiser.
import type { Tensor, Tree } from '@autoassign/tensor';
import {
  add,
  clamp,
  div,
  leaves,
  mapTree,
  minimum,
  mul,
  scalar,
  sqrt,
  square,
  sum,
} from '@autoassign/tensor';
import type { Transform } from './transform.ts';

/** The state of a transform that keeps nothing. */
export type NoState = Readonly<Record<never, never>>;

/** A transform of gradients that keeps nothing. */
const stateless = (transform: <T extends Tree>(grads: T) => T): Transform<NoState> => ({
  init: () => ({}),
  update: ({ grads, state }) => ({ updates: transform(grads), state }),
});

/** The Euclidean norm of all leaves together. */
export const globalNorm = (tree: Tree): Tensor =>
  sqrt(leaves(tree).reduce((total, leaf) => add(total, sum(square(leaf))), scalar(0)));

/**
 * Scales all gradients together so that their norm is at most `limit`.
 *
 * Source PyTorch's clip_grad_norm_: the factor is limit / (norm + 1e-6), at most 1
 */
export const clipByGlobalNorm = (limit: number): Transform<NoState> =>
  stateless((grads) => {
    const factor = minimum(div(limit, add(globalNorm(grads), 1e-6)), 1);
    return mapTree((g) => mul(g, factor), grads);
  });

/** Limits every element of the gradients to [-limit, limit]. */
export const clipByValue = (limit: number): Transform<NoState> =>
  stateless((grads) => mapTree((g) => clamp(g, { min: -limit, max: limit }), grads));
