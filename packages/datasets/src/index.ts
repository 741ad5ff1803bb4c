// Public surface of @autoassign/datasets: readers, the shapes dataset, transforms, batches, COCO evaluation.
export type { AssembleOptions, Batch } from './batch/assemble.ts';
export { type BatchOptions, batches } from './batch/batches.ts';
export { type PlanOptions, planBatches } from './batch/plan.ts';
export { type CheckOptions, checkDataset } from './check.ts';
export type { CocoLayoutOptions } from './coco/layout.ts';
export { openCoco } from './coco/open.ts';
export { isTrainable } from './dataset.ts';
export { decodeImage, openImage } from './decode.ts';
export { type DetectedLayout, detectLayout } from './detectLayout.ts';
export { DatasetError } from './errors.ts';
export { evaluateCoco } from './evaluate/coco.ts';
export { formatCocoReport } from './evaluate/report.ts';
export {
  groundTruthOf,
  type ImageDetections,
  parseCocoResults,
  toCocoDetections,
} from './evaluate/results.ts';
export type {
  CocoBox,
  CocoClassMetrics,
  CocoCurves,
  CocoDetection,
  CocoEvaluation,
  CocoEvaluationOptions,
  CocoGroundTruth,
  CocoMetricName,
  CocoMetrics,
  CocoObject,
} from './evaluate/types.ts';
export { openDataset } from './openDataset.ts';
export { type ShapesOptions, type ShapesSplit, shapes } from './shapes/dataset.ts';
export { shapeClasses } from './shapes/outlines.ts';
export { type RenderedShapes, renderShapes } from './shapes/render.ts';
export { type WriteShapesOptions, type WrittenShapes, writeShapes } from './shapes/write.ts';
export { type SplitOptions, splitDataset } from './split.ts';
export {
  type Bin,
  type BoxStatistics,
  type ClassStatistics,
  type DatasetStatistics,
  datasetStatistics,
  type PictureSize,
  type Spread,
} from './statistics.ts';
export { type TrainingSplits, trainingSplits } from './trainingSplits.ts';
export { type FlipAxis, type FlipStep, flip } from './transforms/flip.ts';
export type { MosaicStep } from './transforms/mosaic.ts';
export {
  caffeNormalization,
  type Normalization,
  type NormalizeJitterStep,
  normalize,
  torchvisionNormalization,
} from './transforms/normalize.ts';
export { parseSteps } from './transforms/parseSteps.ts';
export { type ResizeStep, resize, resizePixels } from './transforms/resize.ts';
export { type ImageSize, paddedSize, type Range, resizedSize, type TargetSize } from './transforms/size.ts';
export {
  applySteps,
  companionIndices,
  normalizationFor,
  type TransformStep,
} from './transforms/steps.ts';
export type {
  Annotation,
  Attributes,
  Box,
  Dataset,
  DatasetFormat,
  DatasetReport,
  FileSource,
  FileState,
  FolderWriter,
  ImageRecord,
  OnProblem,
  OpenOptions,
  OpenProgress,
  Pixels,
  Problem,
  ProblemKind,
  Sample,
} from './types.ts';
export type { VocOptions } from './voc/layout.ts';
export { openVoc } from './voc/open.ts';
export { writeCoco } from './write/coco.ts';
export type { Splits } from './write/names.ts';
export type { PicturePlace, WriteOptions, WrittenDataset } from './write/options.ts';
export { writeVoc } from './write/voc.ts';
