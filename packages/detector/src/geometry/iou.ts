// How much boxes overlap: intersection over union and its generalised form, aligned and pairwise.
import type { Tensor } from '@autoassign/tensor';
import { add, clamp, div, maximum, minimum, mul, reshape, sub } from '@autoassign/tensor';
import type { Sides } from './boxes.ts';
import { areaOf, sidesOf } from './boxes.ts';

/** Areas in square pixels below which unions and enclosing boxes are not divided by. */
const minimumArea = 1e-6;

interface Overlap {
  readonly intersection: Tensor;
  readonly union: Tensor;
}

const overlapOf = (a: Sides, b: Sides): Overlap => {
  const width = sub(minimum(a.right, b.right), maximum(a.left, b.left));
  const height = sub(minimum(a.bottom, b.bottom), maximum(a.top, b.top));
  const intersection = mul(clamp(width, { min: 0 }), clamp(height, { min: 0 }));
  const union = sub(add(areaOf(a), areaOf(b)), intersection);
  return { intersection, union: clamp(union, { min: minimumArea }) };
};

/** The area of the smallest box around both. */
const enclosingArea = (a: Sides, b: Sides): Tensor => {
  const width = sub(maximum(a.right, b.right), minimum(a.left, b.left));
  const height = sub(maximum(a.bottom, b.bottom), minimum(a.top, b.top));
  return clamp(mul(clamp(width, { min: 0 }), clamp(height, { min: 0 })), { min: minimumArea });
};

/**
 * Intersection over union of boxes that correspond, in [0, 1] for proper boxes.
 *
 * Shapes   a f32[...,4], b f32[...,4], broadcast -> f32[...]
 * Gradient half to each of two equal sides; through a touching side as if it overlapped
 */
export const iou = (a: Tensor, b: Tensor): Tensor => {
  const { intersection, union } = overlapOf(sidesOf(a), sidesOf(b));
  return div(intersection, union);
};

/**
 * Generalised IoU of boxes that correspond: IoU less the part of the enclosing box that neither covers, in [-1, 1] for proper boxes.
 *
 * Shapes   a f32[...,4], b f32[...,4], broadcast -> f32[...]
 * Gradient half to each of two equal sides; through a touching side as if it overlapped
 * Source   Rezatofighi et al. (2019), unions and enclosing areas of at least 1e-6
 * Example  giou(tensor([0, 0, 4, 4]), tensor([2, 0, 6, 4]))
 */
export const giou = (a: Tensor, b: Tensor): Tensor => {
  const [first, second] = [sidesOf(a), sidesOf(b)];
  const { intersection, union } = overlapOf(first, second);
  const enclosing = enclosingArea(first, second);
  return sub(div(intersection, union), div(sub(enclosing, union), enclosing));
};

/** Boxes [...,R,4] and [...,M,4] as [...,R,1,4] and [...,1,M,4]. */
const crossed = (a: Tensor, b: Tensor): readonly [Tensor, Tensor] => [
  reshape(a, [...a.shape.slice(0, -1), 1, 4]),
  reshape(b, [...b.shape.slice(0, -2), 1, ...b.shape.slice(-2)]),
];

/**
 * IoU of every box of one list with every box of another.
 *
 * Shapes   a f32[...,R,4], b f32[...,M,4] -> f32[...,R,M]
 */
export const pairwiseIou = (a: Tensor, b: Tensor): Tensor => iou(...crossed(a, b));

/**
 * Generalised IoU of every box of one list with every box of another.
 *
 * Shapes   a f32[...,R,4], b f32[...,M,4] -> f32[...,R,M]
 */
export const pairwiseGiou = (a: Tensor, b: Tensor): Tensor => giou(...crossed(a, b));
