// Sizes of pictures: what a picture gets when it is resized or padded.
import { DatasetError } from '../errors.ts';
import type { RandomStream } from '../random.ts';

/** The wanted size: a factor, exact sides, or the usual rule for the short and the long side (ratio kept, both respected). */
export type TargetSize =
  | { readonly scale: number }
  | { readonly width: number; readonly height: number }
  | { readonly shortSide: number; readonly longSide: number };

/** A width and a height in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Numbers between two bounds; which of the bounds are meant says the field that has them. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The number itself, or a whole number of a range, both ends included and all equally likely.
 */
export const integerOf = (choice: number | Range, random: RandomStream): number =>
  typeof choice === 'number' ? choice : choice.from + random.integer(choice.to - choice.from + 1);

/**
 * The size in whole pixels that an image gets.
 *
 * Units    pixels; with a factor s, floor(side * s + 0.5) and at least 1
 * Throws   DatasetError when the wanted size is not positive
 * Example  resizedSize({ width: 640, height: 480 }, { shortSide: 800, longSide: 1333 }) // 1067 x 800
 */
export const resizedSize = ({ width, height }: ImageSize, target: TargetSize): ImageSize => {
  const wanted = 'width' in target ? target : scaledSize(width, height, scaleFor(width, height, target));
  if ([wanted.width, wanted.height].every((side) => Number.isSafeInteger(side) && side >= 1))
    return { width: wanted.width, height: wanted.height };
  throw new DatasetError(
    `resize(target): needs a positive size in whole pixels, got ${JSON.stringify(target)}. Correct the target size.`,
    { field: 'target' },
  );
};

const scaleFor = (
  width: number,
  height: number,
  target: Exclude<TargetSize, { readonly width: number }>,
): number => {
  if ('scale' in target) return target.scale;
  return Math.min(target.longSide / Math.max(width, height), target.shortSide / Math.min(width, height));
};

const scaledSize = (width: number, height: number, scale: number): ImageSize => {
  const scaled = (side: number): number => (scale > 0 ? Math.max(1, Math.floor(side * scale + 0.5)) : 0);
  return { width: scaled(width), height: scaled(height) };
};

/**
 * The size rounded up so that both sides are multiples of a number.
 *
 * Example  paddedSize({ width: 500, height: 320 }, 32) // 512 x 320
 */
export const paddedSize = ({ width, height }: ImageSize, multiple: number): ImageSize => ({
  width: Math.ceil(width / multiple) * multiple,
  height: Math.ceil(height / multiple) * multiple,
});
