// Winograd's transforms in vectors: a line transform along both dimensions, every vector holding one element of four tiles, channels or filters.

import type { Expression, Statement } from '../../assembler/code.ts';
import type { Local, NewLocal } from '../../assembler/module.ts';
import { newLocals } from '../../assembler/module.ts';
import { f32x4, v128 } from '../../assembler/vector.ts';
import { gatherLanes, transposed } from '../packing.ts';

/** A vector of four lanes. */
export type Vector = Expression<'v128'>;

/** A transform along one dimension. Its values are read more than once, so they are locals. */
export interface LineTransform {
  readonly from: number;
  readonly to: number;
  readonly apply: (...line: readonly Local<'v128'>[]) => readonly Vector[];
}

/** Every lane times a constant. */
export function scaled(factor: number, value: Vector): Vector {
  return f32x4.mul(f32x4.const(factor), value);
}

/** Half of every lane. */
export function half(value: Vector): Vector {
  return scaled(0.5, value);
}

function times<Item>(count: number, make: (index: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** A transform along both dimensions: what `read` gives for (row, column), handed to `write`, row by row. */
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

/** Bytes between what belongs to two products beyond its size, so that they do not all meet in one cache set. */
export const productGap = 64;

/** Bytes from row to row of what is read, and from one product to the next of what is written. */
export interface Distances {
  readonly rowBytes: number;
  readonly productBytes: number;
}

/**
 * Reads square tiles at four addresses, transforms them, and writes product `at` of the four to `target + at * productBytes`.
 * Along the columns first, a vector being four pixels of a row of one tile; then turned, a vector being a pixel of four tiles.
 */
export function transformFour(
  { from, to, apply }: LineTransform,
  { rowBytes, productBytes }: Distances,
  local: NewLocal,
  addresses: readonly Expression<'i32'>[],
  target: Expression<'i32'>,
): readonly Statement[] {
  const line = newVectors(local, from);
  const readers = rowReaders(from, addresses);
  const upright = readers.map(() => newVectors(local, to));
  return [
    ...readers.flatMap((read, at) => [
      ...line.map((value, row) => value.set(read(row * rowBytes))),
      ...apply(...line).flatMap((value, row) => upright[at]?.[row]?.set(value) ?? []),
    ]),
    ...times(to, (row) => [
      ...turnedRow(upright.flatMap((vectors) => vectors[row] ?? [])).flatMap(
        (value, column) => line[column]?.set(value) ?? [],
      ),
      ...apply(...line).map((value, column) => v128.store(target, value, (to * row + column) * productBytes)),
    ]).flat(),
  ];
}

/**
 * What reads, at an offset, the vectors of a row of four tiles: first four pixels of each tile, which may be more than it has; then the
 * fifth pixels of all four, or the fifth and sixth of two tiles and of the other two.
 */
function rowReaders(
  pixels: number,
  addresses: readonly Expression<'i32'>[],
): readonly ((offset: number) => Vector)[] {
  const fours = addresses.map((address) => (offset: number) => v128.load(address, offset));
  const fifths = (offset: number): Vector =>
    gatherLanes(
      addresses,
      addresses.map(() => offset + 16),
    );
  const pairs = [addresses.slice(0, 2), addresses.slice(2)].map((pair) => (offset: number) => {
    const [one, other] = pair as unknown as readonly [Expression<'i32'>, Expression<'i32'>];
    return v128.load64Lane(other, v128.load64Zero(one, offset + 16), 1, offset + 16);
  });
  return [...fours, ...(pixels === 5 ? [fifths] : []), ...(pixels === 6 ? pairs : [])];
}

/** The pixels of a row, each a vector of four tiles, from vectors as `rowReaders` give them. */
function turnedRow(vectors: readonly Local<'v128'>[]): readonly Vector[] {
  const [fifth, sixth] = vectors.slice(4);
  const pairs =
    fifth && sixth
      ? [v128.shuffle(fifth, sixth, [0, 2, 4, 6]), v128.shuffle(fifth, sixth, [1, 3, 5, 7])]
      : [];
  return [...transposed(vectors.slice(0, 4)), ...(pairs.length > 0 || !fifth ? pairs : [fifth])];
}

function newVectors(local: NewLocal, count: number): readonly Local<'v128'>[] {
  return newLocals(local, 'v128', count) as readonly Local<'v128'>[];
}
