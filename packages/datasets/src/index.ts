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
export { openObjects365 } from './objects365/open.ts';
export { type ShapesOptions, type ShapesSplit, shapes } from './shapes/dataset.ts';
export { shapeClasses } from './shapes/outlines.ts';
export { type RenderedShapes, renderShapes } from './shapes/render.ts';
export { type WriteShapesOptions, type WrittenShapes, writeShapes } from './shapes/write.ts';
export { sourceOfDirectory } from './sources/directory.ts';
export { sourceOfFiles } from './sources/files.ts';
export { sourceOfFolder } from './sources/folder.ts';
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
  ProblemCounts,
  ProblemKind,
  Sample,
} from './types.ts';
