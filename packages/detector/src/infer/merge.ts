// What was found in several looks at one picture, put together: suppression over all of it, hard or soft, and voting on boxes.
import { byDescendingScore, nms } from '../geometry/nms.ts';
import { type Detections, pick } from './decode.ts';

/** How detections of several looks become those of one picture. */
export interface MergeOptions {
  /** Of two boxes of one class that overlap more than this, the worse is dropped; 0.6 by default. */
  readonly iouThreshold?: number;
  /** The most detections of a picture; 100 by default. */
  readonly limit?: number;
  /** Instead of dropping boxes, scores shrink by exp(-IoU² / softSigma) for every better box of their class. */
  readonly softSigma?: number;
  /** Boxes that stay become the mean, by score, of all boxes of their class that overlap them at least this much. */
  readonly votingIou?: number;
}

/** Scores that soft suppression leaves below this are dropped. */
const leastSoftScore = 1e-3;

/**
 * The detections of several looks at one picture as those of one, by descending score.
 *
 * Units    boxes of all looks in pixels of the same picture
 * Source   class-wise suppression over all of them as mmdetection's test-time augmentation does it; soft suppression: Bodla et al.,
 *          Soft-NMS (2017), Gaussian form; voting: Gidaris and Komodakis, Object detection via a multi-region CNN (2015)
 * Example  mergeDetections([atOnce, mirrored], { iouThreshold: 0.6, votingIou: 0.65 })
 */
export const mergeDetections = (looks: readonly Detections[], options: MergeOptions = {}): Detections => {
  const all = joined(looks);
  const { iouThreshold = 0.6, limit = 100, softSigma, votingIou } = options;
  const kept =
    softSigma === undefined
      ? pick(all, nms(all.boxes, all.scores, { iouThreshold, labels: all.labels, limit, apart: true }))
      : softened(all, softSigma, limit);
  return votingIou === undefined ? kept : { ...kept, boxes: votedBoxes(kept, all, votingIou) };
};

const joined = (looks: readonly Detections[]): Detections => ({
  boxes: Float32Array.from(looks.flatMap(({ boxes }) => [...boxes])),
  scores: Float32Array.from(looks.flatMap(({ scores }) => [...scores])),
  labels: Int32Array.from(looks.flatMap(({ labels }) => [...labels])),
});

/** The detections with the scores that soft suppression leaves them. */
const softened = (all: Detections, sigma: number, limit: number): Detections => {
  const scores = Float32Array.from(all.scores);
  const open = new Set(scores.keys());
  const kept: number[] = [];
  while (kept.length < limit) {
    let best = -1;
    for (const i of open) if (best < 0 || scores[i]! > scores[best]!) best = i;
    if (best < 0 || scores[best]! < leastSoftScore) break;
    kept.push(best);
    open.delete(best);
    for (const i of open)
      if (all.labels[i] === all.labels[best])
        scores[i] = scores[i]! * Math.exp(-(overlap(all.boxes, i, all.boxes, best) ** 2) / sigma);
  }
  const soft = pick({ ...all, scores }, kept);
  return pick(soft, byDescendingScore(soft.scores));
};

const votedBoxes = (kept: Detections, all: Detections, least: number): Float32Array => {
  const boxes = Float32Array.from(kept.boxes);
  for (let k = 0; k < kept.scores.length; k++) {
    const sums = [0, 0, 0, 0];
    let weight = 0;
    for (let i = 0; i < all.scores.length; i++) {
      if (all.labels[i] !== kept.labels[k] || overlap(all.boxes, i, kept.boxes, k) < least) continue;
      weight += all.scores[i]!;
      for (let side = 0; side < 4; side++) sums[side]! += all.scores[i]! * all.boxes[4 * i + side]!;
    }
    if (weight > 0)
      boxes.set(
        sums.map((sum) => sum / weight),
        4 * k,
      );
  }
  return boxes;
};

/** IoU of box i of one list and box j of another; 0 for boxes without area. */
const overlap = (a: Float32Array, i: number, b: Float32Array, j: number): number => {
  const [left, top, right, bottom] = [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3].map((at) => a[at]!) as Sides;
  const [x1, y1, x2, y2] = [4 * j, 4 * j + 1, 4 * j + 2, 4 * j + 3].map((at) => b[at]!) as Sides;
  const width = Math.max(0, Math.min(right, x2) - Math.max(left, x1));
  const height = Math.max(0, Math.min(bottom, y2) - Math.max(top, y1));
  const shared = width * height;
  const union = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1) - shared;
  return union > 0 ? shared / union : 0;
};

type Sides = [left: number, top: number, right: number, bottom: number];
