// Bilinear interpolation of pixels, row by row, in double precision.
import type { Pixels } from '../types.ts';
import { type Positions, type RowKernel, rowKernel } from './rowKernel.ts';
import type { ImageSize } from './size.ts';

/**
 * The pixels at another size: bilinear with half-pixel centres, the edge repeated outside, no smoothing when shrinking, rounded half
 * up; two interpolations along x and one along y between them, exactly as written there, in double precision.
 *
 * Source   the recipe of AutoAssign, whose authors resize with OpenCV's INTER_LINEAR. That one rounds weights to 1/2048 and cuts the
 *          sums in between: no byte differs by more than 1 level, on noise 0.10 to 0.13 on average, and none when sides are halved
 * Example  resizePixels(pixels, { width: 320, height: 240 })
 */
export const resizePixels = (pixels: Pixels, size: ImageSize): Pixels => {
  const { width, height } = size;
  if (width === pixels.width && height === pixels.height) return pixels;
  const data = new Uint8Array(width * height * 3);
  const rows = neighbours(pixels.height, height);
  const kernel = rowKernel(pixels.width, neighbours(pixels.width, width));
  const stretched = stretchedRows(pixels, kernel);
  for (let y = 0; y < height; y++) {
    const [above, below] = stretched(rows.first[y]!, rows.second[y]!);
    data.set(kernel.blend(above, below, rows.part[y]!), y * width * 3);
  }
  return { width, height, channels: 3, data };
};

const neighbours = (from: number, to: number): Positions => {
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

/** Gives the kernel's places of two old rows, and stretches those that are not there already: going down, most are used again. */
const stretchedRows = (
  { width, data }: Pixels,
  kernel: RowKernel,
): ((first: number, second: number) => readonly [above: 0 | 1, below: 0 | 1]) => {
  const held = [-1, -1];
  const put = (row: number, place: 0 | 1): 0 | 1 => {
    if (held[place] !== row) kernel.stretch(data.subarray(row * width * 3, (row + 1) * width * 3), place);
    held[place] = row;
    return place;
  };
  return (first, second) => {
    const above = put(first, held[1] === first ? 1 : 0);
    return [above, first === second ? above : put(second, above === 0 ? 1 : 0)];
  };
};
