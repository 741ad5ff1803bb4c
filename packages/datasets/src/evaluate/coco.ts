// COCO average precision and recall: the twelve numbers, the same per class, and the curves behind them.
import { DatasetError } from '../errors.ts';
import { emptyCurves, fillCurves } from './accumulate.ts';
import { columnsOf } from './columns.ts';
import { type MatchSettings, matchClass, stretchesOf } from './match.ts';
import { metricsOf } from './metrics.ts';
import type {
  AreaRange,
  CocoDetection,
  CocoEvaluation,
  CocoEvaluationOptions,
  CocoGroundTruth,
} from './types.ts';

/** 0.5, 0.55, ... 0.95, to the last bit the numbers the COCO toolkit compares with. */
const usualThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5,
);

/** In square pixels. */
const usualAreas: Readonly<Record<string, AreaRange>> = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
};

/**
 * The COCO metrics of some detections, and the curves they are means of.
 *
 * Units    boxes x, y, width, height in pixels of the original images; metrics 0 to 1
 * Throws   DatasetError when an entry names an unknown image or category, holds a number that is not finite, or an option is out of range
 * Source   COCO detection evaluation of boxes; differs in: an annotation with id 0 is an object like any other
 * Example  evaluateCoco(groundTruthOf(dataset), detections).metrics.AP
 */
export const evaluateCoco = (
  groundTruth: CocoGroundTruth,
  detections: Iterable<CocoDetection>,
  options: CocoEvaluationOptions = {},
): CocoEvaluation => {
  const { iouThresholds = usualThresholds, areas = usualAreas, maxDetections = [1, 10, 100] } = options;
  checkOptions(iouThresholds, maxDetections);
  const isClassAgnostic = options.isClassAgnostic === true;
  const chosen = options.categoryIds === undefined ? undefined : new Set(options.categoryIds);
  const categories = groundTruth.categories
    .filter(({ id }) => chosen?.has(id) !== false)
    .sort((a, b) => a.id - b.id);
  const columns = columnsOf(groundTruth, detections, {
    label: 'evaluateCoco',
    categoryIds: categories.map(({ id }) => id),
    imageIds: options.imageIds,
    isClassAgnostic,
  });
  const classes = isClassAgnostic ? [{ id: -1, name: 'all classes' }] : categories;
  const settings: MatchSettings = {
    // The toolkit's thresholds end just below 1, so that rounding does not spoil an exact overlap.
    iouThresholds: iouThresholds.map((threshold) => Math.min(threshold, 1 - 1e-10)),
    areas: Object.values(areas),
    maxDetections: maxDetections.at(-1)!,
  };
  const curves = emptyCurves(iouThresholds.length, classes.length, settings.areas.length, maxDetections);
  const objectCounts = stretchesOf(columns).map((stretch, k) => {
    fillCurves(curves, k, matchClass(columns, stretch, settings));
    const [from, to] = stretch.objects;
    return columns.objectOrder.subarray(from, to).filter((o) => !columns.objects.crowd[o]).length;
  });
  const axes = {
    iouThresholds,
    categoryIds: classes.map(({ id }) => id),
    areas: Object.keys(areas),
    maxDetections,
  };
  const evaluation = { precision: curves.precision, recall: curves.recall, axes };
  const perClass = classes.map(({ id, name }, k) => ({
    categoryId: id,
    name: name ?? String(id),
    objects: objectCounts[k]!,
    metrics: metricsOf(evaluation, [id]),
  }));
  return { metrics: metricsOf(evaluation), perClass, ...evaluation };
};

const checkOptions = (iouThresholds: readonly number[], maxDetections: readonly number[]): void => {
  const isThreshold = (value: number): boolean => value > 0 && value <= 1;
  if (!isAscending(iouThresholds) || !iouThresholds.every(isThreshold) || iouThresholds.length > 32)
    throw badOption('iouThresholds', '1 to 32 ascending numbers above 0 and at most 1', iouThresholds);
  const isLimit = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (!isAscending(maxDetections) || !maxDetections.every(isLimit))
    throw badOption('maxDetections', 'ascending whole numbers above 0', maxDetections);
};

const isAscending = (values: readonly number[]): boolean =>
  values.length > 0 && values.every((value, i) => i === 0 || value > values[i - 1]!);

const badOption = (option: string, needs: string, got: readonly number[]): DatasetError =>
  new DatasetError(`evaluateCoco(${option}): needs ${needs}, got [${got.join(', ')}]. Correct the option.`, {
    field: option,
  });
