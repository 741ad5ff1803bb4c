// Where the locations of a feature pyramid lie in the image.
import type { Tensor } from '@autoassign/tensor';
import { tensor } from '@autoassign/tensor';

/** One level of a feature pyramid: the size of its grid, and how many image pixels one step on it is. */
export interface FeatureLevel {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
}

/** The locations of all levels, finest level first, row by row: positions f32[R,2] (x, y) in pixels, and the stride f32[R] of each. */
export type Points = { readonly locations: Tensor; readonly strides: Tensor };

/** The locations together with the levels that they belong to. */
export type PyramidPoints = Points & { readonly levels: readonly FeatureLevel[] };

/** How many locations the levels have together. */
export const locationCount = (levels: readonly FeatureLevel[]): number =>
  levels.reduce((count, { height, width }) => count + height * width, 0);

/**
 * The locations (column * stride, row * stride) of all levels in order, row by row.
 *
 * Shapes   -> locations f32[R,2], strides f32[R]
 * Units    pixels of the padded image; the first location is (0, 0), not the centre of its cell
 * Source   the authors' code; FCOS would add half a stride
 * Example  locations([{ height: 2, width: 3, stride: 8 }])
 */
export const locations = (levels: readonly FeatureLevel[]): Points => {
  const count = locationCount(levels);
  const positions = new Float32Array(2 * count);
  const strides = new Float32Array(count);
  let i = 0;
  for (const { height, width, stride } of levels)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        positions[2 * i] = column * stride;
        positions[2 * i + 1] = row * stride;
        strides[i++] = stride;
      }
  return { locations: tensor(positions, { shape: [count, 2] }), strides: tensor(strides) };
};
