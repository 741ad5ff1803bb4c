// Precision and recall from matches at the 101 recall values of the COCO evaluation.
import type { Matches } from './match.ts';
import { sortByScore } from './order.ts';
import type { CocoCurves } from './types.ts';

/** The recall values at which precision is read: 0, 0.01, ... 1. */
export const recallValues: readonly number[] = Array.from({ length: 101 }, (_, i) => i * 0.01);

/** The curves of all classes while they are being filled, for so many of the best detections of an image in turn. */
export interface Curves {
  readonly precision: CocoCurves;
  readonly recall: CocoCurves;
  readonly maxDetections: readonly number[];
}

/**
 * Curves of the given extent with nothing in them yet.
 */
export const emptyCurves = (
  thresholds: number,
  classes: number,
  areas: number,
  maxDetections: readonly number[],
): Curves => {
  const nothing = (shape: readonly number[]): CocoCurves => ({
    shape,
    data: new Float64Array(shape.reduce((product, length) => product * length, 1)).fill(Number.NaN),
  });
  const limits = maxDetections.length;
  return {
    precision: nothing([thresholds, recallValues.length, classes, areas, limits]),
    recall: nothing([thresholds, classes, areas, limits]),
    maxDetections,
  };
};

/**
 * Enters what the matches of one class say into the curves; areas without objects stay NaN.
 *
 * Source   COCO detection evaluation: stable order by score, precision made monotone from the right
 */
export const fillCurves = (curves: Curves, classNumber: number, matches: Matches): void => {
  const [thresholds = 0, , classes = 0, areas = 0, limits = 0] = curves.precision.shape;
  const order = Uint32Array.from(matches.scores, (_, i) => i);
  sortByScore(order, matches.scores, 0, order.length);
  for (const [l, limit] of curves.maxDetections.entries()) {
    const kept = order.filter((i) => matches.ranks[i]! < limit);
    for (let a = 0; a < areas; a++) {
      const objects = matches.objects[a]!;
      if (objects === 0) continue;
      const found = kept.map((i) => matches.matched[a]![i]!);
      const ignored = kept.map((i) => matches.ignored[a]![i]!);
      for (const [t, precisions] of precisionsAtHits(found, ignored, thresholds).entries()) {
        const at = (row: number): number => ((row * classes + classNumber) * areas + a) * limits + l;
        curves.recall.data[at(t)] = precisions.length / objects;
        const read = readAtRecalls(precisions, objects);
        for (let r = 0; r < read.length; r++)
          curves.precision.data[at(t * recallValues.length + r)] = read[r]!;
      }
    }
  }
};

/** Precision at each hit, in order, per threshold: recall rises nowhere else, and precision falls everywhere else. */
const precisionsAtHits = (found: Uint32Array, ignored: Uint32Array, thresholds: number): number[][] => {
  const precisions = Array.from({ length: thresholds }, (): number[] => []);
  const left = new Uint32Array(thresholds);
  const all = 2 ** thresholds - 1;
  let leftByAll = 0;
  for (let i = 0; i < found.length; i++) {
    const [bits, without] = [found[i]!, ignored[i]!];
    if (without >>> 0 === all) leftByAll += 1;
    else if ((bits | without) !== 0)
      for (let t = 0; t < thresholds; t++) {
        if ((without >>> t) & 1) left[t]! += 1;
        else if ((bits >>> t) & 1) {
          const counted = i + 1 - leftByAll - left[t]!;
          precisions[t]!.push((precisions[t]!.length + 1) / (counted + Number.EPSILON));
        }
      }
  }
  return precisions;
};

/**
 * The interpolated precision at each of the recall values: the best of all hits with at least that recall.
 *
 * Shapes   precision at each hit, in the order of the scores → 101 values
 */
export const readAtRecalls = (precisions: readonly number[], objects: number): Float64Array => {
  const read = new Float64Array(recallValues.length);
  let hits = precisions.length;
  let best = 0;
  for (let r = read.length - 1; r >= 0; r--) {
    while (hits > 0 && hits / objects >= recallValues[r]!) {
      hits -= 1;
      best = Math.max(best, precisions[hits]!);
    }
    read[r] = best;
  }
  return read;
};
