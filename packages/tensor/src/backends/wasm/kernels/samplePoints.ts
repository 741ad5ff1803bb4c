// Tables of points for the sampling kernels: where the pixels around each point lie in a plane, and what they weigh.
//
// The two columns around a point are read as a pair. Where one of them is outside the image the pair moves inside and the weight of
// the other pixel becomes zero, so that nothing outside a row is read or written; a row outside becomes the nearest one, of weight zero.

import type { SampleExtents } from '../../../ops/sampling.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange } from '../assembler/control.ts';
import type { Local, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';

type V = Expression<'v128'>;

/** Most points of a table, which then stays in the first-level cache; a multiple of four. */
export const pointsPerTable = 512;

/** Four points along one axis: whether they read anything, the pixel before each, and how far behind that it lies. */
interface AxisPoints {
  readonly isNear: Local<'v128'>;
  readonly pixel: Local<'v128'>;
  readonly fraction: Local<'v128'>;
}

/** Four points as vectors. */
export interface FourPoints {
  readonly rows: AxisPoints;
  readonly columns: AxisPoints;
}

/** Locals for four points, whose `isNear` is one and the same. */
export const newPoints = (local: NewLocal): FourPoints => {
  const [isNear, row, column, fy, fx] = newLocals(local, 'v128', 5);
  return {
    rows: { isNear, pixel: row, fraction: fy },
    columns: { isNear, pixel: column, fraction: fx },
  };
};

const isWithin = (coordinate: V, size: number): V =>
  v128.and(f32x4.gt(coordinate, f32x4.const(-1)), f32x4.lt(coordinate, f32x4.const(size)));

/** Reads four points, y at `address` and x so many bytes behind. Coordinates that read nothing, NaN among them, become zero. */
export const readPoints = (
  { rows, columns }: FourPoints,
  address: Expression<'i32'>,
  { height, width, places }: SampleExtents,
): readonly Statement[] => {
  const { isNear } = rows;
  const take = ({ pixel, fraction }: AxisPoints): readonly Statement[] => [
    fraction.set(v128.and(fraction, isNear)),
    pixel.set(f32x4.floor(fraction)),
    fraction.set(f32x4.sub(fraction, pixel)),
    pixel.set(i32x4.truncSaturateF32x4(pixel)),
  ];
  return [
    rows.fraction.set(v128.load(address)),
    columns.fraction.set(v128.load(address, 4 * places)),
    isNear.set(v128.and(isWithin(rows.fraction, height), isWithin(columns.fraction, width))),
    ...take(rows),
    ...take(columns),
  ];
};

/** The weights of the pixels before and behind the points along an axis, whether or not they are in the image. */
const plainWeights = ({ fraction }: AxisPoints, order: number): readonly [V, V] => {
  if (order === 0) return [f32x4.sub(f32x4.const(1), fraction), fraction];
  return order === 1 ? [f32x4.const(-1), f32x4.const(1)] : [f32x4.const(0), f32x4.const(0)];
};

/** The weights of the row before and the row behind four points. */
export const rowWeights = ({ rows }: FourPoints, order: number, height: number): readonly [V, V] => {
  const [before, behind] = plainWeights(rows, order);
  return [
    v128.and(v128.and(before, rows.isNear), i32x4.geS(rows.pixel, i32x4.const(0))),
    v128.and(v128.and(behind, rows.isNear), i32x4.ltS(rows.pixel, i32x4.const(height - 1))),
  ];
};

/** The weights of the two columns of the pair that is read for four points. */
export const columnWeights = ({ columns }: FourPoints, order: number, width: number): readonly [V, V] => {
  const [before, behind] = plainWeights(columns, order);
  const isLeft = i32x4.ltS(columns.pixel, i32x4.const(0));
  // one column alone has no pair: its only pixel comes first
  if (width === 1) return [v128.bitselect(behind, before, isLeft), f32x4.const(0)];
  const isRight = i32x4.gtS(columns.pixel, i32x4.const(width - 2));
  return [
    v128.andnot(v128.bitselect(behind, before, isLeft), isRight),
    v128.andnot(v128.bitselect(before, behind, isRight), isLeft),
  ];
};

/** The bytes from the beginning of a plane to the pairs of the row before and of the row behind four points. */
export const pairOffsets = (
  { rows, columns }: FourPoints,
  { height, width }: SampleExtents,
): readonly [V, V] => {
  const inside = (row: V): V => i32x4.minS(i32x4.maxS(row, i32x4.const(0)), i32x4.const(height - 1));
  const column = i32x4.minS(i32x4.maxS(columns.pixel, i32x4.const(0)), i32x4.const(Math.max(0, width - 2)));
  const offset = (row: V): V => i32x4.shl(i32x4.add(i32x4.mul(row, i32x4.const(width)), column), 2);
  return [offset(inside(rows.pixel)), offset(inside(i32x4.add(rows.pixel, i32x4.const(1))))];
};

/** First elements of two vectors in turn, then last ones: (a0, b0, a1, b1) and (a2, b2, a3, b3). */
export const inTurn = (a: V, b: V): readonly [V, V] => [
  v128.shuffle(a, b, [0, 4, 1, 5]),
  v128.shuffle(a, b, [2, 6, 3, 7]),
];

/** The pairs of two points, one after the other, whose offsets are found `at` bytes behind an address. */
export const loadPairs = (
  plane: Expression<'i32'>,
  offsets: Expression<'i32'>,
  at: number,
  width: number,
): V => {
  const address = (point: number): Expression<'i32'> => i32.add(plane, i32.load(offsets, at + 4 * point));
  return width === 1
    ? v128.load32Lane(address(1), v128.load32Zero(address(0)), 2)
    : v128.load64Lane(address(1), v128.load64Zero(address(0)), 1);
};

/** Runs the statements for all places, a table of at most `pointsPerTable` at a time; they are told its size and move the pointers behind it. */
export const eachTable = (
  places: number,
  local: NewLocal,
  statements: (size: number) => readonly Statement[],
): readonly Statement[] => {
  const whole = Math.floor(places / pointsPerTable);
  const rest = places % pointsPerTable;
  return [
    ...(whole === 0 ? [] : [forRange(local('i32'), 0, whole, 1, statements(pointsPerTable))]),
    ...(rest === 0 ? [] : statements(rest)),
  ];
};
