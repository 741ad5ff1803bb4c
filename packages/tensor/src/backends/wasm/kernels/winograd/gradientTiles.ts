// The tiles of Winograd's filter gradient, and their transforms: F(3x3, 2x2) and F(3x3, 3x3).
//
// Seen from the filter, the output gradient is what slides over the image: a tile of m x m output gradients and the
// (m + 2) x (m + 2) pixels that they saw give the nine taps from (m + 2)^2 products. Three by three tiles need 25 products for
// 9 positions where two by two need 16 for 4, so a third less; their transforms are further from the identity, and cost about 2.5
// times the rounding error (root mean square; with 256 positions or more the worst seen is a fifth of the conformance bound).
// Source  Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), section 4.3; the 3x3 transforms are
//         Toom and Cook's at the points 0, 1, -1, 2 and infinity, with all divisions moved to the end

import { f32x4 } from '../../assembler/vector.ts';
import type { Conv2dGeometry } from '../geometry.ts';
import { smallTiles as smallConvolutionTiles } from './convolutionTiles.ts';
import type { LineTransform, Vector } from './transforms.ts';
import { half, scaled } from './transforms.ts';

/** Tiles of output gradients, and how they, the pixels and the sums of products are transformed along one dimension. */
export interface GradientTiles {
  /** Output gradients of a tile along one dimension. */
  readonly size: number;
  /** Pixels that they saw. */
  readonly reach: number;
  readonly pixels: LineTransform;
  readonly gradients: LineTransform;
  readonly filters: LineTransform;
}

/** F(3x3, 2x2): the forward convolution's transforms, and the adjoints of its other two. */
export const smallTiles: GradientTiles = {
  size: 2,
  reach: 4,
  pixels: smallConvolutionTiles.pixels,
  gradients: {
    from: 2,
    to: 4,
    apply: (a, b) => [a, f32x4.add(a, b), f32x4.sub(a, b), f32x4.neg(b)],
  },
  filters: {
    from: 4,
    to: 3,
    apply: (a, b, c, d) => [
      f32x4.add(a, half(f32x4.add(b, c))),
      half(f32x4.sub(b, c)),
      f32x4.add(half(f32x4.add(b, c)), d),
    ],
  },
};

function twice(value: Vector): Vector {
  return scaled(2, value);
}

function thrice(value: Vector): Vector {
  return scaled(3, value);
}

/** A division, so that whole sixths of whole sums stay exact. */
function sixth(value: Vector): Vector {
  return f32x4.div(value, f32x4.const(6));
}

/** F(3x3, 3x3). */
export const largeTiles: GradientTiles = {
  size: 3,
  reach: 5,
  pixels: {
    from: 5,
    to: 5,
    // rows (2 -1 -2 1 0), (0 -2 -1 1 0), (0 2 -3 1 0), (0 -1 0 1 0), (0 2 -1 -2 1)
    apply: (a, b, c, d, e) => [
      f32x4.add(twice(f32x4.sub(a, c)), f32x4.sub(d, b)),
      f32x4.sub(f32x4.sub(d, c), twice(b)),
      f32x4.add(f32x4.sub(d, c), twice(f32x4.sub(b, c))),
      f32x4.sub(d, b),
      f32x4.sub(f32x4.sub(e, c), twice(f32x4.sub(d, b))),
    ],
  },
  gradients: {
    from: 3,
    to: 5,
    // the polynomial a + b p + c p^2 at every point p
    apply: (a, b, c) => [
      a,
      f32x4.add(f32x4.add(a, c), b),
      f32x4.sub(f32x4.add(a, c), b),
      f32x4.add(a, twice(f32x4.add(b, twice(c)))),
      c,
    ],
  },
  filters: {
    from: 5,
    to: 3,
    apply: (a, b, c, d, e) => [
      sixth(f32x4.add(thrice(f32x4.sub(a, b)), f32x4.sub(d, c))),
      sixth(f32x4.add(f32x4.sub(c, thrice(b)), twice(d))),
      f32x4.add(sixth(f32x4.sub(f32x4.sub(twice(twice(d)), thrice(b)), c)), e),
    ],
  },
};

/** Fewest positions of all images for large tiles: with fewer terms their rounding errors find no average. */
const minimumPositions = 256;

/** Products that small tiles may need for one of large tiles to be left alone: what larger transforms cost. */
const transformShare = 1.15;

/** The tiles for a filter gradient: large ones where they save products. */
export function gradientTilesFor({ batch, outHeight, outWidth }: Conv2dGeometry): GradientTiles {
  if (batch * outHeight * outWidth < minimumPositions) return smallTiles;
  const products = ({ size, reach }: GradientTiles): number =>
    Math.ceil(outHeight / size) * Math.ceil(outWidth / size) * reach ** 2;
  return transformShare * products(largeTiles) < products(smallTiles) ? largeTiles : smallTiles;
}
