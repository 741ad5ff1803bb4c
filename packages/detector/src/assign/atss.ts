// ATSS on the same network: every object chooses its own IoU threshold among the anchors nearest to its middle.
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  concat,
  div,
  less,
  lessEqual,
  logicalAnd,
  neg,
  ones,
  scalar,
  scatterAdd,
  select,
  slice,
  sqrt,
  square,
  sub,
  sum,
  topK,
  transpose,
  zeros,
} from '@autoassign/tensor';
import { boxCenters, component } from '../geometry/boxes.ts';
import type { PyramidPoints } from '../geometry/points.ts';
import { anchorOverlap } from './anchors.ts';
import type { Predictions, Targets } from './inputs.ts';
import { requireInputs, tidyTargets } from './inputs.ts';
import { type Losses, lossesOf } from './losses.ts';
import { bestCandidate, centernessTerms, type MatchedLossOptions, type Matches } from './matches.ts';
import { insideObjects, perLocation, perObject } from './prior.ts';

/** Options of `atssMatches`. */
export interface AtssMatchOptions {
  /** How many locations of every level, those nearest to its middle, an object looks at; 9 by default. */
  readonly candidatesPerLevel?: number;
  /**
   * The side of the anchor around every location, in strides; 8 by default. On two levels an object within all anchors reaches no
   * threshold: its IoU is one of two values, and the larger lies below mean plus deviation.
   */
  readonly anchorScale?: number;
}

/** Options of `atssLoss`. */
export interface AtssOptions extends AtssMatchOptions, MatchedLossOptions {}

/** The nearest locations of every level for every object, as a mask bool[N,R,M], and how many they are. */
const nearestPerLevel = (
  { locations, levels }: PyramidPoints,
  { boxes }: Targets,
  count: number,
): { readonly isNear: Tensor; readonly total: number } => {
  const centers = boxCenters(boxes);
  const squares = [0, 1].map((axis) =>
    square(sub(perLocation(component(locations, axis)), perObject(component(centers, axis)))),
  ) as [Tensor, Tensor];
  const nearness = transpose(neg(add(...squares)), [0, 2, 1]); // [N,M,R]
  const [images, objects, all] = nearness.shape as [number, number, number];
  let start = 0;
  const found = levels.map(({ height, width }) => {
    const end = start + height * width;
    const ofLevel = slice(nearness, [0, 0, start], [images, objects, end - start]);
    const { indices } = topK(ofLevel, Math.min(count, end - start));
    const shifted = add(indices, scalar(start, 'i32'));
    start = end;
    return shifted;
  });
  const indices = concat(found, 2); // [N,M,T]
  const marks = scatterAdd(ones(indices.shape), indices, all, { axis: 2, batchDims: 2 });
  return { isNear: transpose(less(0, marks), [0, 2, 1]), total: indices.shape[2]! };
};

/**
 * The object of every location by ATSS: the location is among the nearest of its level to the object's middle, inside it, and its
 * anchor's IoU is at least the mean plus the standard deviation of those of all such locations; of several objects the one of highest
 * IoU, of equal ones the first.
 *
 * Shapes   points locations f32[R,2], strides f32[R]; targets boxes f32[N,M,4], labels i32[N,M], valid bool[N,M] -> see Matches
 * Units    points and boxes in pixels of the padded image
 * Gradient none
 * Source   Zhang et al., ATSS (2020), algorithm 1; the deviation is that of a sample, as in the authors' code
 */
export const atssMatches = (
  points: PyramidPoints,
  targets: Targets,
  { candidatesPerLevel = 9, anchorScale = 8 }: AtssMatchOptions = {},
): Matches => {
  const objects = tidyTargets(targets);
  const { isNear, total } = nearestPerLevel(points, objects, candidatesPerLevel);
  const overlap = anchorOverlap(points, objects, [anchorScale]); // [N,R,M]
  const mean = div(sum(select(isNear, overlap, 0), 1, { keepDims: true }), total); // [N,1,M]
  const spread = sum(select(isNear, square(sub(overlap, mean)), 0), 1, { keepDims: true });
  const threshold = add(mean, sqrt(div(spread, Math.max(1, total - 1))));
  const isGood = logicalAnd(isNear, lessEqual(threshold, overlap));
  const found = bestCandidate(logicalAnd(isGood, insideObjects(points, objects)), overlap);
  return { ...found, isIgnored: zeros(found.isPositive.shape, 'bool') };
};

/**
 * The loss of ATSS of a batch: focal loss, GIoU loss weighted by centreness, and centreness on the objectness map.
 *
 * The head predicts distances from locations, which lie at the corners of their cells; anchors serve the assignment alone.
 *
 * Shapes   predictions logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4]; targets as for `atssMatches` -> scalars
 * Gradient to all predictions
 * Throws   ShapeError when the inputs do not fit together
 * Source   Zhang et al., ATSS (2020), the form without anchors' boxes; the box term's factor 2 is the authors'
 * Example  atssLoss(predictions, targets, { ...locations(levels), levels }).total
 */
export const atssLoss = (
  predictions: Predictions,
  targets: Targets,
  points: PyramidPoints,
  options: AtssOptions = {},
): Losses => {
  requireInputs('atssLoss', predictions, targets, undefined, points);
  const matches = atssMatches(points, targets, options);
  const matched = { predictions, targets: tidyTargets(targets), points, matches };
  return lossesOf(centernessTerms(matched, { boxWeight: 2, ...options }));
};
