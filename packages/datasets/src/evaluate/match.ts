// Greedy matching of detections to objects, as the COCO evaluation defines it: one class at a time, image by image.

/** Boxes of one class as columns: x, y, width, height in pixels, with the index of their image. */
interface BoxColumns {
  readonly image: number[];
  readonly x: number[];
  readonly y: number[];
  readonly width: number[];
  readonly height: number[];
}

/** The objects of one class. */
export interface ObjectColumns extends BoxColumns {
  readonly area: number[];
  readonly crowd: boolean[];
}

/** The detections of one class. */
export interface DetectionColumns extends BoxColumns {
  readonly score: number[];
}

/** A range of areas in square pixels, both ends included. */
export type AreaRange = readonly [low: number, high: number];

/** What became of the detections of one class, in the order images ascending, scores descending. */
export interface Matches {
  readonly scores: Float64Array;
  /** Place of each detection within its image, from 0. */
  readonly ranks: Uint8Array;
  /** Per area range and detection, one bit per IoU threshold: it found an object. */
  readonly matched: readonly Uint16Array[];
  /** Per area range and detection, one bit per IoU threshold: it counts neither for nor against. */
  readonly ignored: readonly Uint16Array[];
  /** Per area range, the number of objects to find. */
  readonly objects: readonly number[];
}

/** What matching depends on besides the boxes. */
export interface MatchSettings {
  /** At most 16 of them. */
  readonly iouThresholds: readonly number[];
  readonly areas: readonly AreaRange[];
  /** Only so many detections of an image are looked at, the best ones. */
  readonly maxDetections: number;
}

/**
 * The matches of all detections of one class: at each threshold a detection, best score first, takes the free object it
 * overlaps most; crowd regions can be taken by many.
 *
 * Source   COCO detection evaluation; differs in: an annotation with id 0 is an object like any other
 */
export const matchClass = (
  objects: ObjectColumns,
  detections: DetectionColumns,
  settings: MatchSettings,
): Matches => {
  const { score, image } = detections;
  const sorted = Array.from(score, (_, i) => i).sort(
    (a, b) => image[a]! - image[b]! || score[b]! - score[a]! || a - b,
  );
  const order: number[] = [];
  const ranks: number[] = [];
  let first = 0;
  for (const [i, detection] of sorted.entries()) {
    if (image[detection] !== image[sorted[first]!]) first = i;
    if (i - first >= settings.maxDetections) continue;
    order.push(detection);
    ranks.push(i - first);
  }
  const matches: Matches = {
    scores: Float64Array.from(order, (i) => score[i]!),
    ranks: Uint8Array.from(ranks),
    matched: settings.areas.map(() => new Uint16Array(order.length)),
    ignored: settings.areas.map((range) => outOfRange(detections, order, range)),
    objects: settings.areas.map((range) => countObjects(objects, range)),
  };
  const objectsOf = indicesByImage(objects);
  for (let from = 0; from < order.length; ) {
    const current = image[order[from]!]!;
    let to = from;
    while (to < order.length && image[order[to]!] === current) to += 1;
    const inImage = objectsOf.get(current);
    if (inImage !== undefined)
      matchImage({ objects, detections, inImage, order, from, to }, settings, matches);
    from = to;
  }
  return matches;
};

/** All bits for detections whose own area is out of the range: unless they find something, they do not count. */
const outOfRange = (
  { width, height }: DetectionColumns,
  order: readonly number[],
  [low, high]: AreaRange,
): Uint16Array =>
  Uint16Array.from(order, (i) => {
    const area = width[i]! * height[i]!;
    return area < low || area > high ? 0xffff : 0;
  });

const indicesByImage = ({ image }: ObjectColumns): Map<number, number[]> => {
  const indices = new Map<number, number[]>();
  for (const [i, number] of image.entries()) {
    const list = indices.get(number);
    if (list === undefined) indices.set(number, [i]);
    else list.push(i);
  }
  return indices;
};

const isIgnored = (objects: ObjectColumns, i: number, [low, high]: AreaRange): boolean =>
  objects.crowd[i]! || objects.area[i]! < low || objects.area[i]! > high;

const countObjects = (objects: ObjectColumns, range: AreaRange): number => {
  let count = 0;
  for (let i = 0; i < objects.area.length; i++) if (!isIgnored(objects, i, range)) count += 1;
  return count;
};

/** The objects and detections of one image: object indices, and positions `from` .. `to` of the detection order. */
interface ImagePair {
  readonly objects: ObjectColumns;
  readonly detections: DetectionColumns;
  readonly inImage: readonly number[];
  readonly order: readonly number[];
  readonly from: number;
  readonly to: number;
}

const matchImage = (pair: ImagePair, settings: MatchSettings, matches: Matches): void => {
  const { objects, inImage, from, to } = pair;
  const overlaps = overlapsOf(pair);
  for (const [a, range] of settings.areas.entries()) {
    // Objects that count come first, so that an ignored one is taken only when no other will do.
    const ignored = inImage.map((i) => isIgnored(objects, i, range));
    const places = [...inImage.keys()].sort((i, j) => Number(ignored[i]) - Number(ignored[j]));
    const shareable = inImage.map((i) => objects.crowd[i]!);
    const candidates = { places, ignored, shareable, taken: new Uint16Array(inImage.length) };
    for (let position = from; position < to; position++) {
      const row = overlaps.subarray((position - from) * inImage.length);
      const found = matchDetection(row, candidates, settings.iouThresholds);
      matches.matched[a]![position] = found.matched;
      matches.ignored[a]![position] = (matches.ignored[a]![position]! & ~found.matched) | found.ignored;
    }
  }
};

/** The objects of an image while its detections take them; `taken` has one bit per threshold. */
interface Candidates {
  readonly places: readonly number[];
  readonly ignored: readonly boolean[];
  readonly shareable: readonly boolean[];
  readonly taken: Uint16Array;
}

const nothing = { matched: 0, ignored: 0 } as const;

/** Takes the best object at each threshold; one bit per threshold for "found one", and for "found one to ignore". */
const matchDetection = (
  overlaps: Float64Array,
  candidates: Candidates,
  thresholds: readonly number[],
): { readonly matched: number; readonly ignored: number } => {
  const lowest = thresholds[0]!;
  if (!candidates.places.some((place) => overlaps[place]! >= lowest)) return nothing;
  let matched = 0;
  let ignored = 0;
  for (let t = 0; t < thresholds.length; t++) {
    const place = bestPlace(overlaps, candidates, t, thresholds[t]!);
    if (place < 0) continue;
    matched |= 1 << t;
    candidates.taken[place]! |= 1 << t;
    if (candidates.ignored[place]) ignored |= 1 << t;
  }
  return { matched, ignored };
};

/** The free object with the largest overlap of at least the threshold, the last one of equals; -1 when there is none. */
const bestPlace = (
  overlaps: Float64Array,
  { places, ignored, shareable, taken }: Candidates,
  bit: number,
  threshold: number,
): number => {
  let best = -1;
  let atLeast = threshold;
  for (const place of places) {
    if ((taken[place]! >> bit) & 1 && !shareable[place]) continue;
    if (best >= 0 && !ignored[best] && ignored[place]) break;
    if (overlaps[place]! < atLeast) continue;
    atLeast = overlaps[place]!;
    best = place;
  }
  return best;
};

/** IoU of every detection with every object of the image; for crowd regions, the part of the detection that lies in it. */
const overlapsOf = ({ objects, detections, inImage, order, from, to }: ImagePair): Float64Array => {
  const overlaps = new Float64Array((to - from) * inImage.length);
  let at = 0;
  for (let position = from; position < to; position++) {
    const d = order[position]!;
    for (const o of inImage) {
      const shared = sharedLength(detections.x, detections.width, d, objects.x, objects.width, o);
      const sharedY = sharedLength(detections.y, detections.height, d, objects.y, objects.height, o);
      const common = shared > 0 && sharedY > 0 ? shared * sharedY : 0;
      const own = detections.width[d]! * detections.height[d]!;
      const union = objects.crowd[o] ? own : own + objects.width[o]! * objects.height[o]! - common;
      overlaps[at++] = common > 0 ? common / union : 0;
    }
  }
  return overlaps;
};

const sharedLength = (
  starts: readonly number[],
  lengths: readonly number[],
  i: number,
  otherStarts: readonly number[],
  otherLengths: readonly number[],
  j: number,
): number =>
  Math.min(lengths[i]! + starts[i]!, otherLengths[j]! + otherStarts[j]!) -
  Math.max(starts[i]!, otherStarts[j]!);
