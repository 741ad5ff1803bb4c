// How sure the detector is: per class, and of an object's class and place together.
import type { Tensor } from '@autoassign/tensor';
import { exp, gather, mul, neg, sigmoid, stopGradient, sub } from '@autoassign/tensor';
import { pairwiseGiou } from '../geometry/iou.ts';
import type { Objectness } from '../lossConfig.ts';
import { perLocation } from './prior.ts';

/**
 * The probability of every class at every location: that of the class times that of there being an object at all.
 *
 * Shapes   logits f32[N,R,K], objectness f32[N,R] -> f32[N,R,K]
 * Source   AutoAssign (2020), implicit objectness
 */
export const jointConfidence = (logits: Tensor, objectness: Tensor): Tensor =>
  mul(sigmoid(logits), perLocation(sigmoid(objectness)));

/**
 * The probability of every class at every location with the objectness as a switch has it: a factor that learns through the
 * product (`implicit`), one that does not (`explicit`), or none (`off`).
 *
 * Shapes   logits f32[N,R,K], objectness f32[N,R] -> f32[N,R,K]
 * Gradient to logits; to objectness only when it is implicit
 */
export const classConfidence = (logits: Tensor, objectness: Tensor, kind: Objectness): Tensor => {
  if (kind === 'off') return sigmoid(logits);
  return jointConfidence(logits, kind === 'explicit' ? stopGradient(objectness) : objectness);
};

/**
 * How badly the predicted box of every location fits every object: weight * (1 - GIoU).
 *
 * Shapes   predicted f32[N,R,4], boxes f32[N,M,4] -> f32[N,R,M]
 */
export const localizationLoss = (predicted: Tensor, boxes: Tensor, weight: number): Tensor =>
  mul(sub(1, pairwiseGiou(predicted, boxes)), weight);

/**
 * The confidence of a location in an object: the joint confidence of the object's class times e^-localization.
 *
 * Shapes   joint f32[N,R,K], labels i32[N,M], localization f32[N,R,M] -> f32[N,R,M]
 * Source   AutoAssign (2020), eq. for P+: -ln is the sum of classification and localisation loss
 */
export const objectConfidence = (joint: Tensor, labels: Tensor, localization: Tensor): Tensor =>
  mul(gather(joint, labels, { axis: 2, batchDims: 1 }), exp(neg(localization)));
