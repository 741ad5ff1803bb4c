// Public surface of @autoassign/datasets: readers, the shapes dataset, transforms, batches, COCO evaluation.
export type { AssembleOptions, Batch } from './batch/assemble.ts';
export { type BatchOptions, batches } from './batch/batches.ts';
export { type PlanOptions, planBatches } from './batch/plan.ts';
export type { CocoLayoutOptions } from './coco/layout.ts';
export { openCoco } from './coco/open.ts';
export { isTrainable } from './dataset.ts';
export { decodeImage, openImage } from './decode.ts';
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
export { averageOf } from './evaluate/metrics.ts';
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
export { type ShapesOptions, type ShapesSplit, shapes } from './shapes/dataset.ts';
export { shapeClasses } from './shapes/outlines.ts';
export { type RenderedShapes, renderShapes } from './shapes/render.ts';
export { type WriteShapesOptions, type WrittenShapes, writeShapes } from './shapes/write.ts';
export {
  flip,
  type ImageSize,
  type Normalization,
  normalize,
  paddedSize,
  resize,
  resizedSize,
  resizePixels,
  type TargetSize,
} from './transforms.ts';
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
