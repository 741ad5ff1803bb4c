// From what the head says of every location to detections: thresholds, boxes, class-wise suppression. Plain arrays, single precision.
import { ShapeError, sentence } from '@autoassign/tensor';
import { byDescendingScore, nms } from '../geometry/nms.ts';
import type { FeatureLevel } from '../geometry/points.ts';
import { locationCount } from '../geometry/points.ts';

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

/** Options of `decodeDetections`. */
export interface DecodeOptions {
  /** Class probabilities, objectness left out, must lie above; 0.05 by default. */
  readonly scoreThreshold?: number;
  /** Candidates kept per level, the highest class probabilities; 1000 by default. */
  readonly candidatesPerLevel?: number;
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
  readonly x: number;
  readonly y: number;
}

const single = Math.fround;

const sigmoid = (x: number): number => single(1 / (1 + Math.exp(-x)));

/**
 * The candidates of one image before suppression, by level and in it by descending class probability.
 *
 * Units    boxes in pixels of the original image, cut to the image; scores are class probability times objectness
 * Throws   ShapeError when the arrays do not fit the levels
 * Source   AutoAssign's evaluation as the most used implementation does it: thresholds before objectness comes in
 */
export const decodeCandidates = (
  output: HeadOutput,
  levels: readonly FeatureLevel[],
  image: ImageGeometry,
  options: DecodeOptions = {},
): Detections => {
  const { smallestSide = 0, usesObjectness = true } = options;
  const candidates = candidatesOf(output, levels, options);
  const boxes = new Float32Array(4 * candidates.length);
  candidates.forEach((candidate, i) => {
    boxes.set(boxOf(candidate, output.distances, image), 4 * i);
  });
  const isLarge = (i: number): boolean =>
    single(boxes[4 * i + 2]! - boxes[4 * i]!) > smallestSide &&
    single(boxes[4 * i + 3]! - boxes[4 * i + 1]!) > smallestSide;
  const classes = output.logits.length / Math.max(output.objectness.length, 1);
  const scoreOf = ({ location, label }: Candidate): number => {
    const probability = sigmoid(output.logits[location * classes + label]!);
    return usesObjectness ? single(probability * sigmoid(output.objectness[location]!)) : probability;
  };
  const all: Detections = {
    boxes,
    scores: Float32Array.from(candidates, scoreOf),
    labels: Int32Array.from(candidates, ({ label }) => label),
  };
  return pick(all, Array.from(candidates.keys()).filter(isLarge));
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
  const { iouThreshold = 0.6, limit = 100 } = options;
  const candidates = decodeCandidates(output, levels, image, options);
  const { boxes, scores, labels } = candidates;
  return pick(candidates, nms(boxes, scores, { iouThreshold, labels, limit }));
};

const candidatesOf = (
  output: HeadOutput,
  levels: readonly FeatureLevel[],
  options: DecodeOptions,
): readonly Candidate[] => {
  const { scoreThreshold = 0.05, candidatesPerLevel = 1000 } = options;
  const classes = requireFit(output, levels);
  const candidates: Candidate[] = [];
  let start = 0;
  for (const { height, width, stride } of levels) {
    const end = start + height * width;
    const found: number[] = [];
    for (let i = start * classes; i < end * classes; i++)
      if (sigmoid(output.logits[i]!) > scoreThreshold) found.push(i);
    const order = byDescendingScore(found.map((i) => sigmoid(output.logits[i]!)));
    for (const position of order.subarray(0, candidatesPerLevel)) {
      const location = Math.floor(found[position]! / classes);
      const cell = location - start;
      candidates.push({
        location,
        label: found[position]! % classes,
        x: (cell % width) * stride,
        y: Math.floor(cell / width) * stride,
      });
    }
    start = end;
  }
  return candidates;
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

/** The box of a candidate: decoded, cut to the image, in pixels of the original. */
const boxOf = (
  { location, x, y }: Candidate,
  distances: ArrayLike<number>,
  { height, width, scale = { x: 1, y: 1 } }: ImageGeometry,
): readonly [number, number, number, number] => {
  const distance = (side: number): number => distances[4 * location + side]!;
  const alongX = (value: number): number => Math.min(Math.max(single(value), 0), width) / single(scale.x);
  const alongY = (value: number): number => Math.min(Math.max(single(value), 0), height) / single(scale.y);
  return [alongX(x - distance(0)), alongY(y - distance(1)), alongX(x + distance(2)), alongY(y + distance(3))];
};

/** The detections at the given indices, in their order. */
const pick = ({ boxes, scores, labels }: Detections, indices: ArrayLike<number>): Detections => ({
  boxes: Float32Array.from({ length: 4 * indices.length }, (_, i) => boxes[4 * indices[i >> 2]! + (i & 3)]!),
  scores: Float32Array.from(indices, (i) => scores[i]!),
  labels: Int32Array.from(indices, (i) => labels[i]!),
});
