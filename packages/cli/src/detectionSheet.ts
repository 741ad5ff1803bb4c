// The contact sheet of a run: what was found in some images of a dataset, beside what is there.
import type { Dataset, ImageRecord } from '@autoassign/datasets';
import { isTrainable } from '@autoassign/datasets';
import type { Detections } from '@autoassign/detector';
import { nms } from '@autoassign/detector';
import type { FoundObject, TrueObject } from './detectionPicture.ts';
import { detectionPicture } from './detectionPicture.ts';
import type { Box, Picture } from './pictures.ts';
import { contactSheet } from './pictures.ts';

const mostImages = 12;
/** Of boxes of different classes that overlap more than this, a picture shows the one that scores best. */
const sameObjectIou = 0.5;

/** Box `index` of a list of corners. */
export function boxAt(boxes: Float32Array, index: number): Box {
  const [left = 0, top = 0, right = 0, bottom = 0] = boxes.subarray(4 * index, 4 * index + 4);
  return [left, top, right, bottom];
}

/**
 * The detections worth showing, best first: those that score above `score`, one per object.
 * Suppression while decoding is by class and may leave an object several names; nobody wants to read them all.
 */
export function shownDetections(
  { boxes, scores, labels }: Detections,
  score: number,
): readonly FoundObject[] {
  const found = Array.from(nms(boxes, scores, { iouThreshold: sameObjectIou }), (index) => ({
    box: boxAt(boxes, index),
    label: labels[index] ?? 0,
    score: scores[index] ?? 0,
  }));
  return found.filter((one) => one.score > score);
}

/** The objects of an image that a detector is asked for. */
function trueObjects({ annotations }: ImageRecord): readonly TrueObject[] {
  return annotations.filter(isTrainable).map(({ box, label }) => ({ box, label }));
}

/** Up to `most` positions spread evenly over a dataset. */
function spreadOver(length: number, most: number): readonly number[] {
  const count = Math.min(length, most);
  return Array.from({ length: count }, (_, index) => Math.floor((index * length) / count));
}

/** After a short training few scores are high: the highest of these limits that leaves a detection per image. */
function scoreLimit(detections: readonly Detections[]): number {
  const limits = [0.5, 0.4, 0.3, 0.2, 0.1];
  const countAbove = (limit: number): number =>
    detections.reduce((sum, { scores }) => sum + scores.filter((score) => score > limit).length, 0);
  return limits.find((limit) => countAbove(limit) >= detections.length) ?? 0.1;
}

/** The contact sheet of up to twelve images of a dataset, truth to the left and detections to the right. */
export async function detectionSheet(
  dataset: Dataset,
  detections: readonly Detections[],
  title: string,
): Promise<Picture> {
  const positions = spreadOver(dataset.length, mostImages);
  const chosen = positions.flatMap((position) => detections[position] ?? []);
  const limit = scoreLimit(chosen);
  const pictures: Picture[] = [];
  for (const [index, found] of chosen.entries()) {
    const sample = await dataset.at(positions[index] ?? 0);
    const scene = {
      image: sample.pixels,
      truth: trueObjects(sample),
      detections: shownDetections(found, limit),
      classNames: dataset.classes,
      caption: sample.file,
    };
    pictures.push(detectionPicture(scene, { layout: 'sideBySide', target: 256 }));
  }
  return contactSheet(pictures, { columns: 3, title: `${title}  ·  score > ${limit}` });
}
