// FreeAnchor on the same network: every object has a bag of locations, and the likelihood that one of them finds it is maximised.
import type { Tensor } from '@autoassign/tensor';
import {
  arange,
  cast,
  clamp,
  div,
  equal,
  less,
  logicalAnd,
  max,
  mul,
  ones,
  reshape,
  scatterAdd,
  select,
  sigmoid,
  square,
  stopGradient,
  sub,
  sum,
  topK,
  transpose,
} from '@autoassign/tensor';
import { decodeBoxes } from '../geometry/boxes.ts';
import { pairwiseIou } from '../geometry/iou.ts';
import type { Points } from '../geometry/points.ts';
import { anchorOverlap, octaveScales } from './anchors.ts';
import { localizationLoss, objectConfidence } from './confidence.ts';
import { crossEntropyToOne, crossEntropyToZero } from './crossEntropy.ts';
import type { Predictions, Targets } from './inputs.ts';
import { requireInputs, tidyTargets } from './inputs.ts';
import { type Losses, lossesOf } from './losses.ts';
import { hasCandidates, perObject } from './prior.ts';
import { normalizedPrior, smallest } from './weights.ts';

/** Options of `freeAnchorLoss`. */
export interface FreeAnchorOptions {
  /** How many locations an object's bag holds; 16 by default. */
  readonly bagSize?: number;
  /** The sides of a location's square anchors, in strides; by default 4, 5.04 and 6.35, a third of an octave apart. */
  readonly anchorScales?: readonly number[];
  /** The factor of 1 - GIoU in the likelihood of a box; 5 by default, as in AutoAssign. */
  readonly localizationWeight?: number;
  /** From this IoU on a predicted box may be one of an object; 0.6 by default. */
  readonly boxThreshold?: number;
  /** The factor of the positive term; the negative one has 1 less this. 0.5 by default. */
  readonly positiveShare?: number;
}

/** Sides of ranges of IoU that are not divided by. */
const smallestRange = 1e-6;

/**
 * The locations of every object's bag: those of highest IoU with it, of equals the first, none without any overlap.
 *
 * Shapes   overlap f32[N,R,M] -> bool[N,R,M]
 * Gradient none
 * Source   Zhang et al., FreeAnchor (2019), section 3.3
 */
export const anchorBags = (overlap: Tensor, size: number): Tensor => {
  const [images, locations, objects] = overlap.shape as [number, number, number];
  const count = Math.min(size, locations);
  const { indices } = topK(transpose(overlap, [0, 2, 1]), count); // [N,M,k]
  const marks = scatterAdd(ones([images, objects, count]), indices, locations, { axis: 2, batchDims: 2 });
  return logicalAnd(transpose(less(0, marks), [0, 2, 1]), less(0, overlap));
};

/**
 * How much every location of a bag counts: 1 / (1 - likelihood), normalised. Early, when all are unlikely, that is their mean, later
 * their maximum.
 *
 * Shapes   likelihood f32[N,R,M], bags bool[N,R,M] -> f32[N,R,M], which sums to 1 over a bag, 0 outside
 * Gradient to likelihood: the weights are not detached
 * Source   Zhang et al., FreeAnchor (2019), equation 7, Mean-max
 */
export const meanMaxWeights = (likelihood: Tensor, bags: Tensor): Tensor =>
  normalizedPrior(select(bags, div(1, clamp(sub(1, likelihood), { min: smallest })), 0));

/**
 * How likely every location's predicted box is one of an object of each class: from 0 at the threshold to 1 at the best IoU of all
 * locations with that object, the largest of all objects of the class.
 *
 * Shapes   overlap f32[N,R,M] of predicted boxes, labels i32[N,M], valid bool[N,M] -> f32[N,R,K]
 * Gradient none
 * Source   Zhang et al., FreeAnchor (2019), the saturated linear function of section 3.2
 */
export const boxLikelihood = (
  overlap: Tensor,
  { labels, valid }: Targets,
  { classes, threshold }: { readonly classes: number; readonly threshold: number },
): Tensor => {
  const [images, locations, objects] = overlap.shape as [number, number, number];
  const most = max(overlap, 1, { keepDims: true }); // [N,1,M]
  const range = clamp(sub(most, threshold), { min: smallestRange });
  const stretched = clamp(div(sub(overlap, threshold), range), { min: 0, max: 1 });
  const counted = select(perObject(valid), stretched, 0); // [N,R,M]
  const ofClass = equal(reshape(labels, [images, 1, 1, objects]), arangeColumn(classes)); // [N,1,K,M]
  const all = select(ofClass, reshape(counted, [images, locations, 1, objects]), 0);
  return stopGradient(max(all, 3));
};

/** 0, 1, … as a column i32[count,1]. */
const arangeColumn = (count: number): Tensor => reshape(arange(count, 0, 1, 'i32'), [count, 1]);

/** Every object's bag, and how likely its locations and the bag as a whole find the object. */
export type Bags = {
  /** bool[N,R,M] */
  readonly bags: Tensor;
  /** f32[N,R,M]: the weight of every location in its bag. */
  readonly weights: Tensor;
  /** f32[N,M]: 0 for an empty bag. */
  readonly ofBag: Tensor;
};

/** The bags of all objects and their likelihoods. */
export const freeAnchorBags = (
  predictions: Predictions,
  targets: Targets,
  points: Points,
  { bagSize = 16, anchorScales = octaveScales, localizationWeight = 5 }: FreeAnchorOptions = {},
): Bags => {
  const objects = tidyTargets(targets);
  const boxes = decodeBoxes(points.locations, predictions.distances);
  const localization = localizationLoss(boxes, objects.boxes, localizationWeight);
  const likelihood = objectConfidence(sigmoid(predictions.logits), objects.labels, localization); // [N,R,M]
  const bags = anchorBags(anchorOverlap(points, objects, anchorScales), bagSize);
  const weights = meanMaxWeights(likelihood, bags);
  return { bags, weights, ofBag: sum(mul(weights, likelihood), 1) };
};

/**
 * The loss of FreeAnchor of a batch on this head: -ln of every bag's likelihood, and focal loss against 0 of what finds no object. The
 * objectness map is not used; an object whose bag is empty costs nothing.
 *
 * Shapes   predictions logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4]; points locations f32[R,2], strides f32[R];
 *          targets boxes f32[N,M,4], labels i32[N,M], valid bool[N,M] -> scalars
 * Units    boxes, distances and locations in pixels of the padded image
 * Gradient to logits and distances; none through the likelihood of boxes in the negative term
 * Throws   ShapeError when the inputs do not fit together
 * Source   Zhang et al., FreeAnchor (2019), equation 9; e^(-5 (1 - GIoU)) of distances for the likelihood of smooth L1 of offsets, bags of
 *          16 locations for 50 anchors, of which a location of theirs has nine
 * Example  freeAnchorLoss(predictions, targets, locations(levels)).total
 */
export const freeAnchorLoss = (
  predictions: Predictions,
  targets: Targets,
  points: Points,
  options: FreeAnchorOptions = {},
): Losses => {
  const { bagSize = 16, boxThreshold = 0.6, positiveShare = 0.5 } = options;
  requireInputs('freeAnchorLoss', predictions, targets, undefined, points);
  const { bags, ofBag } = freeAnchorBags(predictions, targets, points, options);
  // An empty bag has the likelihood 1 here, so that its logarithm is 0 and takes no gradient.
  const positive = sum(crossEntropyToOne(select(hasCandidates(bags), ofBag, 1)));

  const objects = tidyTargets(targets);
  const boxes = decodeBoxes(points.locations, predictions.distances);
  const classes = predictions.logits.shape[2]!;
  const overlap = stopGradient(pairwiseIou(boxes, objects.boxes));
  const found = boxLikelihood(overlap, objects, { classes, threshold: boxThreshold });
  const wrong = mul(sigmoid(predictions.logits), sub(1, found));
  const negative = sum(sum(sum(mul(square(wrong), crossEntropyToZero(wrong)), 2), 1));
  const count = clamp(sum(cast(objects.valid, 'f32')), { min: 1 });
  return lossesOf({
    positive: mul(div(positive, count), positiveShare),
    negative: mul(div(negative, count), (1 - positiveShare) / bagSize),
  });
};
