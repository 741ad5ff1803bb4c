// What each kind of error costs: the average precision gained when that kind alone is fixed.
import { DatasetError } from '../../errors.ts';
import { readAtRecalls } from '../accumulate.ts';
import { type Columns, columnsOf } from '../columns.ts';
import { sortByScore } from '../order.ts';
import type { CocoDetection, CocoGroundTruth } from '../types.ts';
import { classifyDetections, type Outcomes } from './classify.ts';
import type { ErrorAnalysis, ErrorAnalysisOptions, ErrorCost, ErrorKind } from './types.ts';

/**
 * What is wrong with the detections and objects not found, by kind, and the average precision that fixing each kind alone gains.
 *
 * Units    boxes x, y, width, height in pixels of the original images; gains 0 to 1
 * Throws   DatasetError when an entry names an unknown image or category, holds a number that is not finite, or an option is out of range
 * Source   TIDE (Bolya et al. 2020, arXiv 2008.08115); differs in: classes without objects do not count, as in COCO's mean; a class with nothing left to find and nothing wrong has precision 1
 * Example  formatErrorReport(analyseErrors(groundTruthOf(dataset), detections))
 */
export const analyseErrors = (
  groundTruth: CocoGroundTruth,
  detections: Iterable<CocoDetection>,
  options: ErrorAnalysisOptions = {},
): ErrorAnalysis => {
  const { iouThreshold = 0.5, backgroundIou = 0.1, maxDetections = 100 } = options;
  if (!(backgroundIou > 0 && backgroundIou < iouThreshold && iouThreshold <= 1 && maxDetections >= 1))
    throw badOptions(`${backgroundIou}, ${iouThreshold}, ${maxDetections}`);
  const categoryIds = groundTruth.categories.map(({ id }) => id).sort((a, b) => a - b);
  const columns = columnsOf(groundTruth, detections, { label: 'analyseErrors', categoryIds });
  const outcomes = classifyDetections(columns, { iouThreshold, backgroundIou, maxDetections });
  const states = statesOf(columns, outcomes);
  const ap = meanAp(states, columns.classes);
  const cost = (count: number, fixed: States): ErrorCost => {
    const value = meanAp(fixed, columns.classes);
    return { count, gain: ap === null || value === null ? null : Math.max(0, value - ap) };
  };
  const countOf = (kind: string): number => outcomes.detections.filter((outcome) => outcome === kind).length;
  const kinds = detectionKinds.map((kind) => [
    kind,
    cost(countOf(kind), withoutKind(states, outcomes, columns, kind)),
  ]);
  const objects = Array.from(columns.objectOrder).filter((o) => !columns.objects.crowd[o]);
  const notFound = objects.filter((o) => outcomes.isFound[o] === 0);
  const missed = notFound.filter((o) => outcomes.rescue[o]! < 0);
  const dropped = countOf('dropped');
  const [hits, ignored, all] = [countOf('hit'), countOf('ignored'), outcomes.detections.length - dropped];
  return {
    iouThreshold,
    ap,
    objects: objects.length,
    detections: all,
    hits,
    ignored,
    kinds: {
      ...Object.fromEntries(kinds),
      missed: cost(missed.length, withFewerObjects(states, columns, missed)),
    } as Record<ErrorKind, ErrorCost>,
    wrong: cost(all - hits - ignored, {
      ...states,
      order: states.order.filter((d) => states.isHit[d] === 1),
    }),
    notFound: cost(notFound.length, withFewerObjects(states, columns, notFound)),
  };
};

const detectionKinds = ['classification', 'localisation', 'both', 'duplicate', 'background'] as const;

const badOptions = (got: string): DatasetError =>
  new DatasetError(
    `analyseErrors(options): needs 0 < backgroundIou < iouThreshold <= 1 and maxDetections of at least 1, got ${got}. Correct the options.`,
    { field: 'options' },
  );

/** What average precision depends on: detections that count, best score first, whether each is a hit and in which class, and the objects per class. */
interface States {
  readonly order: Uint32Array;
  readonly isHit: Uint8Array;
  readonly category: ArrayLike<number>;
  readonly objects: readonly number[];
  /** Classes that have objects before anything is fixed. */
  readonly isCounted: readonly boolean[];
}

const statesOf = ({ objects, detections, detectionOrder, classes }: Columns, outcomes: Outcomes): States => {
  const counts = new Array<number>(classes).fill(0);
  for (const [o, category] of objects.category.entries()) if (!objects.crowd[o]) counts[category]! += 1;
  const order = detectionOrder.filter((d) => !['ignored', 'dropped'].includes(outcomes.detections[d]!));
  sortByScore(order, detections.score, 0, order.length);
  return {
    order,
    isHit: Uint8Array.from(outcomes.detections, (outcome) => Number(outcome === 'hit')),
    category: detections.category,
    objects: counts,
    isCounted: counts.map((count) => count > 0),
  };
};

/** Detections of the kind become hits where they are the best for an object that was not found, and go elsewhere. */
const withoutKind = (
  states: States,
  { detections, meant, rescue }: Outcomes,
  { objects }: Columns,
  kind: (typeof detectionKinds)[number],
): States => {
  const isRescue = (d: number): boolean => meant[d]! >= 0 && rescue[meant[d]!] === d;
  const isHit = states.isHit.slice();
  const category = Uint32Array.from(states.category);
  const order = states.order.filter((d) => detections[d] !== kind || isRescue(d));
  for (const d of order) {
    if (detections[d] !== kind) continue;
    isHit[d] = 1;
    category[d] = objects.category[meant[d]!]!;
  }
  return { ...states, order, isHit, category };
};

const withFewerObjects = (states: States, { objects }: Columns, fewer: readonly number[]): States => {
  const counts = [...states.objects];
  for (const o of fewer) counts[objects.category[o]!]! -= 1;
  return { ...states, objects: counts };
};

/** The mean over the classes with objects; null without any. */
const meanAp = ({ order, isHit, category, objects, isCounted }: States, classes: number): number | null => {
  const precisions = Array.from({ length: classes }, (): number[] => []);
  const misses = new Uint32Array(classes);
  for (const d of order) {
    const k = category[d]!;
    const ofClass = precisions[k]!;
    if (isHit[d] === 1)
      ofClass.push((ofClass.length + 1) / (ofClass.length + 1 + misses[k]! + Number.EPSILON));
    else misses[k]! += 1;
  }
  const values = precisions.flatMap((ofClass, k) => {
    if (!isCounted[k]) return [];
    if (objects[k] === 0) return [misses[k] === 0 ? 1 : 0];
    const read = readAtRecalls(ofClass, objects[k]!);
    return [read.reduce((sum, value) => sum + value, 0) / read.length];
  });
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
};
