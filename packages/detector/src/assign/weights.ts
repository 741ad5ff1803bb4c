// The two weight maps of AutoAssign: how much a location is a positive of an object, and how much a negative of a class.
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  cast,
  clamp,
  div,
  equal,
  exp,
  less,
  logicalAnd,
  logicalNot,
  matmul,
  max,
  min,
  mul,
  reshape,
  scatterAdd,
  select,
  stopGradient,
  sub,
  sum,
  tensor,
} from '@autoassign/tensor';
import { perLocation, perObject } from './prior.ts';

/** Sums and ranges below this are not divided by. */
export const smallest = 1e-12;

/** Confidence counts as e^(3 p): the paper's temperature is 1/3. */
const sharpness = 3;

/** Above every 1 / (1 - IoU), so that a minimum over an object's own locations never finds one of the others. */
const beyondAll = 1e30;

/**
 * How much of an object each location stands for: e^(3 confidence) * prior, normalised over the locations of all levels.
 *
 * Shapes   confidence f32[N,R,M], prior f32[N,R,M] that is 0 outside the object -> f32[N,R,M]
 * Units    the weights of an object sum to 1, or are all 0 when its prior is
 * Gradient to both: the weights are not detached
 * Source   AutoAssign (2020), w+
 */
export const positiveWeights = (confidence: Tensor, prior: Tensor): Tensor =>
  normalizedPrior(mul(exp(mul(confidence, sharpness)), prior));

/**
 * A prior normalised over the locations of all levels: positive weights without confidence weighting.
 *
 * Shapes   f32[N,R,M] that is 0 outside the object -> f32[N,R,M]
 */
export const normalizedPrior = (prior: Tensor): Tensor =>
  div(prior, clamp(sum(prior, 1, { keepDims: true }), { min: smallest }));

/**
 * The best IoU of every location's predicted box with any object of its image, also those it lies outside of; 0 without objects.
 *
 * Shapes   iou f32[N,R,M], valid bool[N,M] -> f32[N,R]
 */
export const bestOverlap = (iou: Tensor, valid: Tensor): Tensor => max(select(perObject(valid), iou, 0), 2);

/**
 * How little a location is a negative of an object it lies inside: 1 / (1 - best IoU), stretched to (0, 1] over the object's locations.
 *
 * Shapes   best f32[N,R], inside bool[N,R,M] -> f32[N,R,M], 0 outside
 * Units    1 at the best location of an object, about 0 at the worst; 1 everywhere when all are equal
 * Gradient none
 * Source   AutoAssign (2020), f(IoU) of w-; the maximum over all objects and the stretch are the authors' code
 */
export const foregroundness = (best: Tensor, inside: Tensor): Tensor => {
  const quality = perLocation(div(1, clamp(sub(1, best), { min: smallest }))); // [N,R,1]
  const lowest = min(select(inside, quality, beyondAll), 1, { keepDims: true }); // [N,1,M]
  const highest = max(select(inside, quality, 0), 1, { keepDims: true });
  const stretched = div(add(sub(quality, lowest), smallest), add(sub(highest, lowest), smallest));
  return stopGradient(select(inside, stretched, 0));
};

/**
 * How much every location is a negative of every class: 1, less the foregroundness where it lies inside an object of the class.
 *
 * Where a location lies inside several objects of one class, the last of them in order decides.
 *
 * Shapes   foreground f32[N,R,M], inside bool[N,R,M], labels i32[N,M] -> f32[N,R,K]
 * Gradient none
 * Source   AutoAssign (2020), w-; the rule for several objects is the authors' code, which assigns object by object
 */
export const negativeWeights = (
  foreground: Tensor,
  inside: Tensor,
  labels: Tensor,
  classes: number,
): Tensor => {
  const decides = logicalAnd(inside, logicalNot(isOvertaken(inside, labels)));
  const share = select(decides, foreground, 0);
  return stopGradient(sub(1, scatterAdd(share, labels, classes, { axis: 2, batchDims: 1 })));
};

/** Whether a later object of the same class contains the location too: a count of such objects by a product with [N,M,M]. */
const isOvertaken = (inside: Tensor, labels: Tensor): Tensor => {
  const [images, , objects] = inside.shape as [number, number, number];
  const order = Array.from({ length: objects }, (_, later) =>
    Array.from({ length: objects }, (_, earlier) => later > earlier),
  );
  const sameClass = equal(reshape(labels, [images, objects, 1]), perObject(labels));
  const overtakes = logicalAnd(sameClass, tensor(order)); // [N, later, earlier]
  return less(0, matmul(cast(inside, 'f32'), cast(overtakes, 'f32')));
};
