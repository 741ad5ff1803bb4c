// Where the points of a picture go when it is resized, mirrored or cut, and the boxes with them.
import type { Annotation, Box } from '../types.ts';
import type { ImageSize } from './size.ts';

/** A map of points, one axis at a time: new = scale * old + shift; a negative scale mirrors. */
export interface Placement {
  readonly scale: readonly [x: number, y: number];
  readonly shift: readonly [x: number, y: number];
}

/**
 * The box around where the corners of a box go, not clipped.
 *
 * Units    pixels of the old picture to pixels of the new one
 * Example  placedBox([0, 0, 4, 2], { scale: [-1, 1], shift: [10, 0] }) // [6, 0, 10, 2]
 */
export const placedBox = ([x1, y1, x2, y2]: Box, { scale, shift }: Placement): Box => {
  const [left, right] = placedInterval(x1, x2, scale[0], shift[0]);
  const [top, bottom] = placedInterval(y1, y2, scale[1], shift[1]);
  return [left, top, right, bottom];
};

const placedInterval = (start: number, end: number, scale: number, shift: number): [number, number] => {
  const first = scale * start + shift;
  const second = scale * end + shift;
  return scale < 0 ? [second, first] : [first, second];
};

/**
 * The part of a box that lies inside a picture.
 */
export const clippedBox = ([x1, y1, x2, y2]: Box, { width, height }: ImageSize): Box => [
  clamp(x1, width),
  clamp(y1, height),
  clamp(x2, width),
  clamp(y2, height),
];

const clamp = (position: number, end: number): number => Math.min(Math.max(position, 0), end);

/**
 * The object with another box, its size taken from the box.
 */
export const withBox = (annotation: Annotation, box: Box, area: number): Annotation => ({
  ...annotation,
  box,
  size: [box[2] - box[0], box[3] - box[1]],
  area,
});
