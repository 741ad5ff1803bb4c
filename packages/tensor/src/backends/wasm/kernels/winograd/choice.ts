// Where Winograd's convolution is used: where it computes the same and is faster.

import type { Conv2dGeometry } from '../geometry.ts';
import { tileSize } from './transforms.ts';

// Times as fast as the implicit product, medians of 9 alternating runs on one core without fused multiply-add
// (with it the ratios are the same; the filter gradient by tiles of 2x2, larger ones gain another fifth where they are used):
//
//   channels, size, images   forward   input gradient   filter gradient
//   64, 56x56, 1               2.1          2.1               2.2
//   256, 40x40, 1              2.1          2.2               2.2
//   128, 4x4, 4                1.8          2.0               1.6
//   8, 32x32, 4                1.6          1.7               2.0
//   4, 32x32, 4                1.4          1.4               1.2
//   3 to 16, 64x64, 4          1.1          1.9               0.9
//   512, 14x14, 1              1.4          1.5               1.9
//   512, 7x7, 1                0.9          1.2               1.1
//   64, 5x5, 4                 1.4          1.4               1.2
//   64, 3x3, 16                1.3          1.3               1.2
//   48, 4x4, 1                 0.9          1.1               1.1
//   48, 2x2, 4                 1.0          1.2               1.2

/** Fewest channels on either side: fewer leave the transforms too large a part, and their errors no average. */
const minimumChannels = 8;

/** Fewest tiles of all images, and most filters per tile: fewer tiles do not pay for the transform of the filters. */
const minimumTiles = 16;
const maximumFiltersPerTile = 12_000;

/** Fewest pixels per tile: smaller images leave too much of their tiles empty (5x5 has 2.8, 3x3 has 2.3). */
const minimumPixelsPerTile = 2.5;

/** Most filters: more would take more than 17 MB once transformed. */
const maximumFilters = 512 * 512;

/** Whether Winograd's tiles can compute this convolution: 3x3 filters moved by single pixels, one group. */
function isPossible(geometry: Conv2dGeometry): boolean {
  const { groups, kernelHeight, kernelWidth, strideHeight, strideWidth } = geometry;
  const steps = [strideHeight, strideWidth, geometry.dilationHeight, geometry.dilationWidth];
  return groups === 1 && kernelHeight === 3 && kernelWidth === 3 && steps.every((step) => step === 1);
}

/** Whether Winograd's convolution pays when its tiles cover the output (`output`) or the images (`images`). */
export function isWinogradFaster(geometry: Conv2dGeometry, covered: 'output' | 'images'): boolean {
  const { batch, channels, outChannels } = geometry;
  const filters = channels * outChannels;
  const [height, width] =
    covered === 'output' ? [geometry.outHeight, geometry.outWidth] : [geometry.height, geometry.width];
  const tiles = Math.ceil(height / tileSize) * Math.ceil(width / tileSize);
  return (
    isPossible(geometry) &&
    Math.min(channels, outChannels) >= minimumChannels &&
    filters <= maximumFilters &&
    batch * tiles >= Math.max(minimumTiles, filters / maximumFiltersPerTile) &&
    height * width >= minimumPixelsPerTile * tiles
  );
}
