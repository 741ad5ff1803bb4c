// Stochastic gradient descent with momentum.
import type { Tree } from '@autoassign/tensor';
import { add, mapTree, mapTrees, mul, neg, zeros } from '@autoassign/tensor';
import type { ByPath, Transform } from './transform.ts';
import { atPath, mapWithPaths } from './transform.ts';

/** Options of `sgd`. */
export interface SgdOptions {
  /** The share of the velocity that a step keeps; 0 by default. */
  readonly momentum?: number;
  /** Added to the gradient as this multiple of the parameter; 0 by default. */
  readonly weightDecay?: ByPath;
  /** Multiplies the learning rate; 1 by default. */
  readonly rateScale?: ByPath;
}

/** The velocity of every parameter; no leaves without momentum. */
export type SgdState = { readonly velocity: Tree };

/**
 * Gradient descent: v = momentum v + g + decay p, then p - rate v.
 *
 * Source   PyTorch's SGD (no dampening, no Nesterov)
 * Example  sgd({ momentum: 0.9, weightDecay: (path) => (path.endsWith('weight') ? 1e-4 : 0) })
 */
export const sgd = ({
  momentum = 0,
  weightDecay = 0,
  rateScale = 1,
}: SgdOptions = {}): Transform<SgdState> => ({
  init: (params) => ({ velocity: momentum === 0 ? {} : mapTree(({ shape }) => zeros(shape), params) }),
  update: ({ grads, state, params, rate }) => {
    const decayed = mapWithPaths(
      (path, g, p) => {
        const decay = atPath(weightDecay, path);
        return decay === 0 ? g : add(g, mul(p!, decay));
      },
      grads,
      params,
    );
    const velocity =
      momentum === 0 ? decayed : mapTrees((g, v) => add(mul(v!, momentum), g!), decayed, state.velocity);
    const updates = mapWithPaths((path, v) => neg(mul(v, mul(rate, atPath(rateScale, path)))), velocity);
    return { updates, state: momentum === 0 ? state : { velocity } };
  },
});
