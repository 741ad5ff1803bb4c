// Parts of pictures: the pixels of a rectangle, and which objects are still there.
import type { Annotation, Box, Pixels } from '../types.ts';
import { clippedBox, placedBox, withBox } from './placement.ts';
import type { ImageSize } from './size.ts';

/** A rectangle of whole pixels within a picture. */
export interface Region extends ImageSize {
  readonly left: number;
  readonly top: number;
}

/**
 * The pixels of a region.
 */
export const cutPixels = (pixels: Pixels, { left, top, width, height }: Region): Pixels => {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * pixels.width + left) * 3;
    data.set(pixels.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, channels: 3, data };
};

/** Objects of which less than this many pixels are left along an axis are no targets, as `isTrainable` says too. */
const leastVisible = 1;

/**
 * The objects of a picture whose origin moves by `shift` and of which only a part of the given size is left: boxes clipped, areas
 * reduced by the share of the box that is lost, and `isTruncated` where something is lost. Of cut objects those are left out that
 * have less than one pixel along an axis.
 *
 * Source   mmdetection's RandomCrop and Mosaic, which leave out what is wholly outside
 */
export const visibleObjects = (
  annotations: readonly Annotation[],
  shift: readonly [x: number, y: number],
  size: ImageSize,
): readonly Annotation[] =>
  annotations.flatMap((annotation) => {
    const moved = placedBox(annotation.box, { scale: [1, 1], shift });
    const box = clippedBox(moved, size);
    if (box.every((edge, i) => edge === moved[i])) return [{ ...annotation, box }];
    const isTooSmall = box[2] - box[0] < leastVisible || box[3] - box[1] < leastVisible;
    if (isTooSmall) return [];
    const share = areaOf(box) / areaOf(moved);
    return [{ ...withBox(annotation, box, annotation.area * share), isTruncated: true }];
  });

const areaOf = ([x1, y1, x2, y2]: Box): number => (x2 - x1) * (y2 - y1);
