// The transforms of Winograd's convolution F(2x2, 3x3): four outputs of a 3x3 filter from 16 products, not 36.
//
// An output tile is A'((G g G') * (B' d B))A with g the filter, d the 4x4 pixels that the tile reads and * the
// product element by element. Every vector holds one element of four tiles, channels or filters.
// Source  Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015), section 4.1

import type { Expression, Statement } from '../../assembler/code.ts';
import type { Local, NewLocal } from '../../assembler/module.ts';
import { newLocals } from '../../assembler/module.ts';
import { f32x4, v128 } from '../../assembler/vector.ts';
import { transposed } from '../packing.ts';

/** Output pixels of a tile along one dimension. */
export const tileSize = 2;

/** Pixels that a tile reads along one dimension. */
export const tileReach = 4;

/** Products of a tile. */
export const tileProducts: number = tileReach ** 2;

type Vector = Expression<'v128'>;
type Integer = Expression<'i32'>;

/** A transform along one dimension. Its values are read more than once, so they are locals. */
export interface LineTransform {
  readonly from: number;
  readonly to: number;
  readonly apply: (...line: readonly Local<'v128'>[]) => readonly Vector[];
}

/** Half of every lane. */
export function half(value: Vector): Vector {
  return f32x4.mul(f32x4.const(0.5), value);
}

/** B': every transformed pixel of a line combines two. */
const pixelPairs: readonly (readonly [number, number, typeof f32x4.add])[] = [
  [0, 2, f32x4.sub],
  [1, 2, f32x4.add],
  [2, 1, f32x4.sub],
  [1, 3, f32x4.sub],
];

/** G: filters. */
export const filterLine: LineTransform = {
  from: 3,
  to: 4,
  apply: (a, b, c) => [a, half(f32x4.add(f32x4.add(a, c), b)), half(f32x4.sub(f32x4.add(a, c), b)), c],
};

/** A': outputs from products. */
export const outputLine: LineTransform = {
  from: 4,
  to: 2,
  apply: (a, b, c, d) => [f32x4.add(f32x4.add(a, b), c), f32x4.sub(f32x4.sub(b, c), d)],
};

function times<Item>(count: number, make: (index: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** A transform along both dimensions: what `read` gives for (row, column), handed to `write`. */
export function transformBoth(
  { from, to, apply }: LineTransform,
  local: NewLocal,
  read: (row: number, column: number) => Vector,
  write: (row: number, column: number, value: Vector) => readonly Statement[],
): readonly Statement[] {
  const line = newVectors(local, from);
  const between = times(to, () => newVectors(local, from));
  return [
    ...times(from, (column) => [
      ...line.map((value, row) => value.set(read(row, column))),
      ...apply(...line).flatMap((value, row) => between[row]?.[column]?.set(value) ?? []),
    ]).flat(),
    ...between.flatMap((row, at) => apply(...row).flatMap((value, column) => write(at, column, value))),
  ];
}

/**
 * Transforms the 4x4 pixels at four addresses, rows `rowBytes` apart. Product `at` of the four goes to
 * `target + at * productBytes`.
 */
export function transformPixels(
  local: NewLocal,
  addresses: readonly Integer[],
  rowBytes: number,
  target: Integer,
  productBytes: number,
): readonly Statement[] {
  const rows = newVectors(local, tileReach);
  const columns = newVectors(local, tileReach);
  // Along the columns first, a vector being a row of one tile; then turned, a vector being a column of four tiles.
  return pixelPairs.flatMap(([upper, lower, combine], row) => [
    ...addresses.flatMap((address, tile) => {
      const pixels = (at: number): Vector => v128.load(address, at * rowBytes);
      return rows[tile]?.set(combine(pixels(upper), pixels(lower))) ?? [];
    }),
    ...transposed(rows).flatMap((value, at) => columns[at]?.set(value) ?? []),
    ...pixelPairs.map(([left, right, combineColumns], column) => {
      const pixels = (at: number): Vector => columns[at] ?? f32x4.const(0);
      const value = combineColumns(pixels(left), pixels(right));
      return v128.store(target, value, (tileReach * row + column) * productBytes);
    }),
  ]);
}

function newVectors(local: NewLocal, count: number): readonly Local<'v128'>[] {
  return newLocals(local, 'v128', count) as readonly Local<'v128'>[];
}
