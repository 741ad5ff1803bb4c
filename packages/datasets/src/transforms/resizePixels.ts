// Bilinear interpolation of pixels, row by row, in double precision.
import type { Pixels } from '../types.ts';
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
  const columns = neighbours(pixels.width, width, 3);
  const rows = neighbours(pixels.height, height, pixels.width * 3);
  const interpolate = height > pixels.height ? betweenStretchedRows : betweenRows;
  interpolate(pixels.data, columns, rows, data);
  return { width, height, channels: 3, data };
};

/** For every new position, where the two old ones begin that it lies between, and how far it is from the first. */
interface Neighbours {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly part: Float64Array;
}

const neighbours = (from: number, to: number, stride: number): Neighbours => {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const part = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const before = Math.floor(position);
    first[i] = before * stride;
    second[i] = Math.min(before + 1, from - 1) * stride;
    part[i] = position - before;
  }
  return { first, second, part };
};

/** One new row after the other from two old ones each: the way when few of the old rows are used twice. */
const betweenRows = (from: Uint8Array, columns: Neighbours, rows: Neighbours, data: Uint8Array): void => {
  const stride = columns.part.length * 3;
  for (let y = 0; y < rows.part.length; y++) {
    const row = data.subarray(y * stride, (y + 1) * stride);
    betweenTwoRows(from, columns, rows.first[y]!, rows.second[y]!, rows.part[y]!, row);
  }
};

const betweenTwoRows = (
  from: Uint8Array,
  { first, second, part }: Neighbours,
  above: number,
  below: number,
  partY: number,
  row: Uint8Array,
): void => {
  // The three channels are written out, and the sums cut to integers: an inner loop takes a third longer.
  for (let x = 0, at = 0; x < part.length; x++, at += 3) {
    const left = above + first[x]!;
    const right = above + second[x]!;
    const lowerLeft = below + first[x]!;
    const lowerRight = below + second[x]!;
    const partX = part[x]!;
    const red = between(from[left]!, from[right]!, partX);
    const green = between(from[left + 1]!, from[right + 1]!, partX);
    const blue = between(from[left + 2]!, from[right + 2]!, partX);
    const lowerRed = between(from[lowerLeft]!, from[lowerRight]!, partX);
    const lowerGreen = between(from[lowerLeft + 1]!, from[lowerRight + 1]!, partX);
    const lowerBlue = between(from[lowerLeft + 2]!, from[lowerRight + 2]!, partX);
    row[at] = (between(red, lowerRed, partY) + 0.5) | 0;
    row[at + 1] = (between(green, lowerGreen, partY) + 0.5) | 0;
    row[at + 2] = (between(blue, lowerBlue, partY) + 0.5) | 0;
  }
};

const between = (first: number, second: number, part: number): number => first + part * (second - first);

/** An old row at its new width, before rounding. */
interface StretchedRow {
  /** Where the old row begins; -1 for none. */
  start: number;
  readonly values: Float64Array;
}

/** New rows between old ones that are stretched once and used for several: the way when there are more new rows than old ones. */
const betweenStretchedRows = (
  from: Uint8Array,
  columns: Neighbours,
  rows: Neighbours,
  data: Uint8Array,
): void => {
  const stride = columns.part.length * 3;
  let above: StretchedRow = { start: -1, values: new Float64Array(stride) };
  let below: StretchedRow = { start: -1, values: new Float64Array(stride) };
  for (let y = 0; y < rows.part.length; y++) {
    // Going down, the lower row of one pair is the upper row of the next.
    if (above.start !== rows.first[y]) [above, below] = [below, above];
    stretch(from, columns, rows.first[y]!, above);
    stretch(from, columns, rows.second[y]!, below);
    blend(above.values, below.values, rows.part[y]!, data.subarray(y * stride, (y + 1) * stride));
  }
};

const stretch = (from: Uint8Array, columns: Neighbours, start: number, row: StretchedRow): void => {
  if (row.start === start) return;
  row.start = start;
  const { first, second, part } = columns;
  const { values } = row;
  for (let x = 0, at = 0; x < part.length; x++, at += 3) {
    const left = start + first[x]!;
    const right = start + second[x]!;
    const partX = part[x]!;
    values[at] = between(from[left]!, from[right]!, partX);
    values[at + 1] = between(from[left + 1]!, from[right + 1]!, partX);
    values[at + 2] = between(from[left + 2]!, from[right + 2]!, partX);
  }
};

const blend = (above: Float64Array, below: Float64Array, partY: number, row: Uint8Array): void => {
  for (let i = 0; i < row.length; i += 3) {
    row[i] = (between(above[i]!, below[i]!, partY) + 0.5) | 0;
    row[i + 1] = (between(above[i + 1]!, below[i + 1]!, partY) + 0.5) | 0;
    row[i + 2] = (between(above[i + 2]!, below[i + 2]!, partY) + 0.5) | 0;
  }
};
