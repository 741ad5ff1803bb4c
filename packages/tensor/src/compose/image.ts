// Image compositions: max pooling, nearest-neighbour and bilinear resizing.
import type { Conv2dOptions } from '../ops/conv.ts';
import { pairOf, sidesOf } from '../ops/conv.ts';
import { add, mul } from '../ops/elementwise.ts';
import { gather } from '../ops/indexing.ts';
import { reshape } from '../ops/movement.ts';
import { poolArgMax2dOp } from '../ops/pool.ts';
import type { Tensor } from '../tensor.ts';
import { apply, tensor } from '../tensor.ts';

/** Options of maxPool2d. */
export interface Pool2dOptions {
  readonly window: number | readonly [number, number];
  /** The window by default. */
  readonly stride?: number | readonly [number, number];
  readonly padding?: Conv2dOptions['padding'];
}

/**
 * The largest element of every window; positions outside the image never win.
 *
 * Shapes   x f32[N,C,H,W] -> f32[N,C,OH,OW]
 * Gradient to the first largest element of each window
 */
export const maxPool2d = (x: Tensor, options: Pool2dOptions): Tensor => {
  const window = pairOf(options.window);
  const stride = pairOf(options.stride ?? window);
  const at = apply(poolArgMax2dOp, [x], { window, stride, padding: sidesOf(options.padding) });
  const [images, channels, height, width] = x.shape as readonly [number, number, number, number];
  const planes = images * channels;
  const places = reshape(at, [planes, at.shape[2]! * at.shape[3]!]);
  const pixels = reshape(x, [planes, height * width]);
  return reshape(gather(pixels, places, { axis: 1, batchDims: 1 }), at.shape);
};

/** Height and width of an image. */
export type ImageSize = readonly [height: number, width: number];

/**
 * The image resized by repeating pixels: row y of the result is row floor(y * H / height) of the input.
 *
 * Shapes   x f32[N,C,H,W] -> f32[N,C,height,width]
 */
export const resizeNearest = (x: Tensor, [height, width]: ImageSize): Tensor => {
  const along = (from: number, to: number): Tensor =>
    tensor(Int32Array.from({ length: to }, (_, i) => Math.floor((i * from) / to)));
  const rows = gather(x, along(x.shape[2]!, height), { axis: 2 });
  return gather(rows, along(x.shape[3]!, width), { axis: 3 });
};

/** Source positions of a bilinear resize along one axis: half-pixel centres, clamped to the border. */
const interpolation = (from: number, to: number) => {
  const positions = Array.from({ length: to }, (_, i) =>
    Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1),
  );
  const lower = positions.map(Math.floor);
  return {
    lower: tensor(Int32Array.from(lower)),
    upper: tensor(Int32Array.from(lower, (i) => Math.min(i + 1, from - 1))),
    weight: positions.map((p, i) => p - lower[i]!),
  };
};

const interpolate = (x: Tensor, axis: number, to: number): Tensor => {
  const { lower, upper, weight } = interpolation(x.shape[axis]!, to);
  const shape = x.shape.map((_, d) => (d === axis ? to : 1));
  const share = tensor(weight, { shape });
  const rest = tensor(
    weight.map((w) => 1 - w),
    { shape },
  );
  return add(mul(gather(x, lower, { axis }), rest), mul(gather(x, upper, { axis }), share));
};

/**
 * The image resized by bilinear interpolation with half-pixel centres and no antialiasing.
 *
 * Shapes   x f32[N,C,H,W] -> f32[N,C,height,width]
 */
export const resizeBilinear = (x: Tensor, [height, width]: ImageSize): Tensor =>
  interpolate(interpolate(x, 2, height), 3, width);
