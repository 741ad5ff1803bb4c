// From what the head says of every location to detections: thresholds, boxes, class-wise suppression. Plain arrays, single precision.
import { ShapeError, sentence } from '@autoassign/tensor';
import { nms } from '../geometry/nms.ts';
import type { FeatureLevel } from '../geometry/points.ts';
import { locationCount } from '../geometry/points.ts';
import { highestScores } from './highestScores.ts';

/** What the head says of the R locations of one image, levels one after the other, fine to coarse. */
export interface HeadOutput {
  /** [R*K] */
  readonly logits: ArrayLike<number>;
  /** [R] */
  readonly objectness: ArrayLike<number>;
  /** [R*4] in pixels: left, top, right, bottom. */
  readonly distances: ArrayLike<number>;
}

/** The image as the network saw it, without padding, and how much larger than the original it was. */
export interface ImageGeometry {
  readonly height: number;
  readonly width: number;
  /** Pixels of the network per original pixel; 1 when left out. */
  readonly scale?: { readonly x: number; readonly y: number };
}

/**
 * Which implementation's rules hold. `mmdetection`: class probabilities alone are held to the threshold and choose the candidates, boxes are
 * cut to the image before suppression. `megvii`, the authors' own: scores with objectness do both, boxes are cut at the very end.
 */
export type DecodeVariant = 'mmdetection' | 'megvii';

/** Options of `decodeDetections`. */
export interface DecodeOptions {
  /** `mmdetection` by default. */
  readonly variant?: DecodeVariant;
  /** Class probabilities (`megvii`: scores) must lie above; 0.05 by default. */
  readonly scoreThreshold?: number;
  /** Candidates kept per level, the highest class probabilities (`megvii`: scores); 1000 by default. */
  readonly candidatesPerLevel?: number;
  /** Only these classes are looked for; all by default. */
  readonly classes?: readonly number[];
  /** Whether scores have the objectness as a factor; true by default. */
  readonly usesObjectness?: boolean;
  /** Boxes must be wider and higher than this, in pixels of the original image; 0 by default. */
  readonly smallestSide?: number;
  /** 0.6 by default. */
  readonly iouThreshold?: number;
  /** Detections per image at most; 100 by default. */
  readonly limit?: number;
}

/** Detections of one image: boxes [n*4] (left, top, right, bottom), scores [n], labels [n]. */
export interface Detections {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly labels: Int32Array;
}

/** A class at a location. */
interface Candidate {
  readonly location: number;
  readonly label: number;
  readonly score: number;
  readonly x: number;
  readonly y: number;
}

const single = Math.fround;

const sigmoid = (x: number): number => single(1 / (1 + Math.exp(-x)));

/**
 * The candidates of one image before suppression, by level and in it by descending class probability (`megvii`: score).
 *
 * Units    boxes in pixels of the original image, cut to the image (`megvii`: as they are); scores are class probability times objectness
 * Throws   ShapeError when the arrays do not fit the levels
 * Source   AutoAssign's evaluation as the most used implementation and as the authors' own do it
 */
export const decodeCandidates = (
  output: HeadOutput,
  levels: readonly FeatureLevel[],
  image: ImageGeometry,
  options: DecodeOptions = {},
): Detections => {
  const candidates = candidatesOf(output, levels, options);
  const boxes = new Float32Array(4 * candidates.length);
  candidates.forEach((candidate, i) => {
    boxes.set(boxOf(candidate, output.distances, image), 4 * i);
  });
  const all: Detections = {
    boxes,
    scores: Float32Array.from(candidates, ({ score }) => score),
    labels: Int32Array.from(candidates, ({ label }) => label),
  };
  return options.variant === 'megvii' ? all : withoutSmall(cut(all, image), options);
};

/**
 * The detections of one image, by descending score.
 *
 * Units    boxes in pixels of the original image
 * Throws   ShapeError when the arrays do not fit the levels
 * Example  decodeDetections({ logits, objectness, distances }, levels, { height: 480, width: 640 })
 */
export const decodeDetections = (
  output: HeadOutput,
  levels: readonly FeatureLevel[],
  image: ImageGeometry,
  options: DecodeOptions = {},
): Detections => {
  const { variant, iouThreshold = 0.6, limit = 100 } = options;
  const candidates = decodeCandidates(output, levels, image, options);
  const { boxes, scores, labels } = candidates;
  const apart = variant === 'megvii';
  const kept = pick(candidates, nms(boxes, scores, { iouThreshold, labels, limit, apart }));
  return variant === 'megvii' ? withoutSmall(cut(kept, image), options) : kept;
};

const candidatesOf = (
  output: HeadOutput,
  levels: readonly FeatureLevel[],
  options: DecodeOptions,
): readonly Candidate[] => {
  const { variant, candidatesPerLevel = 1000, usesObjectness = true } = options;
  const classes = requireFit(output, levels);
  const scoreAt = (i: number): number => {
    const probability = sigmoid(output.logits[i]!);
    if (!usesObjectness) return probability;
    return single(probability * sigmoid(output.objectness[Math.floor(i / classes)]!));
  };
  const ranks = variant === 'megvii' ? scoreAt : (i: number): number => sigmoid(output.logits[i]!);
  const wanted = options.classes === undefined ? undefined : new Set(options.classes);
  const isWanted = (label: number): boolean => wanted?.has(label) ?? true;
  const candidates: Candidate[] = [];
  let start = 0;
  for (const { height, width, stride } of levels) {
    const end = start + height * width;
    const range = { from: start * classes, to: end * classes };
    const found = pairsAbove(output.logits, (i) => (isWanted(i % classes) ? ranks(i) : 0), range, options);
    const most = variant === 'megvii' ? Math.min(candidatesPerLevel, end - start) : candidatesPerLevel;
    for (const position of highestScores(found.ranks, most)) {
      const pair = found.pairs[position]!;
      const location = Math.floor(pair / classes);
      const cell = location - start;
      candidates.push({
        location,
        label: pair % classes,
        score: scoreAt(pair),
        x: (cell % width) * stride,
        y: Math.floor(cell / width) * stride,
      });
    }
    start = end;
  }
  return candidates;
};

/**
 * The pairs of location and class in a range that rank above the threshold, and their ranks. No rank is above its class probability, so
 * most pairs are told by their logit alone, a comparison instead of an exponential.
 */
const pairsAbove = (
  logits: ArrayLike<number>,
  rankOf: (pair: number) => number,
  { from, to }: { readonly from: number; readonly to: number },
  { scoreThreshold = 0.05 }: DecodeOptions,
): { readonly pairs: readonly number[]; readonly ranks: readonly number[] } => {
  const least = leastLogit(scoreThreshold);
  const pairs: number[] = [];
  const ranks: number[] = [];
  for (let i = from; i < to; i++) {
    if (!(logits[i]! >= least)) continue;
    const rank = rankOf(i);
    if (!(rank > scoreThreshold)) continue;
    pairs.push(i);
    ranks.push(rank);
  }
  return { pairs, ranks };
};

/** A logit below which no probability in single precision is above the threshold. */
const leastLogit = (threshold: number): number => {
  const below = threshold - 2 ** -22;
  return below > 0 ? Math.log(below / (1 - below)) : Number.NEGATIVE_INFINITY;
};

/** The number of classes. */
const requireFit = (
  { logits, objectness, distances }: HeadOutput,
  levels: readonly FeatureLevel[],
): number => {
  const count = locationCount(levels);
  const classes = count === 0 ? 0 : logits.length / count;
  if (objectness.length === count && distances.length === 4 * count && Number.isInteger(classes))
    return classes;
  throw new ShapeError(
    sentence({
      where: 'decodeDetections',
      needs: `outputs of the ${count} locations of all levels`,
      got: `${logits.length} logits, ${objectness.length} objectness logits and ${distances.length} distances`,
      advice: 'Pass the outputs of one image and the levels they came from.',
    }),
  );
};

/** The box of a candidate in pixels of the original, as it is. */
const boxOf = (
  { location, x, y }: Candidate,
  distances: ArrayLike<number>,
  { scale = { x: 1, y: 1 } }: ImageGeometry,
): readonly [number, number, number, number] => {
  const distance = (side: number): number => distances[4 * location + side]!;
  const alongX = (value: number): number => single(value) / single(scale.x);
  const alongY = (value: number): number => single(value) / single(scale.y);
  return [alongX(x - distance(0)), alongY(y - distance(1)), alongX(x + distance(2)), alongY(y + distance(3))];
};

/** The detections with their boxes cut to the image. */
const cut = (
  detections: Detections,
  { height, width, scale = { x: 1, y: 1 } }: ImageGeometry,
): Detections => {
  const most = [single(width / single(scale.x)), single(height / single(scale.y))] as const;
  const boxes = detections.boxes.map((side, i) => Math.min(Math.max(side, 0), most[(i & 1) as 0 | 1]));
  return { ...detections, boxes };
};

/** Those detections that are wider and higher than the smallest side. */
const withoutSmall = (detections: Detections, { smallestSide = 0 }: DecodeOptions): Detections => {
  const { boxes, scores } = detections;
  const isLarge = (i: number): boolean =>
    single(boxes[4 * i + 2]! - boxes[4 * i]!) > smallestSide &&
    single(boxes[4 * i + 3]! - boxes[4 * i + 1]!) > smallestSide;
  return pick(detections, Array.from(scores.keys()).filter(isLarge));
};

/** The detections at the given indices, in their order. */
export const pick = ({ boxes, scores, labels }: Detections, indices: ArrayLike<number>): Detections => ({
  boxes: Float32Array.from({ length: 4 * indices.length }, (_, i) => boxes[4 * indices[i >> 2]! + (i & 3)]!),
  scores: Float32Array.from(indices, (i) => scores[i]!),
  labels: Int32Array.from(indices, (i) => labels[i]!),
});
