// Bilinear interpolation twice more: as the formula says, pixel by pixel, and with the integers of OpenCV.
import type { ImageSize, Pixels } from '@autoassign/datasets';

/** The definition: one pixel at a time, in double precision. */
export const resizedByDefinition = (pixels: Pixels, { width, height }: ImageSize): Uint8Array => {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = position(x, pixels.width, width);
      const row = position(y, pixels.height, height);
      for (let c = 0; c < 3; c++) {
        const at = (i: number, j: number): number => pixels.data[(i * pixels.width + j) * 3 + c]!;
        const alongRow = (i: number): number => {
          const left = at(i, column.first);
          return left + column.part * (at(i, column.second) - left);
        };
        const top = alongRow(row.first);
        const value = top + row.part * (alongRow(row.second) - top);
        data[(y * width + x) * 3 + c] = Math.floor(value + 0.5);
      }
    }
  }
  return data;
};

const position = (
  i: number,
  from: number,
  to: number,
): { readonly first: number; readonly second: number; readonly part: number } => {
  const exact = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
  const first = Math.floor(exact);
  return { first, second: Math.min(first + 1, from - 1), part: exact - first };
};

/**
 * OpenCV's INTER_LINEAR for bytes: positions in single precision, weights of 11 bits, sums along rows cut by 4 bits, sums of rows
 * by 16 and then 2, the last one rounded.
 */
export const resizedLikeOpenCv = (pixels: Pixels, { width, height }: ImageSize): Uint8Array => {
  const data = new Uint8Array(width * height * 3);
  const columns = Array.from({ length: width }, (_, x) =>
    atEdges(weights(x, pixels.width, width), pixels.width),
  );
  const lastRow = pixels.height - 1;
  for (let y = 0; y < height; y++) {
    const row = weights(y, pixels.height, height);
    const alongRow = (i: number, x: number, c: number): number => {
      const start = Math.min(Math.max(i, 0), lastRow) * pixels.width;
      const { first, near, far } = columns[x]!;
      const second = Math.min(first + 1, pixels.width - 1);
      return pixels.data[(start + first) * 3 + c]! * near + pixels.data[(start + second) * 3 + c]! * far;
    };
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const above = (row.near * (alongRow(row.first, x, c) >> 4)) >> 16;
        const below = (row.far * (alongRow(row.first + 1, x, c) >> 4)) >> 16;
        data[(y * width + x) * 3 + c] = (above + below + 2) >> 2;
      }
    }
  }
  return data;
};

interface Weights {
  readonly first: number;
  readonly near: number;
  readonly far: number;
}

const one = 2 ** 11;

const weights = (i: number, from: number, to: number): Weights => {
  const exact = Math.fround((i + 0.5) * (1 / (to / from)) - 0.5);
  const first = Math.floor(exact);
  const part = Math.fround(exact - first);
  return { first, near: halfToEven(Math.fround(1 - part) * one), far: halfToEven(part * one) };
};

const atEdges = (found: Weights, from: number): Weights => {
  if (found.first < 0) return { first: 0, near: one, far: 0 };
  return found.first >= from - 1 ? { first: from - 1, near: one, far: 0 } : found;
};

const halfToEven = (value: number): number => {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
};
