// The centre prior: which locations may belong to an object, and how much each counts by where it lies.
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  cast,
  div,
  exp,
  gather,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  minimum,
  mul,
  ones,
  reshape,
  scatterAdd,
  select,
  square,
  sub,
  sum,
  topK,
  transpose,
} from '@autoassign/tensor';
import { boxCenters, component, sidesOf } from '../geometry/boxes.ts';
import type { Points } from '../geometry/points.ts';
import type { Prior, Targets } from './inputs.ts';

/** A value per object [N,M] as [N,1,M], to meet values per location. */
export const perObject = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, 1, x.shape[1]!]);

/** A value per location [...,R] as [...,R,1], to meet values per object. */
export const perLocation = (x: Tensor): Tensor => reshape(x, [...x.shape, 1]);

/**
 * Whether a location lies inside an object: strictly within all four sides. All levels take part.
 *
 * Shapes   locations f32[R,2], boxes f32[N,M,4], valid bool[N,M] -> bool[N,R,M]
 * Gradient none
 */
export const insideObjects = (points: Points, { boxes, valid }: Targets): Tensor => {
  const { left, top, right, bottom } = sidesOf(boxes);
  const x = perLocation(component(points.locations, 0)); // [R,1]
  const y = perLocation(component(points.locations, 1));
  const horizontal = minimum(sub(x, perObject(left)), sub(perObject(right), x)); // [N,R,M]
  const vertical = minimum(sub(y, perObject(top)), sub(perObject(bottom), y));
  return logicalAnd(less(0, minimum(horizontal, vertical)), perObject(valid));
};

/** Whether an object has any candidate location: bool[N,R,M] -> bool[N,M]. */
export const hasCandidates = (inside: Tensor): Tensor => less(0, sum(cast(inside, 'f32'), 1));

/**
 * Candidates enlarged: an object without any gets the `count` locations where its prior is largest, over all levels.
 *
 * Shapes   inside bool[N,R,M], prior f32[N,R,M] before masking, valid bool[N,M] -> bool[N,R,M]
 * Gradient none
 */
export const forceCandidates = (inside: Tensor, prior: Tensor, valid: Tensor, count: number): Tensor => {
  const [images, locations, objects] = prior.shape as [number, number, number];
  const k = Math.min(count, locations);
  const { indices } = topK(transpose(prior, [0, 2, 1]), k); // [N,M,k]
  const marks = scatterAdd(ones([images, objects, k]), indices, locations, { axis: 2, batchDims: 2 });
  const nearest = transpose(less(0, marks), [0, 2, 1]);
  const lonely = logicalAnd(logicalNot(hasCandidates(inside)), valid); // [N,M]
  return logicalOr(inside, logicalAnd(nearest, perObject(lonely)));
};

/**
 * The centre prior of every location for every object: a Gaussian of their distance in strides, not cut at the object's sides.
 *
 * Shapes   points locations f32[R,2] and strides f32[R], targets boxes f32[N,M,4], labels i32[N,M] and valid bool[N,M],
 *          prior mean f32[K,2] and sigma f32[K,2] -> f32[N,R,M]
 * Units    points and boxes in pixels of the padded image; mean and sigma in strides of the location's level; values in [0, 1]
 * Gradient to mean and sigma of the objects' classes
 * Source   AutoAssign (2020), centre weighting; without a factor 1/sigma
 * Example  centerPrior(locations(levels), targets, { mean, sigma })
 */
export const centerPrior = (points: Points, { boxes, labels, valid }: Targets, prior: Prior): Tensor => {
  const real = perLocation(valid); // [N,M,1]
  const means = gather(prior.mean, labels); // [N,M,2]
  // Padding takes sigma 1, so that a class whose sigma is 0 cannot make it infinite.
  const precisions = div(1, select(real, gather(prior.sigma, labels), 1));
  const centers = boxCenters(boxes);
  const squaredDistance = (axis: number): Tensor => {
    const position = perLocation(component(points.locations, axis)); // [R,1]
    const pixels = sub(position, perObject(component(centers, axis))); // [N,R,M]
    const shifted = sub(div(pixels, perLocation(points.strides)), perObject(component(means, axis)));
    return square(mul(shifted, perObject(component(precisions, axis))));
  };
  return exp(mul(add(squaredDistance(0), squaredDistance(1)), -0.5));
};
