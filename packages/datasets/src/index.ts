// Public surface of @autoassign/datasets: readers, the shapes dataset, transforms, batches, evaluations, statistics, writers.
export type { AssembleOptions, Batch } from './batch/assemble.ts';
export { type BatchOptions, type BatchStream, batches } from './batch/batches.ts';
export { type CountedSize, chooseBuckets } from './batch/buckets.ts';
export { type PlanOptions, planBatches, type Shard } from './batch/plan.ts';
export type { BucketOptions, MostShapes } from './batch/survey.ts';
export { type CheckOptions, checkDataset } from './check.ts';
export type { CocoLayoutOptions } from './coco/layout.ts';
export { openCoco } from './coco/open.ts';
export { isTrainable } from './dataset.ts';
export { type DecodeOptions, decodeImage, openImage } from './decode.ts';
export { type DetectedLayout, detectLayout } from './detectLayout.ts';
export { DatasetError } from './errors.ts';
export { evaluateCoco } from './evaluate/coco.ts';
export { analyseErrors } from './evaluate/errorAnalysis/analyse.ts';
export { formatErrorReport } from './evaluate/errorAnalysis/report.ts';
export type {
  ErrorAnalysis,
  ErrorAnalysisOptions,
  ErrorCost,
  ErrorKind,
} from './evaluate/errorAnalysis/types.ts';
export { averageOf, type CurvesWithAxes } from './evaluate/metrics.ts';
export { formatCocoReport } from './evaluate/report.ts';
export {
  groundTruthOf,
  type ImageDetections,
  parseCocoResults,
  toCocoDetections,
} from './evaluate/results.ts';
export type {
  AreaRange,
  CocoAxes,
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
  CocoSelection,
} from './evaluate/types.ts';
export { evaluateVoc } from './evaluate/voc/evaluate.ts';
export {
  formatVocResults,
  parseVocResults,
  type ResultsFile,
  toVocDetections,
  type VocResultsOptions,
  vocGroundTruthOf,
} from './evaluate/voc/results.ts';
export type {
  VocClassResult,
  VocCurve,
  VocDetection,
  VocEvaluation,
  VocEvaluationOptions,
  VocGroundTruth,
  VocObject,
} from './evaluate/voc/types.ts';
export { evaluateWiderFace } from './evaluate/widerFace/evaluate.ts';
export { parseWiderFaceGroundTruth, widerFaceGroundTruthOf } from './evaluate/widerFace/lists.ts';
export { readWiderFaceMats, type WiderFaceMats } from './evaluate/widerFace/matLists.ts';
export {
  formatWiderFaceResult,
  parseWiderFaceResult,
  toWiderFaceResult,
} from './evaluate/widerFace/results.ts';
export type {
  WiderFaceDetection,
  WiderFaceEvaluation,
  WiderFaceGroundTruth,
  WiderFaceImage,
  WiderFaceResult,
  WiderFaceScore,
} from './evaluate/widerFace/types.ts';
export { openObjects365 } from './objects365/open.ts';
export { openDataset } from './openDataset.ts';
export { countProblems } from './problems.ts';
export { type ShapesOptions, type ShapesSplit, shapes } from './shapes/dataset.ts';
export { shapeClasses } from './shapes/outlines.ts';
export { type RenderedShapes, renderShapes } from './shapes/render.ts';
export { type WriteShapesOptions, type WrittenShapes, writeShapes } from './shapes/write.ts';
export { sourceOfDirectory } from './sources/directory.ts';
export { sourceOfFiles } from './sources/files.ts';
export { sourceOfFolder } from './sources/folder.ts';
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
  ProblemCounts,
  ProblemKind,
  Sample,
} from './types.ts';
export type { VocOptions } from './voc/layout.ts';
export { openVoc } from './voc/open.ts';
export type { WiderFaceOptions } from './widerface/layout.ts';
export { openWiderFace } from './widerface/open.ts';
export { writeCoco } from './write/coco.ts';
export type { Splits } from './write/names.ts';
export type { PicturePlace, WriteOptions, WrittenDataset } from './write/options.ts';
export { writeVoc } from './write/voc.ts';
