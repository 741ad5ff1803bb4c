// How much every location stands for every object, whatever the assignment: what pictures of it show.
import type { Tensor } from '@autoassign/tensor';
import { arange, cast, equal, logicalAnd, mul, sum } from '@autoassign/tensor';
import { assignment, standardPrior } from '../assign/assignment.ts';
import { atssMatches } from '../assign/atss.ts';
import { classConfidence, localizationLoss, objectConfidence } from '../assign/confidence.ts';
import { fcosMatches } from '../assign/fcos.ts';
import { freeAnchorBags } from '../assign/freeAnchor.ts';
import type { Predictions, Prior, Targets } from '../assign/inputs.ts';
import { tidyTargets } from '../assign/inputs.ts';
import type { Matches } from '../assign/matches.ts';
import { perLocation } from '../assign/prior.ts';
import { retinaNetMatches } from '../assign/retinaNet.ts';
import { normalizedPrior } from '../assign/weights.ts';
import { decodeBoxes } from '../geometry/boxes.ts';
import type { Points, PyramidPoints } from '../geometry/points.ts';
import {
  type AutoAssignLossConfig,
  isAutoAssign,
  type LossConfig,
  learnsCenterPrior,
  usesObjectness,
} from '../lossConfig.ts';
import type { Params } from './network.ts';

/** The weights of the locations of every object, and the weighted mean of their confidences. */
export type AssignedWeights = {
  /** f32[N,R,M]: the weights of an object sum to 1, or are all 0. */
  readonly positiveWeights: Tensor;
  /** f32[N,M] */
  readonly objectConfidence: Tensor;
};

/** The weights of every location for every object, from what the head says of a batch and what is there. */
export type Weighing = (
  predictions: Predictions,
  targets: Targets,
  points: PyramidPoints,
  params: Params,
) => AssignedWeights;

/** The positive locations of an object share it evenly. */
const evenWeights = ({ object, isPositive }: Matches, objects: number): Tensor => {
  const numbers = arange(objects, 0, 1, 'i32');
  const isChosen = logicalAnd(equal(perLocation(object), numbers), perLocation(isPositive)); // [N,R,M]
  return normalizedPrior(cast(isChosen, 'f32'));
};

/** Even weights with the confidence of AutoAssign: probability of the class times e^(-5 (1 - GIoU)). */
const weighMatches = (
  matches: Matches,
  { predictions, targets, points }: { predictions: Predictions; targets: Targets; points: Points },
  objectness: 'implicit' | 'off',
): AssignedWeights => {
  const { boxes, labels } = tidyTargets(targets);
  const joint = classConfidence(predictions.logits, predictions.objectness, objectness);
  const localization = localizationLoss(decodeBoxes(points.locations, predictions.distances), boxes, 5);
  const positiveWeights = evenWeights(matches, labels.shape[1]!);
  const confidence = objectConfidence(joint, labels, localization);
  return { positiveWeights, objectConfidence: sum(mul(positiveWeights, confidence), 1) };
};

/** The weights of the assignment that a loss trains with, as a function. */
export const assignedWeights =
  (loss: LossConfig): Weighing =>
  (predictions, targets, points, params) => {
    const weigh = (matches: Matches): AssignedWeights =>
      weighMatches(matches, { predictions, targets, points }, usesObjectness(loss) ? 'implicit' : 'off');
    switch (loss.kind) {
      case 'fcos':
        return weigh(fcosMatches(points, targets, loss));
      case 'atss':
        return weigh(atssMatches(points, targets, loss));
      case 'retinanet':
        return weigh(retinaNetMatches(points, targets, loss));
      case 'freeanchor': {
        const { weights, ofBag } = freeAnchorBags(predictions, targets, points, loss);
        return { positiveWeights: weights, objectConfidence: ofBag };
      }
      default: {
        const options: AutoAssignLossConfig = loss; // of all others there is a case
        const prior = params.bbox_head.center_prior;
        const all = assignment(predictions, targets, prior, points, options);
        return { positiveWeights: all.positiveWeights, objectConfidence: all.objectConfidence };
      }
    }
  };

/** The centre prior that a loss weighs locations by; undefined where it has none. */
export const weighingPrior = (loss: LossConfig, params: Params): Prior | undefined => {
  if (!isAutoAssign(loss) || loss.centerWeighting === 'off') return undefined;
  const { center_prior: learned } = params.bbox_head;
  return learnsCenterPrior(loss) ? learned : standardPrior(learned);
};
