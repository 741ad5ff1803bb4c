// Non-maximum suppression on plain arrays: greedy, by class, in single precision.

/** Options of `nms`. */
export interface NmsOptions {
  /** A box is dropped when its IoU with a kept one of its class is above this. */
  readonly iouThreshold: number;
  /** The class of every box; without, all boxes compete. */
  readonly labels?: ArrayLike<number>;
  /** How many boxes are kept at most; all by default. */
  readonly limit?: number;
  /** Classes never meet, wherever their boxes are, and nothing is shifted; false by default. */
  readonly apart?: boolean;
}

/** From this many boxes on the reference implementation treats classes apart even where shifted boxes could meet. */
const manyBoxes = 10_000;

const single = Math.fround;

/**
 * The indices of the boxes that are kept, by descending score; of equal scores the lower index first.
 *
 * A box is kept unless an earlier kept one of its class overlaps it too much. Classes are kept apart by shifting class c by
 * c * (largest coordinate + 1) in single precision, as the reference implementation does, so that rounding decides the same way.
 *
 * Shapes   boxes [n*4] (left, top, right, bottom), scores [n] -> indices
 * Units    any; areas are not clamped and have no +1
 * Example  nms(new Float32Array([0, 0, 4, 4, 0, 0, 4, 5]), [0.9, 0.8], { iouThreshold: 0.6 })
 */
export const nms = (boxes: ArrayLike<number>, scores: ArrayLike<number>, options: NmsOptions): Int32Array => {
  const { iouThreshold, labels, limit = Number.POSITIVE_INFINITY, apart = false } = options;
  const shifted = shiftByClass(boxes, apart ? undefined : labels);
  const group =
    apart && labels !== undefined
      ? (box: number) => labels[box]!
      : groupsThatMeet(boxes, scores.length, labels);
  const kept: number[] = [];
  const keptByGroup = new Map<number, number[]>();
  for (const candidate of byDescendingScore(scores)) {
    if (kept.length >= limit) break;
    const rivals = keptByGroup.get(group(candidate)) ?? [];
    if (rivals.some((rival) => overlap(shifted, rival, candidate) > iouThreshold)) continue;
    kept.push(candidate);
    rivals.push(candidate);
    keptByGroup.set(group(candidate), rivals);
  }
  return Int32Array.from(kept);
};

/** Indices from the highest score down; of equals the lower index first. */
export const byDescendingScore = (scores: ArrayLike<number>): Int32Array =>
  Int32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);

const shiftByClass = (boxes: ArrayLike<number>, labels: ArrayLike<number> | undefined): Float32Array => {
  const shifted = Float32Array.from(boxes);
  if (labels === undefined) return shifted;
  const step = single(shifted.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY) + 1);
  for (let i = 0; i < shifted.length; i++) shifted[i] = single(shifted[i]! + single(labels[i >> 2]! * step));
  return shifted;
};

/** The group in which a box competes: its class. Boxes with negative coordinates may reach into the class below, so then all compete. */
const groupsThatMeet = (
  boxes: ArrayLike<number>,
  count: number,
  labels: ArrayLike<number> | undefined,
): ((box: number) => number) => {
  if (labels === undefined) return () => 0;
  const staysApart = count >= manyBoxes || Array.prototype.every.call(boxes, (x: number) => x >= 0);
  return staysApart ? (box) => labels[box]! : () => 0;
};

/** IoU of boxes i and j, rounded to single precision after every operation. */
const overlap = (boxes: Float32Array, i: number, j: number): number => {
  const [a, b] = [4 * i, 4 * j];
  const width = single(Math.min(boxes[a + 2]!, boxes[b + 2]!) - Math.max(boxes[a]!, boxes[b]!));
  const height = single(Math.min(boxes[a + 3]!, boxes[b + 3]!) - Math.max(boxes[a + 1]!, boxes[b + 1]!));
  const intersection = single(Math.max(0, width) * Math.max(0, height));
  return single(intersection / single(single(area(boxes, a) + area(boxes, b)) - intersection));
};

const area = (boxes: Float32Array, at: number): number =>
  single(single(boxes[at + 2]! - boxes[at]!) * single(boxes[at + 3]! - boxes[at + 1]!));
