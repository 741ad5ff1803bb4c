// Where Winograd's convolution is used: where it computes the same and is faster.

import type { Conv2dGeometry } from '../geometry.ts';
import type { TileSize } from './convolutionTiles.ts';

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

/** Most filters for tiles of 4x4: more would be read too often for the few tiles of the images that such layers have. */
const maximumFiltersOfLargeTiles = 256 * 256;

/** Products that tiles of 2x2 may need for one of tiles of 4x4 to be left alone: what larger transforms cost. */
const transformShare = 1.2;

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
  const tiles = tilesOver(height, width, 2);
  return (
    isPossible(geometry) &&
    Math.min(channels, outChannels) >= minimumChannels &&
    filters <= maximumFilters &&
    batch * tiles >= Math.max(minimumTiles, filters / maximumFiltersPerTile) &&
    height * width >= minimumPixelsPerTile * tiles
  );
}

/** Whether tiles of 4x4 outputs pay where tiles of 2x2 do, in a convolution whose filters are transformed once for many runs. */
export function areLargeTilesFaster(geometry: Conv2dGeometry): boolean {
  const { channels, outChannels, outHeight, outWidth } = geometry;
  const productsOf = (size: TileSize): number => tilesOver(outHeight, outWidth, size) * (size + 2) ** 2;
  const areFew = channels * outChannels <= maximumFiltersOfLargeTiles;
  return isWinogradFaster(geometry, 'output') && areFew && transformShare * productsOf(4) < productsOf(2);
}

/** Tiles that cover a plane. */
function tilesOver(height: number, width: number, size: TileSize): number {
  return Math.ceil(height / size) * Math.ceil(width / size);
}
