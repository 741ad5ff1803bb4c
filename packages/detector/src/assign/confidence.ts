// How sure the detector is: per class, and of an object's class and place together.
import type { Tensor } from '@autoassign/tensor';
import { exp, gather, mul, neg, sigmoid, sub } from '@autoassign/tensor';
import { pairwiseGiou } from '../geometry/iou.ts';
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
