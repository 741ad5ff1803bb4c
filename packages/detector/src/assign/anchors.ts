// Virtual anchors: squares around the locations, for assignments that compare boxes although the head predicts distances.
import type { Tensor } from '@autoassign/tensor';
import { concat, maximum, mul, select } from '@autoassign/tensor';
import { decodeBoxes } from '../geometry/boxes.ts';
import { pairwiseIou } from '../geometry/iou.ts';
import type { Points } from '../geometry/points.ts';
import type { Targets } from './inputs.ts';
import { perLocation, perObject } from './prior.ts';

/** The three sizes per octave of RetinaNet, as sides in strides. */
export const octaveScales: readonly number[] = [4, 4 * 2 ** (1 / 3), 4 * 2 ** (2 / 3)];

/**
 * A square of so many strides of its level around every location.
 *
 * Shapes   points locations f32[R,2] and strides f32[R] -> f32[R,4]
 */
export const squareAnchors = ({ locations, strides }: Points, side: number): Tensor => {
  const half = perLocation(mul(strides, side / 2)); // [R,1]
  return decodeBoxes(locations, concat([half, half, half, half], 1));
};

/**
 * The IoU of every location with every object: that of the best of its anchors; 0 for padding.
 *
 * Shapes   points locations f32[R,2] and strides f32[R], boxes f32[N,M,4], valid bool[N,M] -> f32[N,R,M]
 * Gradient none to predictions: anchors are where they are
 */
export const anchorOverlap = (
  points: Points,
  { boxes, valid }: Targets,
  sides: readonly number[],
): Tensor => {
  const overlaps = sides.map((side) => pairwiseIou(squareAnchors(points, side), boxes));
  return select(perObject(valid), overlaps.reduce(maximum), 0);
};
