// Pure functions from one sample to another: resize, flip, and pixels to network input. Nothing here is random; what
// should vary takes its choice as an argument.
import { DatasetError } from './errors.ts';
import type { Annotation, Box, Pixels, Sample } from './types.ts';

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
 * The sample at another size: pixels bilinear, boxes scaled per axis and clipped to the image.
 *
 * Units    pixels; sampling with half-pixel centres and the edge repeated outside, no smoothing when shrinking
 * Throws   DatasetError when the wanted size is not positive
 * Source   AutoAssign's training recipe
 * Example  resize(sample, { shortSide: 800, longSide: 1333 })
 */
export const resize = (sample: Sample, target: TargetSize): Sample => {
  const { width, height } = resizedSize(sample, target);
  const scaleX = width / sample.width;
  const scaleY = height / sample.height;
  const annotations = sample.annotations.map((annotation) => {
    const [x1, y1, x2, y2] = annotation.box;
    const box: Box = [
      clamp(x1 * scaleX, width),
      clamp(y1 * scaleY, height),
      clamp(x2 * scaleX, width),
      clamp(y2 * scaleY, height),
    ];
    return withBox(annotation, box, annotation.area * scaleX * scaleY);
  });
  return { ...sample, width, height, annotations, pixels: resizePixels(sample.pixels, { width, height }) };
};

const clamp = (position: number, end: number): number => Math.min(Math.max(position, 0), end);

const withBox = (annotation: Annotation, box: Box, area: number): Annotation => ({
  ...annotation,
  box,
  size: [box[2] - box[0], box[3] - box[1]],
  area,
});

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
    const position = clamp(((i + 0.5) * from) / to - 0.5, from - 1);
    first[i] = Math.floor(position);
    second[i] = Math.min(first[i]! + 1, from - 1);
    part[i] = position - first[i]!;
  }
  return { first, second, part };
};

/**
 * The mirror image, left and right exchanged, with its boxes.
 *
 * Units    a box [x1, x2) becomes [width - x2, width - x1)
 * Example  key & 1 ? flip(sample) : sample
 */
export const flip = (sample: Sample): Sample => {
  const { width, height, data: from } = sample.pixels;
  const data = new Uint8Array(from.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const source = (y * width + width - 1 - x) * 3;
      const target = (y * width + x) * 3;
      data[target] = from[source]!;
      data[target + 1] = from[source + 1]!;
      data[target + 2] = from[source + 2]!;
    }
  }
  const annotations = sample.annotations.map((annotation) => {
    const [x1, y1, x2, y2] = annotation.box;
    return { ...annotation, box: [width - x2, y1, width - x1, y2] as const };
  });
  return { ...sample, annotations, pixels: { width, height, channels: 3, data } };
};

/** How bytes become network input: (byte - mean) / std per channel, channels in the given order. */
export interface Normalization {
  /** Means in the order of `order`, in bytes. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** The order of the channels the network sees, and of `mean` and `std`. */
  readonly order: 'rgb' | 'bgr';
}

/**
 * The pixels as network input, padded with zeros at the right and the bottom.
 *
 * Shapes   pixels u8[h,w,3] to f32[3,H,W] with H >= h and W >= w
 * Throws   DatasetError when `into` is smaller than the image or `target` has the wrong length
 * Example  normalize(sample.pixels, { mean: [128, 128, 128], std: [64, 64, 64], order: 'rgb' })
 */
export const normalize = (
  pixels: Pixels,
  { mean, std, order }: Normalization,
  into: ImageSize = pixels,
  target: Float32Array = new Float32Array(3 * into.width * into.height),
): Float32Array => {
  const { width, height, data } = pixels;
  const plane = into.width * into.height;
  if (into.width < width || into.height < height || target.length !== 3 * plane)
    throw new DatasetError(
      `normalize(pixels): needs room for ${width}x${height}, got ${into.width}x${into.height} and an array of ${target.length}. Enlarge the padded size.`,
      { field: 'into' },
    );
  for (let c = 0; c < 3; c++) {
    const channel = order === 'rgb' ? c : 2 - c;
    const table = Float32Array.from({ length: 256 }, (_, byte) => (byte - mean[c]!) / std[c]!);
    for (let y = 0; y < height; y++) {
      const from = y * width * 3 + channel;
      const to = c * plane + y * into.width;
      for (let x = 0; x < width; x++) target[to + x] = table[data[from + x * 3]!]!;
    }
  }
  return target;
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
