// The tiles of Winograd's convolution, and their transforms: F(2x2, 3x3) and F(4x4, 3x3).
//
// An output tile is A'((G g G') * (B' d B))A with g the filter, d the pixels that the tile reads and * the product element by
// element. Tiles of 2x2 outputs take 16 products where the taps are 36, tiles of 4x4 take 36 where they are 144. The
// transforms of the larger are further from the identity, and cost three times the rounding error of the smaller (root mean
// square over 256 channels: 8.3e-7 against 2.7e-7 where one sum of all terms in their order has 3.8e-7, for results of order 1).
// Source  Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), section 4; the transforms of 4x4 are Toom
//         and Cook's at the points 0, 3/4, -3/4, 3/2, -3/2 and infinity, of which all but the filters' are exact in binary. Their
//         error is half of that of the points 0, 1, -1, 2, -2

import { f32x4 } from '../../assembler/vector.ts';
import { multiplyAdd as fusedOrNot } from '../microKernel.ts';
import type { LineTransform, Vector } from './transforms.ts';
import { half, scaled } from './transforms.ts';

/** Output pixels of a tile along one dimension. */
export type TileSize = 2 | 4;

/** Tiles of outputs, and how pixels, filters and products are transformed along one dimension. */
export interface ConvolutionTiles {
  readonly size: TileSize;
  /** Pixels that a tile reads along one dimension. */
  readonly reach: number;
  readonly pixels: LineTransform;
  readonly filters: LineTransform;
  readonly outputs: LineTransform;
}

const { add, sub } = f32x4;

/** F(2x2, 3x3). */
export const smallTiles: ConvolutionTiles = {
  size: 2,
  reach: 4,
  pixels: { from: 4, to: 4, apply: (a, b, c, d) => [sub(a, c), add(b, c), sub(c, b), sub(b, d)] },
  filters: {
    from: 3,
    to: 4,
    apply: (a, b, c) => [a, half(add(add(a, c), b)), half(sub(add(a, c), b)), c],
  },
  outputs: { from: 4, to: 2, apply: (a, b, c, d) => [add(add(a, b), c), sub(sub(b, c), d)] },
};

/** The points of the larger tiles besides 0 and infinity, each with both signs. */
const [near, far] = [3 / 4, 3 / 2];

/** `factor * value + sum`, per lane. */
type MultiplyAdd = (factor: number, value: Vector, sum: Vector) => Vector;

/** What a point and its opposite give, of the sums of the even and of the odd powers, the latter over the point. */
function both(multiplyAdd: MultiplyAdd, point: number, even: Vector, odd: Vector): readonly Vector[] {
  return [multiplyAdd(point, odd, even), multiplyAdd(-point, odd, even)];
}

/** F(4x4, 3x3), with fused multiply-add or without. */
function largeTiles(fma: boolean): ConvolutionTiles {
  const multiplyAdd: MultiplyAdd = (factor, value, sum) => fusedOrNot(fma, f32x4.const(factor), value, sum);
  return {
    size: 4,
    reach: 6,
    pixels: { from: 6, to: 6, apply: (...line) => pixelValues(multiplyAdd, line) },
    filters: { from: 3, to: 6, apply: (...line) => filterValues(multiplyAdd, line) },
    outputs: { from: 6, to: 4, apply: (...line) => outputValues(multiplyAdd, line) },
  };
}

/**
 * The coefficients of x^4 - (n^2 + f^2) x^2 + n^2 f^2, of x (x + p) (x^2 - q^2) for every point p, near or far with either sign,
 * and the other one q, and of x times the first.
 */
function pixelValues(multiplyAdd: MultiplyAdd, line: readonly Vector[]): readonly Vector[] {
  const [a, b, c, d, e, f] = line as Six;
  const ends = (low: Vector, middle: Vector, high: Vector): Vector =>
    multiplyAdd(near ** 2 * far ** 2, low, multiplyAdd(-(near ** 2 + far ** 2), middle, high));
  const at = (point: number, other: number): readonly Vector[] =>
    both(multiplyAdd, point, multiplyAdd(-(other ** 2), c, e), multiplyAdd(-(other ** 2), b, d));
  return [ends(a, c, e), ...at(near, far), ...at(far, near), ends(b, d, f)];
}

/** The polynomial of a filter's taps at every point, over the product of the point's distances from all others. */
function filterValues(multiplyAdd: MultiplyAdd, line: readonly Vector[]): readonly Vector[] {
  const [a, b, c] = line as Three;
  const at = (point: number, other: number): readonly Vector[] => {
    const scale = 1 / (2 * point ** 2 * (point ** 2 - other ** 2));
    const even = multiplyAdd(scale * point ** 2, c, scaled(scale, a));
    return both(multiplyAdd, scale * point, even, b);
  };
  return [scaled(1 / (near ** 2 * far ** 2), a), ...at(near, far), ...at(far, near), c];
}

/** Every output sums the products times a power of their point; the last power alone sees infinity. */
function outputValues(multiplyAdd: MultiplyAdd, line: readonly Vector[]): readonly Vector[] {
  const [a, b, c, d, e, f] = line as Six;
  const [evenNear, oddNear, evenFar, oddFar] = [add(b, c), sub(b, c), add(d, e), sub(d, e)] as const;
  return [
    add(a, add(evenNear, evenFar)),
    multiplyAdd(near, oddNear, scaled(far, oddFar)),
    multiplyAdd(near ** 2, evenNear, scaled(far ** 2, evenFar)),
    multiplyAdd(near ** 3, oddNear, multiplyAdd(far ** 3, oddFar, f)),
  ];
}

type Three = readonly [Vector, Vector, Vector];
type Six = readonly [...Three, ...Three];

/** The tiles of a size. */
export function tilesOfSize(size: TileSize, fma: boolean): ConvolutionTiles {
  return size === 2 ? smallTiles : largeTiles(fma);
}
