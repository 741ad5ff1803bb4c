// @autoassign/detector: the AutoAssign object detector. Label assignment, loss, network, training, prediction, weights.

export type { Assignment, AssignmentOptions } from './assign/assignment.ts';
export { assignment } from './assign/assignment.ts';
export { jointConfidence, localizationLoss, objectConfidence } from './assign/confidence.ts';
export { crossEntropyToOne, crossEntropyToZero } from './assign/crossEntropy.ts';
export type { Predictions, Prior, Targets } from './assign/inputs.ts';
export type { AutoAssignLoss, AutoAssignOptions } from './assign/loss.ts';
export { autoAssignLoss } from './assign/loss.ts';
export { centerPrior, forceCandidates, insideObjects } from './assign/prior.ts';
export { bestOverlap, foregroundness, negativeWeights, positiveWeights } from './assign/weights.ts';
export { ConfigError, TrainingError, WeightsError } from './errors.ts';
export type { Extent } from './geometry/boxes.ts';
export { boxAreas, boxCenters, clipBoxes, decodeBoxes, encodeDistances } from './geometry/boxes.ts';
export { giou, iou, pairwiseGiou, pairwiseIou } from './geometry/iou.ts';
export type { NmsOptions } from './geometry/nms.ts';
export { nms } from './geometry/nms.ts';
export type { FeatureLevel, Points } from './geometry/points.ts';
export { locationCount, locations } from './geometry/points.ts';
export type { DecodeOptions, Detections, HeadOutput, ImageGeometry } from './infer/decode.ts';
export { decodeCandidates, decodeDetections } from './infer/decode.ts';
export type { Safetensors, StoredData, StoredDType, StoredTensor } from './weights/safetensors.ts';
export { readSafetensors, writeSafetensors } from './weights/safetensors.ts';
