// Numbers out of the curves: means over any part of them, and the twelve of the COCO evaluation.
import type { CocoEvaluation, CocoMetricName, CocoMetrics, CocoSelection } from './types.ts';

/** The curves of an evaluation and what their places stand for. */
export type CurvesWithAxes = Pick<CocoEvaluation, 'precision' | 'recall' | 'axes'>;

/**
 * The mean of part of the curves of an evaluation; null where there is nothing to find, or where the evaluation has no such part.
 *
 * Example  averageOf(evaluateCoco(groundTruth, detections), { of: 'recall', iouThreshold: 0.75 })
 */
export const averageOf = (evaluation: CurvesWithAxes, selection: CocoSelection): number | null => {
  const { iouThresholds, categoryIds, areas, maxDetections } = evaluation.axes;
  const { iouThreshold, categoryIds: chosen, area = 'all', maxDetections: limit } = selection;
  const { data, shape } = evaluation[selection.of];
  const values = selection.of === 'precision' ? shape[1]! : 1;
  const a = areas.indexOf(area);
  const l = limit === undefined ? maxDetections.length - 1 : maxDetections.indexOf(limit);
  if (a < 0 || l < 0) return null;
  const classes = chosen?.map((id) => categoryIds.indexOf(id)).filter((k) => k >= 0) ?? [
    ...categoryIds.keys(),
  ];
  let [sum, count] = [0, 0];
  for (let t = 0; t < iouThresholds.length; t++) {
    if (iouThreshold !== undefined && iouThresholds[t] !== iouThreshold) continue;
    for (let v = 0; v < values; v++)
      for (const k of classes) {
        const row = (t * values + v) * categoryIds.length + k;
        const value = data[(row * areas.length + a) * maxDetections.length + l]!;
        if (Number.isNaN(value)) continue;
        sum += value;
        count += 1;
      }
  }
  return count === 0 ? null : sum / count;
};

const selections: Readonly<Record<CocoMetricName, CocoSelection>> = {
  AP: { of: 'precision' },
  AP50: { of: 'precision', iouThreshold: 0.5 },
  AP75: { of: 'precision', iouThreshold: 0.75 },
  APs: { of: 'precision', area: 'small' },
  APm: { of: 'precision', area: 'medium' },
  APl: { of: 'precision', area: 'large' },
  AR1: { of: 'recall', maxDetections: 1 },
  AR10: { of: 'recall', maxDetections: 10 },
  AR100: { of: 'recall', maxDetections: 100 },
  ARs: { of: 'recall', area: 'small' },
  ARm: { of: 'recall', area: 'medium' },
  ARl: { of: 'recall', area: 'large' },
};

/**
 * The twelve numbers over all classes, or over some of them.
 */
export const metricsOf = (evaluation: CurvesWithAxes, categoryIds?: readonly number[]): CocoMetrics => {
  const chosen = categoryIds === undefined ? {} : { categoryIds };
  const entries = Object.entries(selections).map(([name, selection]) => [
    name,
    averageOf(evaluation, { ...selection, ...chosen }),
  ]);
  return Object.fromEntries(entries) as CocoMetrics;
};
