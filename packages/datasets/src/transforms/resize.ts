// Pictures at another size: bilinear, with their boxes, at a size that is fixed or drawn.
import { randomStream } from '../random.ts';
import type { Sample } from '../types.ts';
import { clippedBox, type Placement, placedBox, withBox } from './placement.ts';

import { resizePixels } from './resizePixels.ts';
import { type ImageSize, type Range, resizedSize, type TargetSize } from './size.ts';

/** Resizes pictures by the rule of the short and the long side, ratio kept. */
export interface ResizeStep {
  readonly type: 'resize';
  /** Pixels of the shorter side: one number, one of a list by chance, or any whole number of a range (both ends included). */
  readonly shortSide: number | readonly number[] | Range;
  /** What the longer side may have at most, in pixels; it wins where both cannot be had. */
  readonly longSide: number;
  /** Whether pictures that are smaller are enlarged; true unless told otherwise. */
  readonly enlarge?: boolean;
}

/**
 * The sample at another size: pixels bilinear, boxes scaled per axis and clipped to the image.
 *
 * Units    pixels; sampling with half-pixel centres and the edge repeated outside, no smoothing when shrinking
 * Throws   DatasetError when the wanted size is not positive
 * Source   AutoAssign's training recipe
 * Example  resize(sample, { shortSide: 800, longSide: 1333 })
 */
export const resize = (sample: Sample, target: TargetSize): Sample => {
  const size = resizedSize(sample, target);
  const placement = resizePlacement(sample, size);
  const annotations = sample.annotations.map((annotation) =>
    withBox(
      annotation,
      clippedBox(placedBox(annotation.box, placement), size),
      annotation.area * placement.scale[0] * placement.scale[1],
    ),
  );
  return { ...sample, ...size, annotations, pixels: resizePixels(sample.pixels, size) };
};

/** Where points go when a picture gets another size. */
const resizePlacement = (from: ImageSize, to: ImageSize): Placement => ({
  scale: [to.width / from.width, to.height / from.height],
  shift: [0, 0],
});

/** The sample at the size that the step says, drawn with the key where there is a choice. */
export const resizeStep = (sample: Sample, step: ResizeStep, key: number): Sample => {
  const target = { shortSide: drawnSide(step.shortSide, key), longSide: step.longSide };
  const size = resizedSize(sample, target);
  const isSmaller = size.width >= sample.width && size.height >= sample.height;
  return step.enlarge === false && isSmaller ? sample : resize(sample, size);
};

const drawnSide = (side: ResizeStep['shortSide'], key: number): number => {
  if (typeof side === 'number') return side;
  const random = randomStream(key);
  return 'from' in side
    ? side.from + random.integer(side.to - side.from + 1)
    : side[random.integer(side.length)]!;
};
