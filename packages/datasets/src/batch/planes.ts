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
  // A row is filled where it is at hand and then copied: to write to three far places in turn takes longer.
  const row: Row = {
    values: tables.map(({ values }) => values),
    numbers: tables.map(() => new Float32Array(padded.width)),
  };
  const words = wordsOf(data);
  for (let y = 0; y < height; y++) {
    fillRow(data, words, 3 * y * width, width, row);
    for (const [channel, { plane }] of tables.entries())
      target.set(row.numbers[channel]!, plane * size + y * padded.width);
  }
  for (let plane = 0; plane < 3; plane++)
    target.fill(0, plane * size + height * padded.width, (plane + 1) * size);
};

/** For each channel of the pixels: what bytes become, and the numbers of one row, with zeros behind them. */
interface Row {
  readonly values: readonly Float32Array[];
  readonly numbers: readonly Float32Array[];
}

/** The bytes four at a time, from the first place on where that can be. */
const wordsOf = ({ buffer, byteOffset, length }: Uint8Array): Uint32Array => {
  const start = Math.ceil(byteOffset / 4) * 4;
  return new Uint32Array(buffer, start, Math.floor((byteOffset + length - start) / 4));
};

/** Reads whole words from where a pixel begins with one: after at most three pixels, since 3 and 4 have no common divisor. */
const fillRow = (data: Uint8Array, words: Uint32Array, start: number, width: number, row: Row): void => {
  const first = Math.min(width, (data.byteOffset + start) % 4);
  const last = first + 4 * Math.floor((width - first) / 4);
  fillFromBytes(data, start, 0, first, row);
  fillFromWords(words, (data.byteOffset + start + 3 * first - words.byteOffset) / 4, first, last, row);
  fillFromBytes(data, start + 3 * last, last, width, row);
};

const fillFromBytes = (data: Uint8Array, from: number, first: number, last: number, row: Row): void => {
  const [red, green, blue] = row.values as [Float32Array, Float32Array, Float32Array];
  const [reds, greens, blues] = row.numbers as [Float32Array, Float32Array, Float32Array];
  for (let x = first, at = from; x < last; x++, at += 3) {
    reds[x] = red[data[at]!]!;
    greens[x] = green[data[at + 1]!]!;
    blues[x] = blue[data[at + 2]!]!;
  }
};

/** Four pixels from three words at a time, the lowest byte first, as all machines have it that run JavaScript. */
const fillFromWords = (words: Uint32Array, from: number, first: number, last: number, row: Row): void => {
  const [red, green, blue] = row.values as [Float32Array, Float32Array, Float32Array];
  const [reds, greens, blues] = row.numbers as [Float32Array, Float32Array, Float32Array];
  for (let x = first, at = from; x < last; x += 4, at += 3) {
    const one = words[at]!;
    const two = words[at + 1]!;
    const three = words[at + 2]!;
    reds[x] = red[one & 255]!;
    greens[x] = green[(one >>> 8) & 255]!;
    blues[x] = blue[(one >>> 16) & 255]!;
    reds[x + 1] = red[one >>> 24]!;
    greens[x + 1] = green[two & 255]!;
    blues[x + 1] = blue[(two >>> 8) & 255]!;
    reds[x + 2] = red[(two >>> 16) & 255]!;
    greens[x + 2] = green[two >>> 24]!;
    blues[x + 2] = blue[three & 255]!;
    reds[x + 3] = red[(three >>> 8) & 255]!;
    greens[x + 3] = green[(three >>> 16) & 255]!;
    blues[x + 3] = blue[three >>> 24]!;
  }
};
