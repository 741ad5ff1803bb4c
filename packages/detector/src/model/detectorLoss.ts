// The network and a loss composed: from parameters and a batch to the loss.
import { atssLoss } from '../assign/atss.ts';
import { fcosLoss } from '../assign/fcos.ts';
import { freeAnchorLoss } from '../assign/freeAnchor.ts';
import type { Predictions, Targets } from '../assign/inputs.ts';
import { autoAssignLoss } from '../assign/loss.ts';
import type { Losses } from '../assign/losses.ts';
import { retinaNetLoss } from '../assign/retinaNet.ts';
import type { BatchTensors } from '../batch.ts';
import { type DetectorConfig, featureLevels } from '../config.ts';
import type { PyramidPoints } from '../geometry/points.ts';
import type { AutoAssignLossConfig, LossConfig } from '../lossConfig.ts';
import type { Recompute } from '../nn/recompute.ts';
import { forward, type Params } from './network.ts';

/**
 * A loss of one's own: from what the head says of a batch and what is there to a sum of named terms.
 *
 * Units    boxes, distances and locations in pixels of the padded images
 */
export type LossFunction = (
  predictions: Predictions,
  targets: Targets,
  points: PyramidPoints,
  params: Params,
) => Losses;

/** The loss that a configuration names, as a function. */
export const lossFunction =
  (loss: LossConfig): LossFunction =>
  (predictions, targets, points, params) => {
    switch (loss.kind) {
      case 'fcos':
        return fcosLoss(predictions, targets, points, loss);
      case 'atss':
        return atssLoss(predictions, targets, points, loss);
      case 'retinanet':
        return retinaNetLoss(predictions, targets, points, loss);
      case 'freeanchor':
        return freeAnchorLoss(predictions, targets, points, loss);
      default: {
        const options: AutoAssignLossConfig = loss; // of all others there is a case
        const prior = params.bbox_head.center_prior;
        const { total, ...terms } = autoAssignLoss(predictions, targets, prior, points, options);
        return { total, terms };
      }
    }
  };

/**
 * The loss of a batch and its terms, padded parts of the images included: the one of the configuration, or the given one.
 *
 * Shapes   images f32[N,3,H,W], boxes f32[N,M,4], labels i32[N,M], valid bool[N,M] -> scalars
 * Units    boxes in pixels of the padded images
 * Gradient to all parameters that the loss looks at
 */
export const detectorLoss = (
  config: DetectorConfig,
  params: Params,
  batch: BatchTensors,
  loss: LossFunction = lossFunction(config.loss),
  recompute: Recompute = 'none',
): Losses => {
  const { images, ...targets } = batch;
  const { points, ...predictions } = forward(config, params, images, recompute);
  const levels = featureLevels(config, images.shape[2]!, images.shape[3]!);
  return loss(predictions, targets, { ...points, levels }, params);
};
