// Pictures at another size: bilinear, with their boxes, at a size that is fixed or drawn.
import { randomStream } from '../random.ts';
import type { Pixels, Sample } from '../types.ts';
import { clippedBox, type Placement, placedBox, withBox } from './placement.ts';
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

/**
 * The pixels at another size, bilinear with half-pixel centres.
 *
 * Example  resizePixels(pixels, { width: 320, height: 240 })
 */
export const resizePixels = (pixels: Pixels, { width, height }: ImageSize): Pixels => {
  if (width === pixels.width && height === pixels.height) return pixels;
  const columns = neighbours(pixels.width, width);
  const rows = neighbours(pixels.height, height);
  const from = pixels.data;
  const data = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const above = rows.first[y]! * pixels.width;
    const below = rows.second[y]! * pixels.width;
    const partY = rows.part[y]!;
    for (let x = 0; x < width; x++) {
      const left = columns.first[x]!;
      const right = columns.second[x]!;
      const partX = columns.part[x]!;
      for (let c = 0; c < 3; c++) {
        const topLeft = from[(above + left) * 3 + c]!;
        const bottomLeft = from[(below + left) * 3 + c]!;
        const top = topLeft + partX * (from[(above + right) * 3 + c]! - topLeft);
        const bottom = bottomLeft + partX * (from[(below + right) * 3 + c]! - bottomLeft);
        data[at++] = top + partY * (bottom - top) + 0.5;
      }
    }
  }
  return { width, height, channels: 3, data };
};

/** For every new position, the two old positions it lies between and how far from the first. */
const neighbours = (
  from: number,
  to: number,
): { first: Int32Array; second: Int32Array; part: Float64Array } => {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const part = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    first[i] = Math.floor(position);
    second[i] = Math.min(first[i]! + 1, from - 1);
    part[i] = position - first[i]!;
  }
  return { first, second, part };
};
