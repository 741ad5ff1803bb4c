// Which class is taken for which: detections matched to objects whatever their classes, counted.
import type { Dataset } from '@autoassign/datasets';
import { isTrainable } from '@autoassign/datasets';
import type { Detections } from '@autoassign/detector';

/** How often objects of a class were detected as each class; the last row and column stand for the background. */
export interface Confusion {
  /** Of the objects by row, of the detections by column; `background` last. */
  readonly names: readonly string[];
  /** [row][column]: objects found as a class, objects not found (last column), detections of nothing (last row). */
  readonly counts: readonly (readonly number[])[];
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
}

type Box = readonly [number, number, number, number];

function iou(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}

/** For every detection, best scores first, the free object that it overlaps most, or -1. */
function matched(found: readonly Box[], objects: readonly Box[], iouThreshold: number): readonly number[] {
  const isTaken = objects.map(() => false);
  return found.map((box) => {
    let best = -1;
    let most = iouThreshold;
    for (const [i, object] of objects.entries()) {
      const overlap = isTaken[i] === true ? 0 : iou(box, object);
      if (overlap < most) continue;
      most = overlap;
      best = i;
    }
    if (best >= 0) isTaken[best] = true;
    return best;
  });
}

function boxesAbove({ boxes, scores, labels }: Detections, threshold: number): { box: Box; label: number }[] {
  return Array.from(scores, (score, i) => ({
    score,
    box: Array.from(boxes.subarray(4 * i, 4 * i + 4)) as unknown as Box,
    label: labels[i] ?? 0,
  }))
    .filter(({ score }) => score > threshold)
    .sort((a, b) => b.score - a.score);
}

/**
 * The confusion of the detections on every image of a dataset; objects that training leaves out count for nothing.
 *
 * Example  confusionOf(dataset, measured.detections).counts[0]
 */
export function confusionOf(
  dataset: Dataset,
  detections: readonly Detections[],
  { scoreThreshold = 0.3, iouThreshold = 0.5 }: { scoreThreshold?: number; iouThreshold?: number } = {},
): Confusion {
  const background = dataset.classes.length;
  const counts = Array.from({ length: background + 1 }, () =>
    Array.from({ length: background + 1 }, () => 0),
  );
  const count = (row: number, column: number): void => {
    const cells = counts[row];
    if (cells !== undefined) cells[column] = (cells[column] ?? 0) + 1;
  };
  for (const [position, perImage] of detections.entries()) {
    const objects = dataset.record(position).annotations.filter(isTrainable);
    const found = boxesAbove(perImage, scoreThreshold);
    const partners = matched(
      found.map(({ box }) => box),
      objects.map(({ box }) => box),
      iouThreshold,
    );
    for (const [i, { label }] of found.entries()) {
      const object = objects[partners[i] ?? -1];
      count(object === undefined ? background : object.label, label);
    }
    const isFound = new Set(partners);
    for (const [i, { label }] of objects.entries()) if (!isFound.has(i)) count(label, background);
  }
  return { names: [...dataset.classes, 'background'], counts, scoreThreshold, iouThreshold };
}
