// Parts of pictures, of a size that is given or drawn, at places that are drawn.
import { DatasetError } from '../errors.ts';
import { type RandomStream, randomStream } from '../random.ts';
import type { Sample } from '../types.ts';
import { cutPixels, type Region, visibleObjects } from './cut.ts';
import { type ImageSize, integerOf, type Range } from './size.ts';

/** Cuts a part out of every picture. */
export interface CropStep {
  readonly type: 'crop';
  /** Pixels of the part, one number or any whole number of a range; the whole side where the picture has no more than that. */
  readonly width: number | Range;
  readonly height: number | Range;
  /** Whether all objects may be lost; otherwise such a picture stays whole. False unless told otherwise. */
  readonly allowEmpty?: boolean;
}

/**
 * The part of a sample in a region, with what is left of its objects.
 *
 * Units    pixels; boxes clipped, objects with less than a pixel left along an axis are left out
 * Throws   DatasetError when the region is no rectangle of whole pixels within the picture
 * Example  crop(sample, { left: 100, top: 0, width: 320, height: 320 })
 */
export const crop = (sample: Sample, region: Region): Sample => {
  const { left, top, width, height } = region;
  checkRegion(sample, region);
  const annotations = visibleObjects(sample.annotations, [-left, -top], region);
  return { ...sample, width, height, annotations, pixels: cutPixels(sample.pixels, region) };
};

const checkRegion = (sample: Sample, { left, top, width, height }: Region): void => {
  const isWhole = [left, top, width, height].every(Number.isSafeInteger);
  const isInside = left >= 0 && top >= 0 && left + width <= sample.width && top + height <= sample.height;
  if (isWhole && isInside && width > 0 && height > 0) return;
  throw new DatasetError(
    `crop(${sample.file}): needs a region of whole pixels within ${sample.width}x${sample.height}, got ${width}x${height} at (${left}, ${top}). Correct the region.`,
    { file: sample.file, field: 'region' },
  );
};

/** A part of the sample, its size and place drawn with the key. */
export const cropStep = (sample: Sample, step: CropStep, key: number): Sample => {
  const random = randomStream(key);
  const width = Math.min(integerOf(step.width, random), sample.width);
  const height = Math.min(integerOf(step.height, random), sample.height);
  const cropped = crop(sample, placed({ width, height }, sample, random));
  const isEmptied = sample.annotations.length > 0 && cropped.annotations.length === 0;
  return isEmptied && step.allowEmpty !== true ? sample : cropped;
};

const placed = ({ width, height }: ImageSize, within: ImageSize, random: RandomStream): Region => ({
  left: random.integer(within.width - width + 1),
  top: random.integer(within.height - height + 1),
  width,
  height,
});
