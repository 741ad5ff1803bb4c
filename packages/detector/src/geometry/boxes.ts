// Boxes as tensors: corners (left, top, right, bottom) in the last dimension, their parts, and distances from a location.
import type { Tensor } from '@autoassign/tensor';
import { add, concat, maximum, minimum, mul, reshape, slice, sub, tensor } from '@autoassign/tensor';

/** The four coordinates of boxes f32[...,4], each f32[...]. */
export interface Sides {
  readonly left: Tensor;
  readonly top: Tensor;
  readonly right: Tensor;
  readonly bottom: Tensor;
}

/** Entry `index` of the last dimension, which is dropped. */
export const component = (x: Tensor, index: number): Tensor => {
  const outer = x.shape.slice(0, -1);
  return reshape(slice(x, [...outer.map(() => 0), index], [...outer, 1]), outer);
};

/** The coordinates of boxes as tensors of their own. */
export const sidesOf = (boxes: Tensor): Sides => ({
  left: component(boxes, 0),
  top: component(boxes, 1),
  right: component(boxes, 2),
  bottom: component(boxes, 3),
});

const lastAxis = (x: Tensor): number => x.shape.length - 1;

/** Distances grow to the left and to the top against the axes, to the right and bottom along them. */
const outward: Tensor = tensor([-1, -1, 1, 1]);

/**
 * The boxes that reach the given distances from their locations.
 *
 * Shapes   locations f32[R,2] (x, y), distances f32[...,R,4] (left, top, right, bottom) -> f32[...,R,4]
 * Units    any, the same for both
 * Example  decodeBoxes(locations(levels).locations, distances)
 */
export const decodeBoxes = (locations: Tensor, distances: Tensor): Tensor =>
  add(concat([locations, locations], lastAxis(locations)), mul(distances, outward));

/**
 * The distances from locations to the sides of boxes, negative where a location lies outside: the inverse of `decodeBoxes`.
 *
 * Shapes   locations f32[R,2], boxes f32[...,R,4] -> f32[...,R,4]
 */
export const encodeDistances = (locations: Tensor, boxes: Tensor): Tensor =>
  mul(sub(boxes, concat([locations, locations], lastAxis(locations))), outward);

/**
 * The areas of boxes, negative or positive as their corners lie.
 *
 * Shapes   f32[...,4] -> f32[...]
 */
export const boxAreas = (boxes: Tensor): Tensor => areaOf(sidesOf(boxes));

/** (right - left) * (bottom - top) */
export const areaOf = ({ left, top, right, bottom }: Sides): Tensor =>
  mul(sub(right, left), sub(bottom, top));

/**
 * The middles (x, y) of boxes.
 *
 * Shapes   f32[...,4] -> f32[...,2]
 */
export const boxCenters = (boxes: Tensor): Tensor => {
  const outer = boxes.shape.slice(0, -1);
  const start = outer.map(() => 0);
  const upper = slice(boxes, [...start, 0], [...outer, 2]);
  const lower = slice(boxes, [...start, 2], [...outer, 2]);
  return mul(add(upper, lower), 0.5);
};

/** The extent of an image in pixels. */
export interface Extent {
  readonly height: number;
  readonly width: number;
}

/**
 * Boxes cut to an image.
 *
 * Shapes   f32[...,4] -> f32[...,4]
 * Units    pixels; corners end up in [0, width] and [0, height]
 */
export const clipBoxes = (boxes: Tensor, { height, width }: Extent): Tensor =>
  minimum(maximum(boxes, 0), tensor([width, height, width, height]));
