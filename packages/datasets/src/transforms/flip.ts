// Mirror images: left and right exchanged, or top and bottom.
import { randomStream } from '../random.ts';
import type { Pixels, Sample } from '../types.ts';
import { type Placement, placedBox } from './placement.ts';
import type { ImageSize } from './size.ts';

/** The axis along which a picture is mirrored: 'horizontal' exchanges left and right. */
export type FlipAxis = 'horizontal' | 'vertical';

/** Mirrors some of the pictures. */
export interface FlipStep {
  readonly type: 'flip';
  /** The share of pictures that are mirrored; 0.5 unless told otherwise. */
  readonly probability?: number;
  /** 'horizontal' unless told otherwise. */
  readonly axis?: FlipAxis;
}

/**
 * The mirror image with its boxes.
 *
 * Units    a box [x1, x2) becomes [width - x2, width - x1)
 * Example  key & 1 ? flip(sample) : sample
 */
export const flip = (sample: Sample, axis: FlipAxis = 'horizontal'): Sample => {
  const placement = flipPlacement(sample, axis);
  const annotations = sample.annotations.map((annotation) => ({
    ...annotation,
    box: placedBox(annotation.box, placement),
  }));
  return { ...sample, annotations, pixels: flippedPixels(sample.pixels, axis) };
};

/** Where points go in the mirror image of a picture of the given size. */
export const flipPlacement = ({ width, height }: ImageSize, axis: FlipAxis): Placement =>
  axis === 'horizontal' ? { scale: [-1, 1], shift: [width, 0] } : { scale: [1, -1], shift: [0, height] };

const flippedPixels = (pixels: Pixels, axis: FlipAxis): Pixels => {
  const { width, height, data: from } = pixels;
  const data = new Uint8Array(from.length);
  const stride = width * 3;
  if (axis === 'vertical') {
    for (let y = 0; y < height; y++)
      data.set(from.subarray(y * stride, (y + 1) * stride), (height - 1 - y) * stride);
    return { width, height, channels: 3, data };
  }
  for (let y = 0, target = 0; y < height; y++) {
    for (let source = (y + 1) * stride - 3; source >= y * stride; source -= 3, target += 3) {
      data[target] = from[source]!;
      data[target + 1] = from[source + 1]!;
      data[target + 2] = from[source + 2]!;
    }
  }
  return { width, height, channels: 3, data };
};

/** The sample or its mirror image, as the key decides. */
export const flipStep = (sample: Sample, step: FlipStep, key: number): Sample =>
  randomStream(key).uniform(0, 1) < (step.probability ?? 0.5) ? flip(sample, step.axis) : sample;
