// Assignments that give every location to one object or to none, and the losses that such assignments are trained with.
import type { Tensor } from '@autoassign/tensor';
import {
  arange,
  argMax,
  cast,
  clamp,
  div,
  equal,
  gather,
  less,
  logicalAnd,
  maximum,
  minimum,
  mul,
  select,
  sqrt,
  sub,
  sum,
} from '@autoassign/tensor';
import { component, decodeBoxes, encodeDistances } from '../geometry/boxes.ts';
import { giou } from '../geometry/iou.ts';
import type { Points } from '../geometry/points.ts';
import { crossEntropyOfLogits, type FocalOptions, focalCosts } from './focal.ts';
import type { Predictions, Targets } from './inputs.ts';
import { perLocation } from './prior.ts';

/** Which object every location answers for, at most one. */
export type Matches = {
  /** i32[N,R]: the number of the object among those of its image; of no meaning where the location is not positive. */
  readonly object: Tensor;
  /** bool[N,R] */
  readonly isPositive: Tensor;
  /** bool[N,R]: neither positive nor negative. */
  readonly isIgnored: Tensor;
};

/** Below every score of a candidate. */
const beneathAll = -1e30;

/**
 * For every location the candidate object of highest score, and whether there is one; of equal scores the first.
 *
 * Shapes   candidates bool[N,R,M], scores f32[N,R,M] or of a shape that broadcasts to it -> object i32[N,R], isPositive bool[N,R]
 * Gradient none
 */
export const bestCandidate = (
  candidates: Tensor,
  scores: Tensor,
): Pick<Matches, 'object' | 'isPositive'> => ({
  object: argMax(select(candidates, scores, beneathAll), 2),
  isPositive: less(0, sum(cast(candidates, 'f32'), 2)),
});

/** The sum over all locations of a batch, in two stages: one sum of many small terms loses digits in single precision. */
const sumAll = (perPlace: Tensor): Tensor => sum(sum(perPlace, 1));

/** The number of positive locations of the batch, at least 1. */
const positiveCount = ({ isPositive }: Matches): Tensor => clamp(sumAll(cast(isPositive, 'f32')), { min: 1 });

/** The box of the object that every location answers for f32[N,R,4]. */
const matchedBoxes = ({ object }: Matches, { boxes }: Targets): Tensor =>
  gather(boxes, object, { axis: 1, batchDims: 1 });

/**
 * Focal loss of all classes at all locations that are not ignored, divided by the number of positives.
 *
 * Shapes   logits f32[N,R,K], labels i32[N,M] -> scalar
 */
export const classificationTerm = (
  logits: Tensor,
  matches: Matches,
  { labels }: Targets,
  options: FocalOptions = {},
): Tensor => {
  const label = gather(labels, matches.object, { axis: 1, batchDims: 1 }); // [N,R]
  const ofClass = equal(perLocation(label), arange(logits.shape[2]!, 0, 1, 'i32')); // [N,R,K]
  const costs = focalCosts(logits, logicalAnd(ofClass, perLocation(matches.isPositive)), options);
  return div(sumAll(select(matches.isIgnored, 0, sum(costs, 2))), positiveCount(matches));
};

/**
 * 1 - GIoU of the predicted boxes of positive locations, weighted, divided by the sum of the weights.
 *
 * Shapes   distances f32[N,R,4], weights f32[N,R] of positive locations, at least 0 -> scalar
 * Gradient to distances, and to weights
 */
export const boxTerm = (
  distances: Tensor,
  matches: Matches,
  {
    points,
    targets,
    weights,
  }: { readonly points: Points; readonly targets: Targets; readonly weights: Tensor },
): Tensor => {
  const costs = sub(1, giou(decodeBoxes(points.locations, distances), matchedBoxes(matches, targets)));
  const counted = select(matches.isPositive, weights, 0);
  return div(sumAll(mul(counted, costs)), clamp(sumAll(counted), { min: smallestWeight }));
};

/** Sums of weights below this are not divided by. */
const smallestWeight = 1e-6;

/**
 * How near to the middle of their objects positive locations lie, 1 in the middle and towards 0 at the sides; 1 for all others.
 *
 * Shapes   -> f32[N,R]
 * Source   Tian et al., FCOS (2019), equation 3
 */
export const centerness = (matches: Matches, { locations }: Points, targets: Targets): Tensor => {
  const distances = encodeDistances(locations, matchedBoxes(matches, targets)); // [N,R,4]
  const [left, top, right, bottom] = [0, 1, 2, 3].map((side) =>
    // the others may lie outside of what they do not answer for
    select(matches.isPositive, component(distances, side), 1),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const across = div(minimum(left, right), maximum(left, right));
  const down = div(minimum(top, bottom), maximum(top, bottom));
  return sqrt(mul(across, down));
};

/** Binary cross entropy of the objectness map against the centreness of positive locations, divided by their number. */
export const centernessTerm = (objectness: Tensor, matches: Matches, targets: Tensor): Tensor =>
  div(
    sumAll(select(matches.isPositive, crossEntropyOfLogits(objectness, targets), 0)),
    positiveCount(matches),
  );

/** What `matchedLosses` works on. */
export interface Matched {
  readonly predictions: Predictions;
  readonly targets: Targets;
  readonly points: Points;
  readonly matches: Matches;
}

/** Options of losses on matches. */
export interface MatchedLossOptions extends FocalOptions {
  /** The factor of the box term. */
  readonly boxWeight?: number;
}

/** The terms of detectors with a centreness: class, box weighted by the centreness, and centreness, which the objectness map learns. */
export const centernessTerms = (
  { predictions, targets, points, matches }: Matched,
  options: MatchedLossOptions,
): Readonly<Record<'classification' | 'box' | 'centerness', Tensor>> => {
  const weights = centerness(matches, points, targets);
  const box = boxTerm(predictions.distances, matches, { points, targets, weights });
  return {
    classification: classificationTerm(predictions.logits, matches, targets, options),
    box: mul(box, options.boxWeight ?? 1),
    centerness: centernessTerm(predictions.objectness, matches, weights),
  };
};
