// The label assignment as a whole: everything the loss needs and a picture can show.
import type { Tensor } from '@autoassign/tensor';
import { mul, select, sizeOf, sum, tensor } from '@autoassign/tensor';
import { decodeBoxes } from '../geometry/boxes.ts';
import { pairwiseIou } from '../geometry/iou.ts';
import type { Points } from '../geometry/points.ts';
import type { CenterWeighting, Objectness } from '../lossConfig.ts';
import { classConfidence, localizationLoss, objectConfidence } from './confidence.ts';
import type { Predictions, Prior, Targets } from './inputs.ts';
import { requireInputs, tidyTargets } from './inputs.ts';
import { centerPrior, forceCandidates, insideObjects } from './prior.ts';
import { bestOverlap, foregroundness, negativeWeights, normalizedPrior, positiveWeights } from './weights.ts';

/** Options of `assignment`. */
export interface AssignmentOptions {
  /** How many locations an object gets that contains none: those of largest prior. 0, the default, leaves it without. */
  readonly forceTopK?: number;
  /** The factor of 1 - GIoU in the confidence of a location; 5 by default. */
  readonly localizationWeight?: number;
  /** What locations count by where they lie; `learned` by default. `off` gives all locations inside an object the prior 1. */
  readonly centerWeighting?: CenterWeighting;
  /** Whether positive weights grow with the confidence, by e^(3 p), or come from the prior alone; true by default. */
  readonly confidenceWeighting?: boolean;
  /** What the objectness map does to class probabilities; `implicit` by default. */
  readonly objectness?: Objectness;
}

/** How locations and objects belong together. */
export type Assignment = {
  /** bool[N,R,M]: the candidate locations of every object. */
  readonly inside: Tensor;
  /** f32[N,R,M]: the centre prior, 0 outside. */
  readonly prior: Tensor;
  /** f32[N,R,K]: the probability of every class, objectness included. */
  readonly joint: Tensor;
  /** f32[N,R,M]: 5 (1 - GIoU) of the predicted boxes. */
  readonly localization: Tensor;
  /** f32[N,R,M]: p, the confidence in class and place. */
  readonly confidence: Tensor;
  /** f32[N,R,M]: w+, which sums to 1 over the locations of an object. */
  readonly positiveWeights: Tensor;
  /** f32[N,M]: r, the weighted mean confidence of every object; 0 for those without candidates. */
  readonly objectConfidence: Tensor;
  /** f32[N,R]: the best IoU with any object. */
  readonly bestOverlap: Tensor;
  /** f32[N,R,M]: f, 0 outside. */
  readonly foregroundness: Tensor;
  /** f32[N,R,K]: w-. */
  readonly negativeWeights: Tensor;
};

/** Mean 0 and sigma 1 for every class, as constants. */
export const standardPrior = ({ mean, sigma }: Prior): Prior => ({
  mean: tensor(new Float32Array(sizeOf(mean.shape)), { shape: mean.shape }),
  sigma: tensor(new Float32Array(sizeOf(sigma.shape)).fill(1), { shape: sigma.shape }),
});

/**
 * The weights of every location for every object, with all quantities they come from.
 *
 * Shapes   see Predictions, Targets, Prior, Points and Assignment
 * Gradient through all but inside, foregroundness and negative weights
 * Throws   ShapeError when the inputs do not fit together
 * Source   AutoAssign (2020) as the authors' code computes it
 */
export const assignment = (
  predictions: Predictions,
  targets: Targets,
  prior: Prior,
  points: Points,
  options: AssignmentOptions = {},
): Assignment => {
  requireInputs('assignment', predictions, targets, prior, points);
  const { forceTopK = 0, localizationWeight = 5, centerWeighting = 'learned' } = options;
  const { confidenceWeighting = true, objectness = 'implicit' } = options;
  const objects = tidyTargets(targets);
  const uncut = centerPrior(points, objects, centerWeighting === 'learned' ? prior : standardPrior(prior));
  const contained = insideObjects(points, objects);
  const inside = forceTopK > 0 ? forceCandidates(contained, uncut, objects.valid, forceTopK) : contained;
  const cut = select(inside, centerWeighting === 'off' ? 1 : uncut, 0);
  const boxes = decodeBoxes(points.locations, predictions.distances); // [N,R,4]
  const joint = classConfidence(predictions.logits, predictions.objectness, objectness);
  const localization = localizationLoss(boxes, objects.boxes, localizationWeight);
  const confidence = objectConfidence(joint, objects.labels, localization);
  const positive = confidenceWeighting ? positiveWeights(confidence, cut) : normalizedPrior(cut);
  const best = bestOverlap(pairwiseIou(boxes, objects.boxes), objects.valid);
  const foreground = foregroundness(best, inside);
  return {
    inside,
    prior: cut,
    joint,
    localization,
    confidence,
    positiveWeights: positive,
    objectConfidence: sum(mul(positive, confidence), 1),
    bestOverlap: best,
    foregroundness: foreground,
    negativeWeights: negativeWeights(foreground, inside, objects.labels, joint.shape[2]!),
  };
};
