// The network and the AutoAssign loss composed: from parameters and a batch to the loss.
import { type AutoAssignLoss, autoAssignLoss } from '../assign/loss.ts';
import type { BatchTensors } from '../batch.ts';
import type { DetectorConfig } from '../config.ts';
import { forward, type Params } from './network.ts';

/**
 * The AutoAssign loss of a batch and its terms, padded parts of the images included.
 *
 * Shapes   images f32[N,3,H,W], boxes f32[N,M,4], labels i32[N,M], valid bool[N,M] -> four scalars
 * Units    boxes in pixels of the padded images
 * Gradient to all parameters
 */
export const detectorLoss = (config: DetectorConfig, params: Params, batch: BatchTensors): AutoAssignLoss => {
  const { images, ...targets } = batch;
  const { points, ...predictions } = forward(config, params, images);
  return autoAssignLoss(predictions, targets, params.bbox_head.center_prior, points, config.loss);
};
