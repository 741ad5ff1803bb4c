// Adam, and AdamW with decoupled weight decay.
import type { Tensor, Tree } from '@autoassign/tensor';
import { add, div, mapTree, mapTrees, mul, neg, sqrt, square, zeros } from '@autoassign/tensor';
import type { ByPath, Transform } from './transform.ts';
import { atPath, mapWithPaths } from './transform.ts';

/** Options of `adam` and `adamw`. */
export interface AdamOptions {
  /** The share of the mean gradient that a step keeps; 0.9 by default. */
  readonly beta1?: number;
  /** The share of the mean squared gradient that a step keeps; 0.999 by default. */
  readonly beta2?: number;
  /** Added to the root of the mean square; 1e-8 by default. */
  readonly epsilon?: number;
  /** 0 by default. */
  readonly weightDecay?: ByPath;
  /** Multiplies the learning rate; 1 by default. */
  readonly rateScale?: ByPath;
}

/** Decaying sums of gradients and squared gradients, and of the weights that their terms have had so far. */
export type AdamState = {
  readonly mean: Tree;
  readonly meanSquare: Tree;
  /** 1 - beta1^t */
  readonly meanWeight: Tensor;
  /** 1 - beta2^t */
  readonly squareWeight: Tensor;
};

/** `keep` of the old value and the rest of the new one. */
const blend = (keep: number, old: Tensor, value: Tensor | number): Tensor =>
  add(mul(old, keep), typeof value === 'number' ? value * (1 - keep) : mul(value, 1 - keep));

const adamWith = (
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, rateScale = 1 }: AdamOptions,
  isDecoupled: boolean,
): Transform<AdamState> => ({
  init: (params) => ({
    mean: mapTree(({ shape }) => zeros(shape), params),
    meanSquare: mapTree(({ shape }) => zeros(shape), params),
    meanWeight: zeros([]),
    squareWeight: zeros([]),
  }),
  update: ({ grads, state, params, rate }) => {
    /** value + decay * p */
    const withDecay = (path: string, value: Tensor, p: Tensor): Tensor => {
      const decay = atPath(weightDecay, path);
      return decay === 0 ? value : add(value, mul(p, decay));
    };
    const gradients = isDecoupled
      ? grads
      : mapWithPaths((path, g, p) => withDecay(path, g, p!), grads, params);
    const mean = mapTrees((g, m) => blend(beta1, m!, g!), gradients, state.mean);
    const meanSquare = mapTrees((g, s) => blend(beta2, s!, square(g!)), gradients, state.meanSquare);
    // 1 - beta^t by the recurrence of the means themselves: it rounds as they do, where a power in f32 would lose digits
    const meanWeight = blend(beta1, state.meanWeight, 1);
    const squareWeight = blend(beta2, state.squareWeight, 1);
    const step = (m: Tensor, s: Tensor): Tensor =>
      div(div(m, meanWeight), add(sqrt(div(s, squareWeight)), epsilon));
    const updates = mapWithPaths(
      (path, m, s, p) => {
        const direction = isDecoupled ? withDecay(path, step(m, s!), p!) : step(m, s!);
        return neg(mul(direction, mul(rate, atPath(rateScale, path))));
      },
      mean,
      meanSquare,
      params,
    );
    return { updates, state: { mean, meanSquare, meanWeight, squareWeight } };
  },
});

/**
 * Adam: p - rate mean / (√meanSquare + epsilon), both means corrected for their start at zero; decay is added to the gradient.
 *
 * Source   Kingma and Ba, Adam (2015), algorithm 1
 */
export const adam = (options: AdamOptions = {}): Transform<AdamState> => adamWith(options, false);

/**
 * AdamW: as Adam, but the decay is subtracted from the parameter itself, p - rate decay p, and does not enter the means.
 *
 * Source   Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2, scaled by the rate as in PyTorch
 * Example  adamw({ weightDecay: (path) => (path.endsWith('conv.weight') ? 0.02 : 0) })
 */
export const adamw = (options: AdamOptions = {}): Transform<AdamState> => adamWith(options, true);
