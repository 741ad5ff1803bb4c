// FCOS on the same network: locations near the middle of objects of their level's size answer for them.
import type { Tensor } from '@autoassign/tensor';
import { abs, less, lessEqual, logicalAnd, maximum, mul, neg, sub, tensor, zeros } from '@autoassign/tensor';
import { boxAreas, boxCenters, component, sidesOf } from '../geometry/boxes.ts';
import type { FeatureLevel, Points, PyramidPoints } from '../geometry/points.ts';
import type { Predictions, Targets } from './inputs.ts';
import { requireInputs, tidyTargets } from './inputs.ts';
import { type Losses, lossesOf } from './losses.ts';
import { bestCandidate, centernessTerms, type MatchedLossOptions, type Matches } from './matches.ts';
import { insideObjects, perLocation, perObject } from './prior.ts';

/** Options of `fcosMatches`. */
export interface FcosMatchOptions {
  /** How far from an object's middle its locations may lie, in strides of their level, along either axis; 1.5 by default. */
  readonly centerRadius?: number;
  /** The farthest side of an object that a level answers for, in its strides; that of the level before is the nearest. 8 by default. */
  readonly rangeFactor?: number;
}

/** Options of `fcosLoss`. */
export interface FcosOptions extends FcosMatchOptions, MatchedLossOptions {}

/** Farther than any side of an object. */
const beyondAll = 1e30;

/** A number per level as a tensor f32[R]. */
const perLevel = (levels: readonly FeatureLevel[], numberOf: (level: number) => number): Tensor =>
  tensor(
    levels.flatMap(({ height, width }, level) => new Array<number>(height * width).fill(numberOf(level))),
  );

/** Whether a location lies in the square of so many strides around an object's middle: bool[N,R,M]. */
const nearCenters = ({ locations, strides }: Points, { boxes }: Targets, radius: number): Tensor => {
  const centers = boxCenters(boxes);
  const away = [0, 1].map((axis) =>
    abs(sub(perLocation(component(locations, axis)), perObject(component(centers, axis)))),
  ) as [Tensor, Tensor];
  return less(maximum(...away), perLocation(mul(strides, radius)));
};

/** Whether an object's farthest side from a location is within the range of the location's level: bool[N,R,M]. */
const inScaleRange = ({ locations, levels }: PyramidPoints, { boxes }: Targets, factor: number): Tensor => {
  const { left, top, right, bottom } = sidesOf(boxes);
  const x = perLocation(component(locations, 0));
  const y = perLocation(component(locations, 1));
  const across = maximum(sub(x, perObject(left)), sub(perObject(right), x));
  const reach = maximum(across, maximum(sub(y, perObject(top)), sub(perObject(bottom), y))); // [N,R,M]
  const upTo = (level: number): number =>
    level < levels.length - 1 ? factor * levels[level]!.stride : beyondAll;
  const least = perLocation(perLevel(levels, (level) => (level === 0 ? 0 : upTo(level - 1))));
  const most = perLocation(perLevel(levels, upTo));
  return logicalAnd(lessEqual(least, reach), lessEqual(reach, most));
};

/**
 * The object of every location by FCOS: it contains the location, near its middle, and its farthest side is in the range of the
 * location's level; of several the one of smallest area, of equal ones the first.
 *
 * Shapes   points locations f32[R,2], strides f32[R]; targets boxes f32[N,M,4], labels i32[N,M], valid bool[N,M] -> see Matches
 * Units    points and boxes in pixels of the padded image
 * Gradient none
 * Source   Tian et al., FCOS (2019), section 3, with the centre sampling of its later version
 */
export const fcosMatches = (
  points: PyramidPoints,
  targets: Targets,
  { centerRadius = 1.5, rangeFactor = 8 }: FcosMatchOptions = {},
): Matches => {
  const objects = tidyTargets(targets);
  const isNear = nearCenters(points, objects, centerRadius);
  const isSized = inScaleRange(points, objects, rangeFactor);
  const candidates = logicalAnd(insideObjects(points, objects), logicalAnd(isNear, isSized));
  const found = bestCandidate(candidates, neg(perObject(boxAreas(objects.boxes))));
  return { ...found, isIgnored: zeros(found.isPositive.shape, 'bool') };
};

/**
 * The loss of FCOS of a batch: focal loss, GIoU loss weighted by centreness, and centreness on the objectness map.
 *
 * Locations lie at the corners of their cells and distances are those of this head (cut at 0, not exponentials), as for AutoAssign.
 *
 * Shapes   predictions logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4]; targets as for `fcosMatches` -> scalars
 * Gradient to all predictions
 * Throws   ShapeError when the inputs do not fit together
 * Source   Tian et al., FCOS (2019); GIoU instead of IoU and the weights of the box term from its later version
 * Example  fcosLoss(predictions, targets, { ...locations(levels), levels }).total
 */
export const fcosLoss = (
  predictions: Predictions,
  targets: Targets,
  points: PyramidPoints,
  options: FcosOptions = {},
): Losses => {
  requireInputs('fcosLoss', predictions, targets, undefined, points);
  const matches = fcosMatches(points, targets, options);
  return lossesOf(centernessTerms({ predictions, targets: tidyTargets(targets), points, matches }, options));
};
