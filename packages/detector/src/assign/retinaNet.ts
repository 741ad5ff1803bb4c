// The assignment of RetinaNet on the same network: thresholds on the IoU of anchors, with a band between them that counts for nothing.
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  argMax,
  cast,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  max,
  mul,
  ones,
  reshape,
  scatterAdd,
  select,
  transpose,
} from '@autoassign/tensor';
import type { Points } from '../geometry/points.ts';
import { anchorOverlap, octaveScales } from './anchors.ts';
import type { Predictions, Targets } from './inputs.ts';
import { requireInputs, tidyTargets } from './inputs.ts';
import { type Losses, lossesOf } from './losses.ts';
import {
  bestCandidate,
  boxTerm,
  classificationTerm,
  type MatchedLossOptions,
  type Matches,
} from './matches.ts';
import { insideObjects } from './prior.ts';

/** Options of `retinaNetMatches`. */
export interface RetinaNetMatchOptions {
  /** From this IoU on a location is positive; 0.5 by default. */
  readonly positiveIou?: number;
  /** Below this IoU with every object a location is negative; 0.4 by default. */
  readonly negativeIou?: number;
  /** The sides of a location's square anchors, in strides; by default 4, 5.04 and 6.35, a third of an octave apart. */
  readonly anchorScales?: readonly number[];
  /** Whether every object gets the location inside it of highest IoU, however low; true by default. */
  readonly forceBest?: boolean;
}

/** Options of `retinaNetLoss`. */
export interface RetinaNetOptions extends RetinaNetMatchOptions, MatchedLossOptions {}

/** For every object its location of highest overlap, the first of equals, where that is above 0: bool[N,R,M]. */
const bestOfObjects = (overlap: Tensor): Tensor => {
  const [images, locations, objects] = overlap.shape as [number, number, number];
  const best = reshape(argMax(overlap, 1), [images, objects, 1]);
  const marks = scatterAdd(ones([images, objects, 1]), best, locations, { axis: 2, batchDims: 2 });
  return logicalAnd(transpose(less(0, marks), [0, 2, 1]), less(0, overlap));
};

/**
 * The object of every location by the thresholds of RetinaNet: of the objects that contain it and reach the IoU with its anchors, the one
 * of highest IoU; objects that would get none get their best location. What is not positive but near to it is ignored.
 *
 * Only locations inside an object can be positive, because distances reach from there.
 *
 * Shapes   points locations f32[R,2], strides f32[R]; targets boxes f32[N,M,4], labels i32[N,M], valid bool[N,M] -> see Matches
 * Units    points and boxes in pixels of the padded image
 * Gradient none
 * Source   Lin et al., Focal Loss for Dense Object Detection (2017), section 4; a location's best of three squares for nine anchors
 */
export const retinaNetMatches = (
  points: Points,
  targets: Targets,
  options: RetinaNetMatchOptions = {},
): Matches => {
  const { positiveIou = 0.5, negativeIou = 0.4, anchorScales = octaveScales, forceBest = true } = options;
  const objects = tidyTargets(targets);
  const overlap = anchorOverlap(points, objects, anchorScales); // [N,R,M]
  const inside = insideObjects(points, objects);
  const reached = logicalAnd(inside, lessEqual(positiveIou, overlap));
  const forced = bestOfObjects(select(inside, overlap, 0));
  const candidates = forceBest ? logicalOr(reached, forced) : reached;
  // A forced location goes to the object that it was forced for, above every IoU.
  const scores = forceBest ? add(overlap, mul(cast(forced, 'f32'), 2)) : overlap;
  const found = bestCandidate(candidates, scores);
  const isNear = lessEqual(negativeIou, max(overlap, 2));
  return { ...found, isIgnored: logicalAnd(isNear, logicalNot(found.isPositive)) };
};

/**
 * The loss of RetinaNet of a batch on this head: focal loss and GIoU loss. The objectness map is not used.
 *
 * Shapes   predictions logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4]; targets as for `retinaNetMatches` -> scalars
 * Gradient to logits and distances
 * Throws   ShapeError when the inputs do not fit together
 * Source   Lin et al., Focal Loss for Dense Object Detection (2017); GIoU of distances instead of smooth L1 of anchors' offsets
 * Example  retinaNetLoss(predictions, targets, locations(levels)).total
 */
export const retinaNetLoss = (
  predictions: Predictions,
  targets: Targets,
  points: Points,
  options: RetinaNetOptions = {},
): Losses => {
  requireInputs('retinaNetLoss', predictions, targets, undefined, points);
  const objects = tidyTargets(targets);
  const matches = retinaNetMatches(points, targets, options);
  const weights = ones(matches.isPositive.shape);
  const box = boxTerm(predictions.distances, matches, { points, targets: objects, weights });
  return lossesOf({
    classification: classificationTerm(predictions.logits, matches, objects, options),
    box: mul(box, options.boxWeight ?? 1),
  });
};
