// The AutoAssign loss: positives, negatives and the term that keeps the centre prior wide.
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  cast,
  clamp,
  div,
  less,
  logicalAnd,
  logicalNot,
  mean,
  mul,
  select,
  softplus,
  square,
  stopGradient,
  sub,
  sum,
} from '@autoassign/tensor';
import type { Points } from '../geometry/points.ts';
import type { Assignment, AssignmentOptions } from './assignment.ts';
import { assignment } from './assignment.ts';
import { crossEntropyToOne, crossEntropyToZero, largestCrossEntropy } from './crossEntropy.ts';
import type { Predictions, Prior, Targets } from './inputs.ts';
import { requireInputs } from './inputs.ts';
import { hasCandidates } from './prior.ts';
import { smallest } from './weights.ts';

/** Options of `autoAssignLoss`: those of the assignment, and the factors of its terms. */
export interface AutoAssignOptions extends AssignmentOptions {
  /** 0.25 by default. */
  readonly positiveWeight?: number;
  /** 0.75 by default. */
  readonly negativeWeight?: number;
  /** 0.75 by default. */
  readonly centerWeight?: number;
}

/** The loss and its terms, scalars: the total is the sum of the others. */
export type AutoAssignLoss = {
  readonly total: Tensor;
  readonly positive: Tensor;
  readonly negative: Tensor;
  /** Without gradient unless the centre prior is learned. */
  readonly center: Tensor;
  /** With explicit objectness only. */
  readonly objectness?: Tensor;
};

/** The terms of every image f32[N] before their factors, and what the batch divides them by. */
export type LossSums = {
  readonly positive: Tensor;
  readonly negative: Tensor;
  readonly center: Tensor;
  /** Scalar: the number of objects of the batch, at least 1. */
  readonly objectCount: Tensor;
  /** Scalar: the sum of the batch's centre priors, at least 1. */
  readonly priorMass: Tensor;
};

/** -ln r per object f32[N,M]; a constant without gradient for objects without candidates, 0 for padding. */
const positiveTerms = ({ inside, objectConfidence }: Assignment, valid: Tensor): Tensor => {
  const hasAny = hasCandidates(inside);
  // Where r is 0 by definition its logarithm must not be differentiated: 1e12 * 0 is 0, but not to second order.
  const reachable = crossEntropyToOne(select(hasAny, objectConfidence, 1));
  const unreachable = cast(logicalAnd(valid, logicalNot(hasAny)), 'f32');
  return add(reachable, mul(unreachable, largestCrossEntropy));
};

/** Focal loss against 0 of every location, summed over classes, f32[N,R]: x^2 * -ln(1 - x) with x the weighted confidence. */
const negativeTerms = ({ joint, negativeWeights }: Assignment): Tensor => {
  const weighted = mul(joint, negativeWeights); // [N,R,K]
  // Summed in two stages, here and over R: one sum of R * K small terms loses digits in single precision.
  return sum(mul(square(weighted), crossEntropyToZero(weighted)), 2);
};

/** Objects per unit of prior f32[N]; 0 for images without candidates. */
const centerTerms = ({ inside, prior }: Assignment, objects: Tensor): Tensor => {
  const hasAny = less(0, sum(cast(hasCandidates(inside), 'f32'), 1)); // [N]
  const mass = clamp(select(hasAny, sum(prior, [1, 2]), 1), { min: smallest });
  return select(hasAny, div(objects, mass), 0);
};

/**
 * Binary cross entropy of the objectness against "lies inside an object", summed over all locations and divided by the number of
 * those inside, at least 1.
 *
 * Source   AutoAssign (2020) compares with an explicitly supervised objectness, without giving its loss: label and divisor are ours
 */
const objectnessTerm = ({ inside }: Assignment, objectness: Tensor): Tensor => {
  const isForeground = cast(less(0, sum(cast(inside, 'f32'), 2)), 'f32'); // [N,R]
  const costs = sub(softplus(objectness), mul(isForeground, objectness));
  return div(sum(sum(costs, 1)), clamp(sum(sum(isForeground, 1)), { min: 1 }));
};

/** The terms of the loss by image, from an assignment. */
export const lossSums = (assigned: Assignment, valid: Tensor): LossSums => {
  const objects = sum(cast(valid, 'f32'), 1); // [N]
  return {
    positive: sum(positiveTerms(assigned, valid), 1),
    negative: sum(negativeTerms(assigned), 1),
    center: centerTerms(assigned, objects),
    objectCount: clamp(sum(objects), { min: 1 }),
    priorMass: stopGradient(clamp(sum(assigned.prior), { min: 1 })),
  };
};

/**
 * The AutoAssign loss of a batch, and its terms.
 *
 * Shapes   predictions logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4]; targets boxes f32[N,M,4], labels i32[N,M],
 *          valid bool[N,M]; prior mean and sigma f32[K,2]; points locations f32[R,2], strides f32[R] -> four scalars
 * Units    boxes, distances and locations in pixels of the padded image
 * Gradient to predictions and prior, to any order; none through the negative weights
 * Throws   ShapeError when the inputs do not fit together
 * Source   AutoAssign (2020) as the authors' code computes it: focal factors, the centre term and the last of several objects of
 *          one class deciding on a location's negative weight are from there
 * Example  autoAssignLoss(predictions, targets, { mean, sigma }, locations(levels)).total
 */
export const autoAssignLoss = (
  predictions: Predictions,
  targets: Targets,
  prior: Prior,
  points: Points,
  options: AutoAssignOptions = {},
): AutoAssignLoss => {
  const { positiveWeight = 0.25, negativeWeight = 0.75, centerWeight = 0.75 } = options;
  requireInputs('autoAssignLoss', predictions, targets, prior, points); // the assignment would complain under its own name
  const assigned = assignment(predictions, targets, prior, points, options);
  const sums = lossSums(assigned, targets.valid);
  const positive = mul(div(sum(sums.positive), sums.objectCount), positiveWeight);
  const negative = mul(div(sum(sums.negative), sums.priorMass), negativeWeight);
  const center = mul(mean(sums.center), centerWeight);
  const total = add(add(positive, negative), center);
  if (options.objectness !== 'explicit') return { total, positive, negative, center };
  const objectness = objectnessTerm(assigned, predictions.objectness);
  return { total: add(total, objectness), positive, negative, center, objectness };
};
