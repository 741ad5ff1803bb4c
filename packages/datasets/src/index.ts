// Public surface of @autoassign/datasets: readers, the shapes dataset, transforms, batches, COCO evaluation.
export type { AssembleOptions, Batch } from './batch/assemble.ts';
export { type BatchOptions, type BatchStream, batches } from './batch/batches.ts';
export { type CountedSize, chooseBuckets } from './batch/buckets.ts';
export { type PlanOptions, planBatches, type Shard } from './batch/plan.ts';
export type { BucketOptions } from './batch/survey.ts';
export type { CocoLayoutOptions } from './coco/layout.ts';
export { openCoco } from './coco/open.ts';
export { isTrainable } from './dataset.ts';
export { decodeImage, openImage } from './decode.ts';
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
export { type ShapesOptions, type ShapesSplit, shapes } from './shapes/dataset.ts';
export { shapeClasses } from './shapes/outlines.ts';
export { type RenderedShapes, renderShapes } from './shapes/render.ts';
export { type WriteShapesOptions, type WrittenShapes, writeShapes } from './shapes/write.ts';
export { type CropStep, crop } from './transforms/crop.ts';
export type { Region } from './transforms/cut.ts';
export { type FlipAxis, type FlipStep, flip } from './transforms/flip.ts';
export type { MinimumIouCropStep } from './transforms/minimumIouCrop.ts';
export type { MosaicStep } from './transforms/mosaic.ts';
export {
  caffeNormalization,
  type Normalization,
  type NormalizeJitterStep,
  normalize,
  torchvisionNormalization,
} from './transforms/normalize.ts';
export { parseSteps } from './transforms/parseSteps.ts';
export type { PhotometricStep } from './transforms/photometric.ts';
export { type ResizeStep, resize } from './transforms/resize.ts';
export { resizePixels } from './transforms/resizePixels.ts';
export { type ImageSize, paddedSize, type Range, resizedSize, type TargetSize } from './transforms/size.ts';
export {
  applySteps,
  companionIndices,
  normalizationFor,
  type TransformStep,
} from './transforms/steps.ts';
export { type TestTimeOptions, type TestTimeVariant, testTimeVariants } from './transforms/testTime.ts';
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
