// What is wrong with each detection: hits by the COCO rules, and for the others the kind of their error.
import type { Columns } from '../columns.ts';
import { endOfImage } from '../columns.ts';
import { orderByKey } from '../order.ts';
import { overlapOf } from '../overlap.ts';
import type { ErrorAnalysisOptions, ErrorKind } from './types.ts';

/** What became of a detection; `dropped` ones are beyond the limit of their image. */
export type Outcome = Exclude<ErrorKind, 'missed'> | 'hit' | 'ignored' | 'dropped';

/** The outcome of every detection, and of every object whether it was found. */
export interface Outcomes {
  readonly detections: readonly Outcome[];
  /** Per detection with a wrong class or place, the object it would have found; -1 for all others. */
  readonly meant: Int32Array;
  /** Per object. */
  readonly isFound: Uint8Array;
  /** Per object that was not found, the best detection that meant it; -1 where none did. */
  readonly rescue: Int32Array;
}

/**
 * The outcome of every detection.
 *
 * Source   TIDE (Bolya et al. 2020), section 2.2, with COCO's matching; differs in: an IoU of exactly the threshold is enough, as in COCO's
 */
export const classifyDetections = (columns: Columns, options: Required<ErrorAnalysisOptions>): Outcomes => {
  const { objects, detections } = columns;
  const crowd = Uint8Array.from(objects.crowd, Number);
  const outcomes: MutableOutcomes = {
    detections: new Array<Outcome>(detections.score.length).fill('dropped'),
    meant: new Int32Array(detections.score.length).fill(-1),
    isFound: new Uint8Array(objects.area.length),
    rescue: new Int32Array(objects.area.length).fill(-1),
  };
  const free = crowd.map((isCrowd) => 1 - isCrowd);
  const images = Math.max(-1, ...[detections, objects].map(({ image }) => largest(image))) + 1;
  const byImage = orderByKey(columns.detectionOrder, detections.image, images);
  const wantedByImage = orderByKey(columns.objectOrder, objects.image, images);
  let next = 0;
  for (let from = 0; from < byImage.length; ) {
    const image = detections.image[byImage[from]!]!;
    let to = from;
    while (to < byImage.length && detections.image[byImage[to]!] === image) to += 1;
    while (next < wantedByImage.length && objects.image[wantedByImage[next]!]! < image) next += 1;
    let end = next;
    while (end < wantedByImage.length && objects.image[wantedByImage[end]!] === image) end += 1;
    const scene: Scene = {
      columns,
      found: byImage.subarray(from, to),
      wanted: wantedByImage.subarray(next, end),
      crowd,
      free,
      options,
    };
    takeObjects(scene, outcomes);
    explainMisses(scene, outcomes);
    from = to;
  }
  return outcomes;
};

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), -1);

/** Detections and objects of one image: by class, detections of a class by descending score. */
interface Scene {
  readonly columns: Columns;
  readonly found: Uint32Array;
  readonly wanted: Uint32Array;
  /** Per object, 1 for crowd regions. */
  readonly crowd: Uint8Array;
  /** Per object, 1 while it can be taken. */
  readonly free: Uint8Array;
  readonly options: Required<ErrorAnalysisOptions>;
}

interface MutableOutcomes extends Outcomes {
  readonly detections: Outcome[];
}

const takeObjects = (scene: Scene, outcomes: MutableOutcomes): void => {
  const { columns, found, wanted, crowd, free, options } = scene;
  const { objects, detections } = columns;
  for (let from = 0; from < found.length; ) {
    const to = endOfImage(detections, found, from, found.length);
    const category = detections.category[found[from]!];
    const ofClass = wanted.filter((o) => objects.category[o] === category);
    for (const d of found.subarray(from, Math.min(to, from + options.maxDetections))) {
      outcomes.detections[d] = 'background';
      const object = nearest(columns, d, ofClass, free, options.iouThreshold);
      if (object >= 0) {
        outcomes.detections[d] = 'hit';
        outcomes.isFound[object] = 1;
        free[object] = 0;
      } else if (nearest(columns, d, ofClass, crowd, options.iouThreshold) >= 0)
        outcomes.detections[d] = 'ignored';
    }
    from = to;
  }
};

/** The object with the largest overlap of at least `atLeast` among those marked by 1, the last one of equals; -1 when there is none. */
const nearest = (
  { objects, detections }: Columns,
  d: number,
  among: Uint32Array,
  marks: Uint8Array,
  atLeast: number,
): number => {
  let [best, most] = [-1, atLeast];
  for (const o of among) {
    if (marks[o] === 0) continue;
    const overlap = overlapOf(detections, d, objects, o);
    if (overlap < most) continue;
    [best, most] = [o, overlap];
  }
  return best;
};

/** Gives every detection that is neither hit nor ignored its kind, and every object not found its rescue. */
const explainMisses = (
  { columns, found, wanted, crowd, options }: Scene,
  outcomes: MutableOutcomes,
): void => {
  const { objects, detections } = columns;
  const { iouThreshold, backgroundIou } = options;
  for (const d of found) {
    if (outcomes.detections[d] !== 'background') continue;
    let [same, sameOverlap, other, otherOverlap] = [-1, 0, -1, 0];
    for (const o of wanted) {
      if (crowd[o] === 1) continue;
      const overlap = overlapOf(detections, d, objects, o);
      if (objects.category[o] === detections.category[d]) {
        if (overlap > sameOverlap) [same, sameOverlap] = [o, overlap];
      } else if (overlap > otherOverlap) [other, otherOverlap] = [o, overlap];
    }
    if (sameOverlap >= backgroundIou && sameOverlap < iouThreshold)
      mean(outcomes, columns, d, 'localisation', same);
    else if (otherOverlap >= iouThreshold) mean(outcomes, columns, d, 'classification', other);
    else if (sameOverlap >= iouThreshold) outcomes.detections[d] = 'duplicate';
    else if (otherOverlap > backgroundIou) outcomes.detections[d] = 'both';
  }
};

const mean = (
  outcomes: MutableOutcomes,
  { detections }: Columns,
  d: number,
  kind: 'localisation' | 'classification',
  object: number,
): void => {
  outcomes.detections[d] = kind;
  outcomes.meant[d] = object;
  if (outcomes.isFound[object] === 1) return;
  const rescue = outcomes.rescue[object]!;
  if (rescue < 0 || detections.score[d]! > detections.score[rescue]!) outcomes.rescue[object] = d;
};
