// Focal loss and cross entropy of logits: what the comparators classify with.
import type { Tensor } from '@autoassign/tensor';
import { exp, mul, neg, select, softplus, sub } from '@autoassign/tensor';

/** Options of the focal loss. */
export interface FocalOptions {
  /** The factor of positives; negatives have 1 less this. 0.25 by default. */
  readonly focalAlpha?: number;
  /** How much less sure answers count: the exponent of 1 less the probability of the right answer. 2 by default. */
  readonly focalGamma?: number;
}

/**
 * The focal loss of every logit against 1 where `isPositive` holds, else against 0.
 *
 * Shapes   logits f32[...], isPositive bool[...] -> f32[...]
 * Gradient finite for every finite logit: no logarithm or power of a probability is taken
 * Source   Lin et al., Focal Loss for Dense Object Detection (2017), equation 5
 */
export const focalCosts = (logits: Tensor, isPositive: Tensor, options: FocalOptions = {}): Tensor => {
  const { focalAlpha = 0.25, focalGamma = 2 } = options;
  const rightLogit = select(isPositive, logits, neg(logits));
  const factor = select(isPositive, focalAlpha, 1 - focalAlpha);
  // with p the probability of the right answer, ln(1 - p) = -softplus(its logit) and -ln p = softplus(-its logit)
  const modulation = exp(mul(softplus(rightLogit), -focalGamma));
  return mul(factor, mul(modulation, softplus(neg(rightLogit))));
};

/**
 * Binary cross entropy of logits against targets in [0, 1].
 *
 * Shapes   logits f32[...], targets f32[...] -> f32[...]
 */
export const crossEntropyOfLogits = (logits: Tensor, targets: Tensor): Tensor =>
  sub(softplus(logits), mul(targets, logits));
