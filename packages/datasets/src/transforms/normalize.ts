// Pixels to network input: mean and standard deviation per channel, the usual pairs of them, and their random variation.
import { DatasetError } from '../errors.ts';
import { randomStream } from '../random.ts';
import type { Pixels } from '../types.ts';
import type { ImageSize, Range } from './size.ts';

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
 * What the published networks with Caffe's weights take, such as AutoAssign's: BGR bytes less their mean.
 */
export const caffeNormalization: Normalization = {
  mean: [102.9801, 115.9465, 122.7717],
  std: [1, 1, 1],
  order: 'bgr',
};

/**
 * What networks pretrained with torchvision take: RGB in units of ImageNet's standard deviations.
 */
export const torchvisionNormalization: Normalization = {
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
  order: 'rgb',
};

/** Varies brightness and colour where bytes become numbers: x * gain + offset, one gain per picture, one offset per channel. */
export interface NormalizeJitterStep {
  readonly type: 'normalizeJitter';
  /** Factors of the normalised picture. */
  readonly gain: Range;
  /** Added to each channel of the normalised picture. */
  readonly offset: Range;
}

/**
 * The normalisation after which pixels are x * gain + offset instead of x, with numbers drawn from the key.
 *
 * Units    (byte - mean) / std * gain + offset = (byte - (mean - offset * std / gain)) / (std / gain); padding stays 0
 * Example  jittered(normalization, { type: 'normalizeJitter', gain: { from: 0.85, to: 1.15 }, offset: { from: -0.2, to: 0.2 } }, key)
 */
export const jittered = (
  { mean, std, order }: Normalization,
  { gain: { from, to }, offset }: NormalizeJitterStep,
  key: number,
): Normalization => {
  const random = randomStream(key);
  const gain = random.uniform(from, to);
  const varied = ([0, 1, 2] as const).map((c) => {
    const added = random.uniform(offset.from, offset.to);
    return { mean: mean[c] - (added * std[c]) / gain, std: std[c] / gain };
  });
  const [first, second, third] = varied as [Varied, Varied, Varied];
  return {
    mean: [first.mean, second.mean, third.mean],
    std: [first.std, second.std, third.std],
    order,
  };
};

type Varied = { readonly mean: number; readonly std: number };
