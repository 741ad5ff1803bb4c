// Parts of pictures: the pixels of a rectangle, and which objects are still there.
import type { Annotation } from '../types.ts';
import { clippedBox, placedBox, withBox } from './placement.ts';
import type { ImageSize } from './size.ts';

/** Objects of which less than this many pixels can be seen along an axis are no targets, as `isTrainable` says too. */
const leastVisible = 1;

/**
 * The objects of a picture whose origin moves by `shift` and of which only a part of the given size is seen: boxes clipped,
 * areas reduced by the share of the box that is lost, `isTruncated` where something is lost, and objects left out of which less
 * than one pixel along an axis is seen.
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
    const [width, height] = [box[2] - box[0], box[3] - box[1]];
    if (width < leastVisible || height < leastVisible) return [];
    const share = (width * height) / ((moved[2] - moved[0]) * (moved[3] - moved[1]));
    return [{ ...withBox(annotation, box, annotation.area * share), isTruncated: true }];
  });
