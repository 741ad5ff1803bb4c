// Pixels into the memory of a batch: normalised, channel by channel, with zeros where the image is padded.
import { DatasetError } from '../errors.ts';
import type { Normalization } from '../transforms/normalize.ts';
import type { ImageSize } from '../transforms/size.ts';
import type { Pixels } from '../types.ts';

/** For each of red, green and blue: its plane in the batch, and the number that stands for each byte. */
export type ByteTables = readonly { readonly plane: number; readonly values: Float32Array }[];

/**
 * What every byte becomes, by channel of the pixels.
 *
 * Example  byteTables({ mean: [128, 128, 128], std: [64, 64, 64], order: 'bgr' })[0].plane // 2
 */
export const byteTables = ({ mean, std, order }: Normalization): ByteTables =>
  [0, 1, 2].map((channel) => {
    const plane = order === 'rgb' ? channel : 2 - channel;
    const values = Float32Array.from({ length: 256 }, (_, byte) => (byte - mean[plane]!) / std[plane]!);
    return { plane, values };
  });

/**
 * Nothing; `target` then holds what `normalize` gives for that padded size, whatever it held before.
 *
 * Shapes   pixels u8[h,w,3] to f32[3,H,W] with H >= h and W >= w
 * Throws   DatasetError when the padded size is smaller than the image or `target` has the wrong length
 */
export const writePlanes = (
  pixels: Pixels,
  tables: ByteTables,
  padded: ImageSize,
  target: Float32Array,
): void => {
  const { width, height, data } = pixels;
  const size = padded.width * padded.height;
  if (padded.width < width || padded.height < height || target.length !== 3 * size)
    throw new DatasetError(
      `writePlanes(pixels): needs room for ${width}x${height}, got ${padded.width}x${padded.height} and an array of ${target.length}. Enlarge the padded size.`,
      { field: 'padded' },
    );
  // Row by row: the row of the pixels is read three times while it is near, and each plane is written in order.
  for (let y = 0; y < height; y++)
    for (const [channel, { plane, values }] of tables.entries()) {
      const row = plane * size + y * padded.width;
      writeRow(data, 3 * y * width + channel, values, target, row, row + width);
      target.fill(0, row + width, row + padded.width);
    }
  for (let plane = 0; plane < 3; plane++)
    target.fill(0, plane * size + height * padded.width, (plane + 1) * size);
};

/** Every third byte from `from` on, as the number that stands for it. */
const writeRow = (
  data: Uint8Array,
  from: number,
  values: Float32Array,
  target: Float32Array,
  start: number,
  end: number,
): void => {
  let source = from;
  for (let at = start; at < end; at++) {
    target[at] = values[data[source]!]!;
    source += 3;
  }
};
