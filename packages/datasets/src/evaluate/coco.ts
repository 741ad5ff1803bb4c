// COCO average precision and recall: the twelve numbers, the same per class, and the curves behind them.
import { detectionLimits, emptyCurves, fillCurves, metricsOf } from './accumulate.ts';
import { columnsByClass } from './columns.ts';
import { type AreaRange, matchClass } from './match.ts';
import type { CocoDetection, CocoEvaluation, CocoEvaluationOptions, CocoGroundTruth } from './types.ts';

/** 0.5, 0.55, ... 0.95, to the last bit the numbers the COCO toolkit compares with. */
const iouThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5,
);

/** All, small, medium and large objects, in square pixels. */
const areas: readonly AreaRange[] = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
];

/**
 * The COCO metrics of some detections, and the curves they are means of.
 *
 * Units    boxes x, y, width, height in pixels of the original images; metrics 0 to 1
 * Throws   DatasetError when an entry names an unknown image or category, or holds a number that is not finite
 * Source   COCO detection evaluation of boxes; differs in: an annotation with id 0 is an object like any other
 * Example  evaluateCoco(groundTruthOf(dataset), detections).metrics.AP
 */
export const evaluateCoco = (
  groundTruth: CocoGroundTruth,
  detections: Iterable<CocoDetection>,
  options: CocoEvaluationOptions = {},
): CocoEvaluation => {
  const categories = [...groundTruth.categories].sort((a, b) => a.id - b.id);
  const categoryIds = categories.map((category) => category.id);
  const columns = columnsByClass(groundTruth, detections, categoryIds, options.imageIds);
  const settings = { iouThresholds, areas, maxDetections: Math.max(...detectionLimits) };
  const curves = emptyCurves(iouThresholds.length, categories.length, areas.length);
  const objectCounts = columns.map((column, k) => {
    const matches = matchClass(column.objects, column.detections, settings);
    fillCurves(curves, k, matches);
    return matches.objects[0]!;
  });
  const perClass = categories.map(({ id, name }, k) => ({
    categoryId: id,
    name: name ?? String(id),
    objects: objectCounts[k]!,
    metrics: metricsOf(curves, [k]),
  }));
  return { metrics: metricsOf(curves, [...categories.keys()]), perClass, ...curves };
};
