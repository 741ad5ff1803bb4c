// Precision and recall from matches at the 101 recall values of the COCO evaluation, and the twelve numbers from those.
import type { Matches } from './match.ts';
import type { CocoCurves, CocoMetricName, CocoMetrics } from './types.ts';

/** The recall values at which precision is read: 0, 0.01, ... 1. */
const recallValues: readonly number[] = Array.from({ length: 101 }, (_, i) => i * 0.01);

/** So many detections of an image count, the best ones, in turn. */
export const detectionLimits: readonly number[] = [1, 10, 100];

/** The curves of all classes while they are being filled. */
export interface Curves {
  readonly precision: CocoCurves;
  readonly recall: CocoCurves;
}

/**
 * Curves of the given extent with nothing in them yet.
 */
export const emptyCurves = (thresholds: number, classes: number, areas: number): Curves => {
  const nothing = (shape: readonly number[]): CocoCurves => ({
    shape,
    data: new Float64Array(shape.reduce((product, length) => product * length, 1)).fill(Number.NaN),
  });
  const limits = detectionLimits.length;
  return {
    precision: nothing([thresholds, recallValues.length, classes, areas, limits]),
    recall: nothing([thresholds, classes, areas, limits]),
  };
};

/**
 * Enters what the matches of one class say into the curves; areas without objects stay NaN.
 *
 * Source   COCO detection evaluation: stable order by score, precision made monotone from the right
 */
export const fillCurves = (curves: Curves, classNumber: number, matches: Matches): void => {
  const [thresholds = 0, , classes = 0, areas = 0] = curves.precision.shape;
  const { scores, ranks } = matches;
  const byScore = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  for (const [l, limit] of detectionLimits.entries()) {
    const order = Uint32Array.from(byScore.filter((i) => ranks[i]! < limit));
    for (let a = 0; a < areas; a++) {
      if (matches.objects[a] === 0) continue;
      for (let t = 0; t < thresholds; t++) {
        const { precision, recall } = curveOf(matches, order, a, t);
        const at = (row: number): number => ((row * classes + classNumber) * areas + a) * 3 + l;
        curves.recall.data[at(t)] = recall;
        for (const [r, value] of precision.entries())
          curves.precision.data[at(t * recallValues.length + r)] = value;
      }
    }
  }
};

const curveOf = (
  matches: Matches,
  order: Uint32Array,
  area: number,
  threshold: number,
): { precision: Float64Array; recall: number } => {
  const matched = matches.matched[area]!;
  const ignored = matches.ignored[area]!;
  const objects = matches.objects[area]!;
  const count = order.length;
  const recalls = new Float64Array(count);
  const precisions = new Float64Array(count);
  let hits = 0;
  let misses = 0;
  for (let i = 0; i < count; i++) {
    const isHit = (matched[order[i]!]! >> threshold) & 1;
    const counts = 1 - ((ignored[order[i]!]! >> threshold) & 1);
    hits += counts * isHit;
    misses += counts * (1 - isHit);
    recalls[i] = hits / objects;
    precisions[i] = hits / (hits + misses + Number.EPSILON);
  }
  for (let i = count - 2; i >= 0; i--) precisions[i] = Math.max(precisions[i]!, precisions[i + 1]!);
  const precision = new Float64Array(recallValues.length);
  let first = 0;
  for (const [r, value] of recallValues.entries()) {
    while (first < count && recalls[first]! < value) first += 1;
    precision[r] = precisions[first] ?? 0;
  }
  return { precision, recall: hits / objects };
};

/** Which part of the curves a number is the mean of; all IoU thresholds unless there is one. */
interface Selection {
  readonly of: 'precision' | 'recall';
  readonly threshold?: number;
  readonly area: number;
  readonly limit: number;
}

const selections: Readonly<Record<CocoMetricName, Selection>> = {
  AP: { of: 'precision', area: 0, limit: 2 },
  AP50: { of: 'precision', threshold: 0, area: 0, limit: 2 },
  AP75: { of: 'precision', threshold: 5, area: 0, limit: 2 },
  APs: { of: 'precision', area: 1, limit: 2 },
  APm: { of: 'precision', area: 2, limit: 2 },
  APl: { of: 'precision', area: 3, limit: 2 },
  AR1: { of: 'recall', area: 0, limit: 0 },
  AR10: { of: 'recall', area: 0, limit: 1 },
  AR100: { of: 'recall', area: 0, limit: 2 },
  ARs: { of: 'recall', area: 1, limit: 2 },
  ARm: { of: 'recall', area: 2, limit: 2 },
  ARl: { of: 'recall', area: 3, limit: 2 },
};

/**
 * The twelve numbers over the given classes.
 */
export const metricsOf = (curves: Curves, classNumbers: readonly number[]): CocoMetrics => {
  const number = (name: CocoMetricName): number | null => meanOf(curves, selections[name], classNumbers);
  return {
    AP: number('AP'),
    AP50: number('AP50'),
    AP75: number('AP75'),
    APs: number('APs'),
    APm: number('APm'),
    APl: number('APl'),
    AR1: number('AR1'),
    AR10: number('AR10'),
    AR100: number('AR100'),
    ARs: number('ARs'),
    ARm: number('ARm'),
    ARl: number('ARl'),
  };
};

const meanOf = (curves: Curves, selection: Selection, classNumbers: readonly number[]): number | null => {
  const { data, shape } = curves[selection.of];
  const [thresholds = 0, second = 0] = shape;
  const values = selection.of === 'precision' ? second : 1;
  const [classes = 0, areas = 0, limits = 0] = shape.slice(-3);
  let sum = 0;
  let count = 0;
  for (let t = 0; t < thresholds; t++) {
    if (selection.threshold !== undefined && t !== selection.threshold) continue;
    for (let v = 0; v < values; v++) {
      for (const k of classNumbers) {
        const row = (t * values + v) * classes + k;
        const value = data[(row * areas + selection.area) * limits + selection.limit]!;
        if (Number.isNaN(value)) continue;
        sum += value;
        count += 1;
      }
    }
  }
  return count === 0 ? null : sum / count;
};
