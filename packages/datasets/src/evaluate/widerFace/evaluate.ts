// WiderFace average precision: per setting, over 1000 thresholds of the score, with faces that do not count.
import { DatasetError } from '../../errors.ts';
import { sortByScore } from '../order.ts';
import type { CocoBox } from '../types.ts';
import type {
  WiderFaceEvaluation,
  WiderFaceGroundTruth,
  WiderFaceImage,
  WiderFaceResult,
  WiderFaceScore,
} from './types.ts';

/** How many thresholds the scores are cut at. */
const thresholds = 1000;

/**
 * The WiderFace average precision per setting, with the curves behind it.
 *
 * Units    boxes x, y, width, height in pixels of the original images; precision and recall 0 to 1
 * Throws   DatasetError when a result is of an unknown image or comes twice, a number is not finite, or a list names no face
 * Source   WiderFace evaluation tools: detections in images without faces are left out; differs in: scores that are all 0 or all 1 become 1
 * Example  evaluateWiderFace(groundTruth, results).hard?.ap
 */
export const evaluateWiderFace = (
  groundTruth: WiderFaceGroundTruth,
  results: Iterable<WiderFaceResult>,
  options: { readonly iouThreshold?: number } = {},
): WiderFaceEvaluation => {
  const { iouThreshold = 0.5 } = options;
  if (!(iouThreshold > 0 && iouThreshold <= 1))
    throw fault('iouThreshold', 'a number above 0 and at most 1', String(iouThreshold));
  const resultOf = resultsByImage(groundTruth, results);
  const normalize = normalizer(resultOf);
  const scenes = groundTruth.images.flatMap((image) => {
    const result = resultOf.get(keyOf(image));
    return result === undefined || image.faces.length === 0
      ? []
      : [sceneOf(image, result, normalize, iouThreshold)];
  });
  return Object.fromEntries(
    groundTruth.settings.map((setting) => {
      const faces = groundTruth.images.reduce((sum, image) => sum + countedIn(image, setting).length, 0);
      return [setting, scoreOf(scenes, setting, faces)];
    }),
  );
};

const keyOf = ({ event, name }: Pick<WiderFaceImage, 'event' | 'name'>): string => `${event}/${name}`;

const countedIn = (image: WiderFaceImage, setting: string): readonly number[] => {
  const counted = image.counted[setting];
  if (counted === undefined) throw fault(`${keyOf(image)}.${setting}`, 'a list of faces', 'none');
  const wrong = counted.find((face) => image.faces[face] === undefined);
  if (wrong === undefined) return counted;
  throw fault(`${keyOf(image)}.${setting}`, `faces from 0 to ${image.faces.length - 1}`, String(wrong));
};

const resultsByImage = (
  { images }: WiderFaceGroundTruth,
  results: Iterable<WiderFaceResult>,
): Map<string, WiderFaceResult> => {
  const known = new Set(images.map(keyOf));
  if (known.size < images.length)
    throw fault('images', 'every image once', `${images.length - known.size} again`);
  const found = new Map<string, WiderFaceResult>();
  for (const result of results) {
    const key = keyOf(result);
    if (!known.has(key)) throw fault(key, 'an image of the ground truth', 'none of that name');
    if (found.has(key)) throw fault(key, 'every image once', 'it again');
    const wrong = result.detections.findIndex(
      ({ bbox, score }) => bbox.length !== 4 || ![...bbox, score].every(Number.isFinite),
    );
    if (wrong >= 0) throw fault(`${key}, detection ${wrong}`, 'five finite numbers', 'others');
    found.set(key, result);
  }
  return found;
};

const fault = (field: string, needs: string, got: string): DatasetError =>
  new DatasetError(`evaluateWiderFace(${field}): needs ${needs}, got ${got}. Correct the entry.`, { field });

/** Moves the scores of all images to 0 .. 1, from the least of them and 1 to the largest of them and 0. */
const normalizer = (results: ReadonlyMap<string, WiderFaceResult>): ((score: number) => number) => {
  let [least, most] = [1, 0];
  for (const { detections } of results.values())
    for (const { score } of detections) {
      least = Math.min(least, score);
      most = Math.max(most, score);
    }
  return most > least ? (score) => (score - least) / (most - least) : () => 1;
};

/** One image: its detections by descending score, each with the threshold it comes in at and the face it finds, -1 for none. */
interface Scene {
  readonly image: WiderFaceImage;
  readonly entries: Int32Array;
  readonly faces: Int32Array;
}

const sceneOf = (
  image: WiderFaceImage,
  { detections }: WiderFaceResult,
  normalize: (score: number) => number,
  iouThreshold: number,
): Scene => {
  const scores = Float64Array.from(detections, ({ score }) => normalize(score));
  const order = Uint32Array.from(detections, (_, i) => i);
  sortByScore(order, scores, 0, order.length);
  return {
    image,
    entries: Int32Array.from(order, (i) => entryOf(scores[i]!)),
    faces: Int32Array.from(order, (i) => nearestFace(detections[i]!.bbox, image.faces, iouThreshold)),
  };
};

/** The first of the thresholds 0.999, 0.998, ... 0 that a score reaches. */
const entryOf = (score: number): number => {
  const isReached = (t: number): boolean => score >= 1 - (t + 1) / thresholds;
  let t = Math.min(thresholds - 1, Math.max(0, Math.floor((1 - score) * thresholds) - 2));
  while (t < thresholds - 1 && !isReached(t)) t += 1;
  return t;
};

const nearestFace = (box: CocoBox, faces: readonly CocoBox[], iouThreshold: number): number => {
  let [best, nearest] = [0, -1];
  for (const [i, face] of faces.entries()) {
    const overlap = pixelIou(box, face);
    if (overlap <= best) continue;
    [best, nearest] = [overlap, i];
  }
  return best >= iouThreshold ? nearest : -1;
};

/** IoU where corners are pixels, so that lengths are one more than differences. */
const pixelIou = (a: CocoBox, b: CocoBox): number => {
  const [aRight, aBottom, bRight, bBottom] = [a[0] + a[2], a[1] + a[3], b[0] + b[2], b[1] + b[3]];
  const width = Math.min(aRight, bRight) - Math.max(a[0], b[0]) + 1;
  const height = Math.min(aBottom, bBottom) - Math.max(a[1], b[1]) + 1;
  if (width <= 0 || height <= 0) return 0;
  const areas = (aRight - a[0] + 1) * (aBottom - a[1] + 1) + (bRight - b[0] + 1) * (bBottom - b[1] + 1);
  return (width * height) / (areas - width * height);
};

const scoreOf = (scenes: readonly Scene[], setting: string, faces: number): WiderFaceScore => {
  const proposals = new Float64Array(thresholds);
  const hits = new Float64Array(thresholds);
  for (const { image, entries, faces: nearest } of scenes) {
    const counts = new Set(countedIn(image, setting));
    const taken = new Set<number>();
    for (const [i, face] of nearest.entries()) {
      if (face >= 0 && !counts.has(face)) continue;
      proposals[entries[i]!]! += 1;
      if (face < 0 || taken.has(face)) continue;
      taken.add(face);
      hits[entries[i]!]! += 1;
    }
  }
  for (let t = 1; t < thresholds; t++) {
    proposals[t]! += proposals[t - 1]!;
    hits[t]! += hits[t - 1]!;
  }
  const precision = hits.map((hit, t) => (proposals[t] === 0 ? 0 : hit / proposals[t]!));
  const recall = hits.map((hit) => (faces === 0 ? 0 : hit / faces));
  return { ap: faces === 0 ? null : areaUnder(precision, recall), faces, precision, recall };
};

/** The area under precision made monotone from the right. */
const areaUnder = (precision: Float64Array, recall: Float64Array): number => {
  let [best, area] = [0, 0];
  for (let t = thresholds - 1; t >= 0; t--) {
    best = Math.max(best, precision[t]!);
    area += best * (recall[t]! - (recall[t - 1] ?? 0));
  }
  return area;
};
