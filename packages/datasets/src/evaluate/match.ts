// Greedy matching of detections to objects, as the COCO evaluation defines it: one class at a time, image by image.
import type { Columns, ObjectColumns } from './columns.ts';
import { endOfImage } from './columns.ts';
import { overlapOf } from './overlap.ts';
import type { AreaRange } from './types.ts';

/** A class as stretches of the orders of the columns, ends exclusive. */
export interface ClassStretch {
  readonly objects: readonly [from: number, to: number];
  readonly detections: readonly [from: number, to: number];
}

/** What became of the detections of one class, in the order images ascending, scores descending. */
export interface Matches {
  readonly scores: Float64Array;
  /** Place of each detection within its image, from 0. */
  readonly ranks: Uint32Array;
  /** Per area range and detection, one bit per IoU threshold: it found an object. */
  readonly matched: readonly Uint32Array[];
  /** Per area range and detection, one bit per IoU threshold: it counts neither for nor against. */
  readonly ignored: readonly Uint32Array[];
  /** Per area range, the number of objects to find. */
  readonly objects: readonly number[];
}

/** What matching depends on besides the boxes. */
export interface MatchSettings {
  /** Ascending, at most 32 of them. */
  readonly iouThresholds: readonly number[];
  readonly areas: readonly AreaRange[];
  /** Only so many detections of an image are looked at, the best ones. */
  readonly maxDetections: number;
}

/**
 * The stretches of all classes.
 */
export const stretchesOf = ({ objects, detections, classes, ...orders }: Columns): ClassStretch[] => {
  const ends = (category: readonly number[], order: Uint32Array): number[] => {
    const counts = new Array<number>(classes + 1).fill(0);
    for (const entry of order) counts[category[entry]! + 1]! += 1;
    for (let k = 0; k < classes; k++) counts[k + 1]! += counts[k]!;
    return counts;
  };
  const objectEnds = ends(objects.category, orders.objectOrder);
  const detectionEnds = ends(detections.category, orders.detectionOrder);
  return Array.from({ length: classes }, (_, k) => ({
    objects: [objectEnds[k]!, objectEnds[k + 1]!],
    detections: [detectionEnds[k]!, detectionEnds[k + 1]!],
  }));
};

/**
 * The matches of all detections of one class: at each threshold a detection, best score first, takes the free object it
 * overlaps most; crowd regions can be taken by many.
 *
 * Source   COCO detection evaluation; differs in: an annotation with id 0 is an object like any other
 */
export const matchClass = (columns: Columns, stretch: ClassStretch, settings: MatchSettings): Matches => {
  const { objects, detections, objectOrder, detectionOrder } = columns;
  const { areas, maxDetections } = settings;
  const [firstDetection, lastDetection] = stretch.detections;
  const size = lastDetection - firstDetection;
  const matches: Matches = {
    scores: new Float64Array(size),
    ranks: new Uint32Array(size),
    matched: areas.map(() => new Uint32Array(size)),
    ignored: areas.map(() => new Uint32Array(size)),
    objects: areas.map((range) => countObjects(objects, objectOrder, stretch.objects, range)),
  };
  let count = 0;
  let [object, lastObject] = stretch.objects;
  for (let from = firstDetection; from < lastDetection; ) {
    const to = endOfImage(detections, detectionOrder, from, lastDetection);
    const kept = Math.min(to, from + maxDetections);
    const image = detections.image[detectionOrder[from]!]!;
    while (object < lastObject && objects.image[objectOrder[object]!]! < image) object += 1;
    const found = object < lastObject && objects.image[objectOrder[object]!] === image;
    const next = found ? endOfImage(objects, objectOrder, object, lastObject) : object;
    const pair = {
      found: detectionOrder.subarray(from, kept),
      wanted: objectOrder.subarray(object, next),
      at: count,
    };
    enterDetections(columns, pair, settings, matches);
    matchImage(columns, pair, settings, matches);
    count += kept - from;
    [from, object] = [to, next];
  }
  return count === size ? matches : firstOf(matches, count);
};

const firstOf = ({ scores, ranks, matched, ignored, objects }: Matches, count: number): Matches => ({
  scores: scores.subarray(0, count),
  ranks: ranks.subarray(0, count),
  matched: matched.map((bits) => bits.subarray(0, count)),
  ignored: ignored.map((bits) => bits.subarray(0, count)),
  objects,
});

const isIgnored = (objects: ObjectColumns, o: number, [low, high]: AreaRange): boolean =>
  objects.crowd[o]! || objects.area[o]! < low || objects.area[o]! > high;

const countObjects = (
  objects: ObjectColumns,
  order: Uint32Array,
  [from, to]: readonly [number, number],
  range: AreaRange,
): number => {
  let count = 0;
  for (let i = from; i < to; i++) if (!isIgnored(objects, order[i]!, range)) count += 1;
  return count;
};

/** The detections found and the objects wanted in one image; `at` is where the detections come in the matches. */
interface ImagePair {
  readonly found: Uint32Array;
  readonly wanted: Uint32Array;
  readonly at: number;
}

/** Scores, ranks, and all bits of `ignored` where a detection's own area is out of the range: unless it finds something, it does not count. */
const enterDetections = (
  { detections }: Columns,
  { found, at }: ImagePair,
  { areas, iouThresholds }: MatchSettings,
  { scores, ranks, ignored }: Matches,
): void => {
  const allThresholds = 2 ** iouThresholds.length - 1;
  for (let i = 0; i < found.length; i++) {
    const d = found[i]!;
    scores[at + i] = detections.score[d]!;
    ranks[at + i] = i;
    const area = detections.width[d]! * detections.height[d]!;
    for (let a = 0; a < areas.length; a++)
      if (area < areas[a]![0] || area > areas[a]![1]) ignored[a]![at + i] = allThresholds;
  }
};

const matchImage = (columns: Columns, pair: ImagePair, settings: MatchSettings, matches: Matches): void => {
  const { found, wanted, at } = pair;
  if (wanted.length === 0) return;
  const { objects, detections } = columns;
  const { areas, iouThresholds } = settings;
  const scene: Candidates = {
    places: [],
    largest: 0,
    overlaps: new Float64Array(wanted.length),
    crowd: Array.from(wanted, (o) => objects.crowd[o]!),
    ignored: areas.map((range) => Array.from(wanted, (o) => isIgnored(objects, o, range))),
    taken: areas.map(() => new Uint32Array(wanted.length)),
  };
  for (let i = 0; i < found.length; i++) {
    scene.places.length = 0;
    scene.largest = 0;
    for (let place = 0; place < wanted.length; place++) {
      const overlap = overlapOf(detections, found[i]!, objects, wanted[place]!);
      if (overlap < iouThresholds[0]!) continue;
      scene.overlaps[place] = overlap;
      scene.largest = Math.max(scene.largest, overlap);
      scene.places.push(place);
    }
    if (scene.places.length === 0) continue;
    for (let a = 0; a < areas.length; a++) takeBest(scene, a, iouThresholds, matches, at + i);
  }
};

/** The objects of an image while its detections take them; `ignored` and `taken` per area range, `taken` with one bit per threshold. */
interface Candidates {
  /** Those that the detection at hand overlaps enough at the lowest threshold. */
  readonly places: number[];
  largest: number;
  readonly overlaps: Float64Array;
  readonly crowd: readonly boolean[];
  readonly ignored: readonly (readonly boolean[])[];
  readonly taken: readonly Uint32Array[];
}

/** Takes the best object at each threshold and enters that in the matches. */
const takeBest = (
  scene: Candidates,
  a: number,
  iouThresholds: readonly number[],
  matches: Matches,
  position: number,
): void => {
  const ignored = scene.ignored[a]!;
  const taken = scene.taken[a]!;
  let [found, without] = [0, 0];
  for (let t = 0; t < iouThresholds.length && scene.largest >= iouThresholds[t]!; t++) {
    // Objects that count come first, so that an ignored one is taken only when no other will do.
    let place = bestPlace(scene, a, false, t, iouThresholds[t]!);
    if (place < 0) place = bestPlace(scene, a, true, t, iouThresholds[t]!);
    if (place < 0) continue;
    found |= 1 << t;
    taken[place]! |= 1 << t;
    if (ignored[place]) without |= 1 << t;
  }
  matches.matched[a]![position] = found;
  matches.ignored[a]![position] = (matches.ignored[a]![position]! & ~found) | without;
};

/** The free object with the largest overlap of at least the threshold, the last one of equals; -1 when there is none. */
const bestPlace = (
  { places, overlaps, crowd, ignored, taken }: Candidates,
  a: number,
  isAmongIgnored: boolean,
  t: number,
  threshold: number,
): number => {
  let best = -1;
  let atLeast = threshold;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if (ignored[a]![place] !== isAmongIgnored || overlaps[place]! < atLeast) continue;
    if ((taken[a]![place]! >>> t) & 1 && !crowd[place]) continue;
    atLeast = overlaps[place]!;
    best = place;
  }
  return best;
};
