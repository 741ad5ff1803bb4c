// PASCAL VOC average precision: per class, by area or at 11 recalls, with difficult objects.
import { DatasetError } from '../../errors.ts';
import type { Box } from '../../types.ts';
import { sortByScore } from '../order.ts';
import type {
  VocClassResult,
  VocCurve,
  VocDetection,
  VocEvaluation,
  VocEvaluationOptions,
  VocGroundTruth,
  VocObject,
} from './types.ts';

/**
 * The VOC average precision of some detections, with the curves behind it.
 *
 * Units    boxes as corners in pixels of the original images; precision and recall 0 to 1
 * Throws   DatasetError when a detection names an unknown image or class or holds a number that is not finite, an image comes twice, or an option is out of range
 * Source   PASCAL VOC development kit, its rounding included: 3 objects of 10 do not reach the recall 3 * 0.1
 * Example  evaluateVoc(vocGroundTruthOf(dataset), detections).meanAp
 */
export const evaluateVoc = (
  groundTruth: VocGroundTruth,
  detections: Iterable<VocDetection>,
  options: VocEvaluationOptions = {},
): VocEvaluation => {
  const { iouThresholds = [0.5], average = 'area', boxEnds = 'edges' } = options;
  if (iouThresholds.length === 0 || !iouThresholds.every((value) => value > 0 && value <= 1))
    throw fault('iouThresholds', 'numbers above 0 and at most 1', `[${iouThresholds.join(', ')}]`);
  const settings = { average, extra: boxEnds === 'pixels' ? 1 : 0 };
  const found = detectionsByClass(groundTruth, detections);
  const wanted = objectsByClass(groundTruth);
  const perClass = groundTruth.classes.map((name, label): VocClassResult => {
    const scene = classScene(wanted[label]!, found[label]!, settings.extra);
    const curves = iouThresholds.map((threshold) => curveOf(scene, threshold, settings));
    const { objects, difficult } = scene;
    return {
      name,
      objects,
      difficult,
      detections: found[label]!.length,
      ap: mean(curves.map((curve) => curve.ap)),
      curves,
    };
  });
  return { meanAp: mean(perClass.map(({ ap }) => ap)), perClass };
};

interface Settings {
  readonly average: 'area' | '11 points';
  /** What a box is wider than x2 - x1. */
  readonly extra: number;
}

const mean = (values: readonly (number | null)[]): number | null => {
  const defined = values.filter((value) => value !== null);
  return defined.length === 0 ? null : defined.reduce((sum, value) => sum + value, 0) / defined.length;
};

/** Per class and image id, the objects. */
const objectsByClass = ({ classes, images }: VocGroundTruth): Map<string, VocObject[]>[] => {
  const byClass = classes.map(() => new Map<string, VocObject[]>());
  for (const [i, { id, objects }] of images.entries())
    for (const [j, object] of objects.entries()) {
      const field = `images[${i}].objects[${j}]`;
      const ofClass = byClass[object.label];
      if (ofClass === undefined) throw unknownLabel(`${field}.label`, object.label, classes.length);
      if (!object.box.every(Number.isFinite))
        throw fault(`${field}.box`, 'finite numbers', object.box.join(', '));
      const ofImage = ofClass.get(id);
      if (ofImage === undefined) ofClass.set(id, [object]);
      else ofImage.push(object);
    }
  return byClass;
};

const detectionsByClass = (
  { classes, images }: VocGroundTruth,
  detections: Iterable<VocDetection>,
): VocDetection[][] => {
  const known = new Set(images.map(({ id }) => id));
  if (known.size < images.length)
    throw fault('images', 'every image once', `${images.length - known.size} again`);
  const byClass = classes.map((): VocDetection[] => []);
  let i = 0;
  for (const detection of detections) {
    const { imageId, label, box, score } = detection;
    const field = `detections[${i++}]`;
    if (!known.has(imageId)) throw fault(`${field}.imageId`, 'an image of the ground truth', imageId);
    const ofClass = byClass[label];
    if (ofClass === undefined) throw unknownLabel(`${field}.label`, label, classes.length);
    if (!box.every(Number.isFinite)) throw fault(`${field}.box`, 'finite numbers', box.join(', '));
    if (!Number.isFinite(score)) throw fault(`${field}.score`, 'a finite number', String(score));
    ofClass.push(detection);
  }
  return byClass;
};

const unknownLabel = (field: string, label: number, classes: number): DatasetError =>
  fault(field, `a label from 0 to ${classes - 1}`, String(label));

const fault = (field: string, needs: string, got: string): DatasetError =>
  new DatasetError(`evaluateVoc(${field}): needs ${needs}, got ${got}. Correct the entry.`, { field });

/** One class: its detections by descending score, each with the object it overlaps most, -1 for none. */
interface ClassScene {
  readonly objects: number;
  readonly difficult: number;
  readonly isDifficult: readonly boolean[];
  readonly scores: Float64Array;
  readonly nearest: Int32Array;
  readonly overlaps: Float64Array;
}

const classScene = (
  wanted: ReadonlyMap<string, readonly VocObject[]>,
  found: readonly VocDetection[],
  extra: number,
): ClassScene => {
  const first = new Map<string, number>();
  const isDifficult: boolean[] = [];
  for (const [id, objects] of wanted) {
    first.set(id, isDifficult.length);
    isDifficult.push(...objects.map((object) => object.isDifficult));
  }
  const scores = Float64Array.from(found, ({ score }) => score);
  const order = Uint32Array.from(found, (_, i) => i);
  sortByScore(order, scores, 0, order.length);
  const nearest = new Int32Array(found.length).fill(-1);
  const overlaps = new Float64Array(found.length);
  for (const [place, i] of order.entries()) {
    const { imageId, box } = found[i]!;
    for (const [j, object] of (wanted.get(imageId) ?? []).entries()) {
      const overlap = iouOf(box, object.box, extra);
      if (overlap <= overlaps[place]!) continue;
      overlaps[place] = overlap;
      nearest[place] = first.get(imageId)! + j;
    }
  }
  const difficult = isDifficult.filter(Boolean).length;
  const objects = isDifficult.length - difficult;
  return {
    objects,
    difficult,
    isDifficult,
    scores: scores.map((_, i) => scores[order[i]!]!),
    nearest,
    overlaps,
  };
};

const iouOf = (a: Box, b: Box, extra: number): number => {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + extra;
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + extra;
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (areaOf(a, extra) + areaOf(b, extra) - common);
};

const areaOf = ([x1, y1, x2, y2]: Box, extra: number): number => (x2 - x1 + extra) * (y2 - y1 + extra);

const curveOf = (scene: ClassScene, iouThreshold: number, { average }: Settings): VocCurve => {
  const { objects, nearest, overlaps, isDifficult } = scene;
  const taken = new Uint8Array(isDifficult.length);
  const [scores, precision, recall, precisionsAtHits]: [number[], number[], number[], number[]] = [
    [],
    [],
    [],
    [],
  ];
  for (const [i, score] of scene.scores.entries()) {
    const isNear = overlaps[i]! >= iouThreshold;
    const object = nearest[i]!;
    if (isNear && isDifficult[object]) continue;
    const isHit = isNear && taken[object] === 0;
    if (isHit) taken[object] = 1;
    const hits = precisionsAtHits.length + (isHit ? 1 : 0);
    scores.push(score);
    precision.push(hits / scores.length);
    recall.push(objects === 0 ? 0 : hits / objects);
    if (isHit) precisionsAtHits.push(hits / scores.length);
  }
  return {
    iouThreshold,
    ap: objects === 0 ? null : (average === 'area' ? areaUnder : elevenPoints)(precisionsAtHits, objects),
    hits: precisionsAtHits.length,
    scores: Float64Array.from(scores),
    precision: Float64Array.from(precision),
    recall: Float64Array.from(recall),
  };
};

/** The best precision at any later hit, for each hit; recall rises by the same amount at each. */
const areaUnder = (precisionsAtHits: readonly number[], objects: number): number => {
  let [best, sum] = [0, 0];
  for (const value of precisionsAtHits.toReversed()) {
    best = Math.max(best, value);
    sum += best;
  }
  return sum / objects;
};

const elevenPoints = (precisionsAtHits: readonly number[], objects: number): number => {
  let sum = 0;
  for (let tenth = 0; tenth <= 10; tenth++) {
    const reached = precisionsAtHits.filter((_, i) => (i + 1) / objects >= tenth * 0.1);
    sum += reached.reduce((best, value) => Math.max(best, value), 0);
  }
  return sum / 11;
};
