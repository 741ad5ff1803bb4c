// @autoassign/detector: the AutoAssign object detector. Label assignment, loss, network, training, prediction, weights.

export { anchorOverlap, octaveScales, squareAnchors } from './assign/anchors.ts';
export type { Assignment, AssignmentOptions } from './assign/assignment.ts';
export { assignment } from './assign/assignment.ts';
export type { AtssMatchOptions, AtssOptions } from './assign/atss.ts';
export { atssLoss, atssMatches } from './assign/atss.ts';
export { classConfidence, jointConfidence, localizationLoss, objectConfidence } from './assign/confidence.ts';
export { crossEntropyToOne, crossEntropyToZero } from './assign/crossEntropy.ts';
export type { FcosMatchOptions, FcosOptions } from './assign/fcos.ts';
export { fcosLoss, fcosMatches } from './assign/fcos.ts';
export type { FocalOptions } from './assign/focal.ts';
export { crossEntropyOfLogits, focalCosts } from './assign/focal.ts';
export type { Bags, FreeAnchorOptions } from './assign/freeAnchor.ts';
export {
  anchorBags,
  boxLikelihood,
  freeAnchorBags,
  freeAnchorLoss,
  meanMaxWeights,
} from './assign/freeAnchor.ts';
export type { Predictions, Prior, Targets } from './assign/inputs.ts';
export type { AutoAssignLoss, AutoAssignOptions } from './assign/loss.ts';
export { autoAssignLoss } from './assign/loss.ts';
export type { Losses } from './assign/losses.ts';
export { lossesOf } from './assign/losses.ts';
export type { MatchedLossOptions, Matches } from './assign/matches.ts';
export { bestCandidate, boxTerm, centerness, centernessTerm, classificationTerm } from './assign/matches.ts';
export { centerPrior, forceCandidates, insideObjects } from './assign/prior.ts';
export type { RetinaNetMatchOptions, RetinaNetOptions } from './assign/retinaNet.ts';
export { retinaNetLoss, retinaNetMatches } from './assign/retinaNet.ts';
export {
  bestOverlap,
  foregroundness,
  negativeWeights,
  normalizedPrior,
  positiveWeights,
} from './assign/weights.ts';
export type { BatchTensors, TrainingBatch } from './batch.ts';
export { batchTensors } from './batch.ts';
export type {
  BackboneConfig,
  CardinalityConfig,
  DetectorConfig,
  HeadConfig,
  InputConfig,
  NeckConfig,
  NormConfig,
  StemConfig,
  TestAugmentation,
  TestConfig,
} from './config.ts';
export { configHash, demoConfig, featureLevels, levelStrides, resnet50Config } from './config.ts';
export { ConfigError, WeightsError } from './errors.ts';
export type { Extent } from './geometry/boxes.ts';
export { boxAreas, boxCenters, clipBoxes, decodeBoxes, encodeDistances } from './geometry/boxes.ts';
export { giou, iou, pairwiseGiou, pairwiseIou } from './geometry/iou.ts';
export type { NmsOptions } from './geometry/nms.ts';
export { nms } from './geometry/nms.ts';
export type { FeatureLevel, Points, PyramidPoints } from './geometry/points.ts';
export { locationCount, locations } from './geometry/points.ts';
export type { DecodeOptions, DecodeVariant, Detections, HeadOutput, ImageGeometry } from './infer/decode.ts';
export { decodeCandidates, decodeDetections } from './infer/decode.ts';
export type { MergeOptions } from './infer/merge.ts';
export { mergeDetections } from './infer/merge.ts';
export type { PredictionBatch, Predictor, PredictorOptions } from './infer/predict.ts';
export { createPredictor } from './infer/predict.ts';
export type { MemoryNeeds, TrainingMemory, TrainingMemoryOptions } from './info/memoryNeeds.ts';
export { predictionMemory, trainingMemory } from './info/memoryNeeds.ts';
export type { InputSize, StageCosts } from './info/networkCosts.ts';
export { networkCosts } from './info/networkCosts.ts';
export type {
  AtssLossConfig,
  AutoAssignLossConfig,
  CenterWeighting,
  FcosLossConfig,
  FreeAnchorLossConfig,
  LossConfig,
  Objectness,
  RetinaNetLossConfig,
} from './lossConfig.ts';
export { isAutoAssign } from './lossConfig.ts';
export type { AssignedWeights, Weighing } from './model/assignedWeights.ts';
export { assignedWeights, weighingPrior } from './model/assignedWeights.ts';
export type { Detector, DetectorOptions } from './model/detector.ts';
export { createDetector } from './model/detector.ts';
export type { LossFunction } from './model/detectorLoss.ts';
export { detectorLoss, lossFunction } from './model/detectorLoss.ts';
export type { NeckParams } from './model/fpn.ts';
export type { HeadParams, TowerLayerParams } from './model/head.ts';
export { readTree } from './model/materialize.ts';
export type { Forward, Params } from './model/network.ts';
export { initParams, isTrained, trainedParams, withTrained } from './model/network.ts';
export type { BackboneParams, BlockParams, NamedFilters, StemLayerParams } from './model/resnet.ts';
export { deformableResnext101Config, resnet101Config, resnext101Config } from './networks.ts';
export type { ConvParams, FilterParams } from './nn/conv.ts';
export type { DeformableConvParams } from './nn/deformable.ts';
export type { NamedNorms, NormName, NormParams } from './nn/norm.ts';
export type { Recompute } from './nn/recompute.ts';
export type { ExportedOnnx, OnnxExportOptions } from './onnx/exportOnnx.ts';
export { exportOnnx } from './onnx/exportOnnx.ts';
export type { Checkpoint, CheckpointInfo } from './train/checkpoint.ts';
export { readCheckpoint, restoreState, writeCheckpoint } from './train/checkpoint.ts';
export type { EmaOptions, ParamsByPath } from './train/ema.ts';
export type {
  CheckpointEvent,
  DataPosition,
  DoneEvent,
  EvaluateEvent,
  LossValues,
  StepEvent,
  TrainEvent,
} from './train/events.ts';
export { train } from './train/loop.ts';
export type { TrainOptions } from './train/run.ts';
export type { TrainState } from './train/state.ts';
export { averagedParams, initialState } from './train/state.ts';
export type { GradientOptions, StepResult, TrainStep, TrainStepOptions } from './train/step.ts';
export { trainStep } from './train/step.ts';
export { TrainingError } from './train/trainingError.ts';
export { validateConfig } from './validateConfig.ts';
export type { ByteSource } from './weights/byteSource.ts';
export { sourceOfBlob, sourceOfBytes } from './weights/byteSource.ts';
export type { ClassMatch } from './weights/classes.ts';
export type { CheckpointEntry } from './weights/layout.ts';
export { checkpointLayout, parameterCount } from './weights/layout.ts';
export type { CheckpointReport, LoadCheckpointOptions, LoadedCheckpoint } from './weights/loadCheckpoint.ts';
export { loadCheckpoint } from './weights/loadCheckpoint.ts';
export type { LoadedWeights, LoadOptions, WeightsReport } from './weights/loadWeights.ts';
export { loadWeights } from './weights/loadWeights.ts';
export type { NameScheme, Translation } from './weights/names.ts';
export { theirNames } from './weights/names.ts';
export type { Safetensors, StoredData, StoredDType, StoredTensor } from './weights/safetensors.ts';
export { readSafetensors, writeSafetensors } from './weights/safetensors.ts';
export type { TorchFile, TorchOptions } from './weights/torch/readTorch.ts';
export { readTorch } from './weights/torch/readTorch.ts';
export type { StateDict, StateDictOptions } from './weights/torch/stateDict.ts';
export { stateDictOf } from './weights/torch/stateDict.ts';
export type { TorchOpaque, TorchStorage, TorchTensor, TorchValue } from './weights/torch/values.ts';
export type { TorchContent } from './weights/torch/writeTorch.ts';
export { writeTorch } from './weights/torch/writeTorch.ts';
export type { ArrayHead, FileReport, OpenOptions, WeightsFile } from './weights/weightsFile.ts';
export { openWeights, torchMeta } from './weights/weightsFile.ts';
