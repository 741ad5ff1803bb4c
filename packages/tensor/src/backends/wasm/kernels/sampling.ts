// Kernels of bilinear sampling and its two adjoints: a table of points is made once, then used for every channel of their group.

import type { SampleAttrs, SampleExtents, SampleInputGradAttrs } from '../../../ops/sampling.ts';
import { componentOrders, sampleExtents } from '../../../ops/sampling.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { f32, i32, memory } from '../assembler/scalar.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import type { Kernel, KernelOptions, Range } from './kernel.ts';
import { partName, pointerParams } from './kernel.ts';
import { writeLanes } from './loopNest.ts';
import {
  columnWeights,
  eachTable,
  inTurn,
  loadPairs,
  newPoints,
  pairOffsets,
  pointsPerTable,
  readPoints,
  rowWeights,
} from './samplePoints.ts';

type V = Expression<'v128'>;
type Pointer = Local<'i32'>;

/** Where the parts of a table begin: offsets of the pairs of the upper and the lower row, four bytes a point; what belongs to the pairs, eight. */
const upper = 0;
const lower = 4 * pointsPerTable;
const upperPairs = 8 * pointsPerTable;
const lowerPairs = 16 * pointsPerTable;
const tableBytes = 24 * pointsPerTable;

/** A kernel under construction: its sizes, its table, and a pair of pointers that walk over the table. */
interface Sampling {
  readonly e: SampleExtents;
  readonly order: SampleAttrs['order'];
  readonly table: Pointer;
  readonly local: NewLocal;
  /** Walks over what takes four bytes a point. */
  readonly at: Pointer;
  /** Walks over what takes eight bytes a point. */
  readonly pair: Pointer;
}

const samplingOf = (
  e: SampleExtents,
  order: SampleAttrs['order'],
  table: Pointer,
  local: NewLocal,
): Sampling => ({ e, order, table, local, at: local('i32'), pair: local('i32') });

const keyOf = ({ batch, channels, height, width, groups, taps, places }: SampleExtents): string =>
  `${batch}x${channels}x${height}x${width} at ${groups}x${taps}x${places}`;

/** Statements for every four of `size` points from the table's beginning on, then for the rest; they are told how many there are. */
const walkTable = (
  { table, at, pair, local }: Sampling,
  size: number,
  statements: (count: number) => readonly Statement[],
  pointers: readonly Pointer[],
): readonly Statement[] => {
  const onward = (count: number): readonly Statement[] => [
    ...[at, ...pointers].map((pointer) => increment(pointer, 4 * count)),
    increment(pair, 8 * count),
  ];
  const [whole, rest] = [Math.floor(size / 4), size % 4];
  return [
    at.set(table),
    pair.set(table),
    ...(whole === 0 ? [] : [forRange(local('i32'), 0, whole, 1, [...statements(4), ...onward(4)])]),
    ...(rest === 0 ? [] : [...statements(rest), ...onward(rest)]),
  ];
};

/** Writes the offsets of the pairs around `size` points; `more` is given the points to write what else the table holds. Moves `y` and the other pointers. */
const makeOffsets = (
  sampling: Sampling,
  size: number,
  y: Pointer,
  more: (points: ReturnType<typeof newPoints>) => readonly Statement[] = () => [],
  pointers: readonly Pointer[] = [],
): readonly Statement[] => {
  const { e, at, local } = sampling;
  const points = newPoints(local);
  const [upperOffsets, lowerOffsets] = pairOffsets(points, e);
  const four = [
    ...readPoints(points, y, e),
    v128.store(at, upperOffsets, upper),
    v128.store(at, lowerOffsets, lower),
    ...more(points),
  ];
  return walkTable(sampling, size, () => four, [y, ...pointers]);
};

/** The table of sampling: offsets, and the masked weights of the pairs. Moves `y` and `mask`. */
const makeWeights = (sampling: Sampling, size: number, y: Pointer, mask: Pointer): readonly Statement[] => {
  const { e, order, pair, local } = sampling;
  const [first, second, row] = newLocals(local, 'v128', 3);
  return makeOffsets(
    sampling,
    size,
    y,
    (points) => {
      const [columns, rows] = [
        columnWeights(points, order[1], e.width),
        rowWeights(points, order[0], e.height),
      ];
      const store = (weights: V, offset: number): readonly Statement[] => {
        const [start, end] = inTurn(f32x4.mul(first, row), f32x4.mul(second, row));
        return [
          row.set(f32x4.mul(weights, v128.load(mask))),
          v128.store(pair, start, offset),
          v128.store(pair, end, offset + 16),
        ];
      };
      return [
        first.set(columns[0]),
        second.set(columns[1]),
        ...store(rows[0], upperPairs),
        ...store(rows[1], lowerPairs),
      ];
    },
    [mask],
  );
};

/** What runs for one channel and table: `plane` is the channel's image, `column` its samples at the table's points, to be moved behind them. */
type ChannelStatements = (size: number, plane: Pointer, column: Pointer) => readonly Statement[];

/** Runs the statements for every table of points and each of the channels in the range. */
const eachChannel = (
  sampling: Sampling,
  { from, to }: Range,
  pointers: Readonly<Record<'image' | 'points' | 'mask' | 'columns', Pointer>>,
  statements: ChannelStatements,
): readonly Statement[] => {
  const { e, local } = sampling;
  const { batch, channels, groups, taps, places } = e;
  const inGroup = channels / groups;
  const planeBytes = 4 * e.height * e.width;
  const [n, k, y, mask, first, plane, column] = newLocals(local, 'i32', 7);
  const ofGroup = (group: number): readonly Statement[] => {
    const start = Math.max(from, group * inGroup);
    const end = Math.min(to, (group + 1) * inGroup);
    if (start >= end) return [];
    const tap = i32.add(i32.mul(n, groups * taps), i32.add(k, group * taps));
    const row = i32.add(i32.mul(i32.add(i32.mul(n, channels), start), taps), k);
    return [
      y.set(i32.add(pointers.points, i32.mul(tap, 8 * places))),
      mask.set(i32.add(pointers.mask, i32.mul(tap, 4 * places))),
      first.set(i32.add(pointers.columns, i32.mul(row, 4 * places))),
      ...eachTable(places, local, (size) => [
        ...makeWeights(sampling, size, y, mask),
        plane.set(i32.add(pointers.image, i32.mul(i32.add(i32.mul(n, channels), start), planeBytes))),
        column.set(first),
        forRange(local('i32'), 0, end - start, 1, [
          ...statements(size, plane, column),
          increment(plane, planeBytes),
          increment(column, 4 * (taps * places - size)),
        ]),
        increment(first, 4 * size),
      ]),
    ];
  };
  const groupsInTurn = Array.from({ length: groups }, (_, group) => ofGroup(group)).flat();
  return [forRange(n, 0, batch, 1, [forRange(k, 0, taps, 1, groupsInTurn)])];
};

/** The kernel (x, points, mask, output, scratch) of sampleBilinear; a part is a range of channels. */
export const emitSample = (
  module: ModuleBuilder,
  [x, points]: readonly Spec[],
  output: Spec,
  { order }: SampleAttrs,
  options: KernelOptions,
): Kernel => {
  const e = sampleExtents(x!.shape, points!.shape);
  const exportName = `sampleBilinear ${keyOf(e)} order ${order}${partName(options)}`;
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(3), result: 'void' },
      ([image, at, mask, to, table], local) => {
        if (sizeOf(x!.shape) === 0) return [memory.fill(to!, 0, 4 * sizeOf(output.shape))];
        const sampling = samplingOf(e, order, table!, local);
        const [value, next] = newLocals(local, 'v128', 2);
        const twoPoints = (plane: Pointer, first: 0 | 2): V =>
          f32x4.add(
            f32x4.mul(
              loadPairs(plane, sampling.at, upper + 4 * first, e.width),
              v128.load(sampling.pair, upperPairs + 8 * first),
            ),
            f32x4.mul(
              loadPairs(plane, sampling.at, lower + 4 * first, e.width),
              v128.load(sampling.pair, lowerPairs + 8 * first),
            ),
          );
        return eachChannel(
          sampling,
          options.part ?? { from: 0, to: e.channels },
          { image: image!, points: at!, mask: mask!, columns: to! },
          (size, plane, column) =>
            walkTable(
              sampling,
              size,
              (count) => [
                value.set(twoPoints(plane, 0)),
                next.set(twoPoints(plane, 2)),
                value.set(
                  f32x4.add(v128.shuffle(value, next, [0, 2, 4, 6]), v128.shuffle(value, next, [1, 3, 5, 7])),
                ),
                ...writeLanes(column, value, count, 0),
              ],
              [column],
            ),
        );
      },
    );
    return { func, scratchBytes: tableBytes };
  });
};

/** The kernel (columns, points, mask, output, scratch) of sampleBilinearInputGrad, which adds in the order of the points; a part is a range of channels. */
export const emitSampleInputGrad = (
  module: ModuleBuilder,
  [, points]: readonly Spec[],
  output: Spec,
  { order }: SampleInputGradAttrs,
  options: KernelOptions,
): Kernel => {
  const e = sampleExtents(output.shape, points!.shape);
  const exportName = `sampleBilinearInputGrad ${keyOf(e)} order ${order}${partName(options)}`;
  const range = options.part ?? { from: 0, to: e.channels };
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(3), result: 'void' },
      ([columns, at, mask, to, table], local) => {
        const planeBytes = 4 * e.height * e.width;
        if (planeBytes === 0) return [];
        const sampling = samplingOf(e, order, table!, local);
        const [address, zeros] = newLocals(local, 'i32', 2);
        const amount = local('f32');
        // pixel by pixel: a pair would be loaded right after its halves were stored by two neighbours, which processors wait for
        const addPair = (plane: Pointer, offset: number, weights: number): readonly Statement[] => [
          address.set(i32.add(plane, i32.load(sampling.at, offset))),
          ...[0, 4]
            .slice(0, e.width)
            .map((pixel) =>
              f32.store(
                address,
                f32.add(f32.load(address, pixel), f32.mul(amount, f32.load(sampling.pair, weights + pixel))),
                pixel,
              ),
            ),
        ];
        const addPoints = (plane: Pointer, column: Pointer, count: number): readonly Statement[] =>
          Array.from({ length: count }, (_, point) => [
            amount.set(f32.load(column, 4 * point)),
            ...addPair(plane, upper + 4 * point, upperPairs + 8 * point),
            ...addPair(plane, lower + 4 * point, lowerPairs + 8 * point),
          ]).flat();
        return [
          zeros.set(i32.add(to!, range.from * planeBytes)),
          forRange(local('i32'), 0, e.batch, 1, [
            memory.fill(zeros, 0, (range.to - range.from) * planeBytes),
            increment(zeros, e.channels * planeBytes),
          ]),
          ...eachChannel(
            sampling,
            range,
            { image: to!, points: at!, mask: mask!, columns: columns! },
            (size, plane, column) =>
              walkTable(sampling, size, (count) => addPoints(plane, column, count), [column]),
          ),
        ];
      },
    );
    return { func, scratchBytes: tableBytes };
  });
};

/** The kernel (x, columns, points, output, scratch) of sampleBilinearPointGrad; a part is a range of the points' rows [N,G,K]. */
export const emitSamplePointGrad = (
  module: ModuleBuilder,
  [x, , points]: readonly Spec[],
  output: Spec,
  { order }: SampleAttrs,
  options: KernelOptions,
): Kernel => {
  const e = sampleExtents(x!.shape, points!.shape);
  const exportName = `sampleBilinearPointGrad ${keyOf(e)} order ${order}${partName(options)}`;
  const rows = options.part ?? { from: 0, to: e.batch * e.groups * e.taps };
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(3), result: 'void' },
      ([image, columns, at, to, table], local) => {
        if (sizeOf(x!.shape) === 0) return [memory.fill(to!, 0, 4 * sizeOf(output.shape))];
        const sampling = samplingOf(e, order, table!, local);
        const { taps, places, channels, groups } = e;
        const inGroup = channels / groups;
        const [row, group, y, again, first, result, plane, column] = newLocals(local, 'i32', 8);
        const planeBytes = 4 * e.height * e.width;
        return [
          forRange(row, rows.from, rows.to, 1, [
            group.set(i32.divU(row, taps)),
            y.set(i32.add(at!, i32.mul(row, 8 * places))),
            again.set(y),
            result.set(i32.add(to!, i32.mul(row, 12 * places))),
            // (group inGroup) taps + tap
            first.set(i32.add(i32.mul(group, (inGroup - 1) * taps), row)),
            first.set(i32.add(columns!, i32.mul(first, 4 * places))),
            ...eachTable(places, local, (size) => [
              ...makeOffsets(sampling, size, y),
              memory.fill(i32.add(table!, upperPairs), 0, tableBytes - upperPairs),
              plane.set(i32.add(image!, i32.mul(group, inGroup * planeBytes))),
              column.set(first),
              forRange(local('i32'), 0, inGroup, 1, [
                ...addProducts(sampling, size, plane, column),
                increment(plane, planeBytes),
                increment(column, 4 * (taps * places - size)),
              ]),
              ...weighSums(sampling, size, again, result),
              increment(first, 4 * size),
            ]),
          ]),
        ];
      },
    );
    return { func, scratchBytes: tableBytes };
  });
};

/** Adds the products of one channel's pixels and cotangents to the pairs of the table. */
const addProducts = (
  sampling: Sampling,
  size: number,
  plane: Pointer,
  column: Pointer,
): readonly Statement[] => {
  const { e, at, pair, local } = sampling;
  const [cotangents, twice] = newLocals(local, 'v128', 2);
  const add = (offsets: number, sums: number): Statement =>
    v128.store(
      pair,
      f32x4.add(v128.load(pair, sums), f32x4.mul(loadPairs(plane, at, offsets, e.width), twice)),
      sums,
    );
  const four = [
    cotangents.set(v128.load(column)),
    ...([0, 2] as const).flatMap((point) => [
      twice.set(v128.shuffle(cotangents, cotangents, point === 0 ? [0, 0, 1, 1] : [2, 2, 3, 3])),
      add(upper + 4 * point, upperPairs + 8 * point),
      add(lower + 4 * point, lowerPairs + 8 * point),
    ]),
  ];
  return walkTable(sampling, size, () => four, [column]);
};

/** Writes the three components of every point, made of the sums of its four pixels. Moves `y` and `result`. */
const weighSums = (sampling: Sampling, size: number, y: Pointer, result: Pointer): readonly Statement[] => {
  const { e, order, pair, local } = sampling;
  const points = newPoints(local);
  const [upperFirst, upperSecond, lowerFirst, lowerSecond, value] = newLocals(local, 'v128', 5);
  const apart = (offset: number): readonly [V, V] => {
    const [start, end] = [v128.load(pair, offset), v128.load(pair, offset + 16)];
    return [v128.shuffle(start, end, [0, 2, 4, 6]), v128.shuffle(start, end, [1, 3, 5, 7])];
  };
  const [upperSums, lowerSums] = [apart(upperPairs), apart(lowerPairs)];
  const component = ([alongY, alongX]: SampleAttrs['order']): V => {
    const [first, second] = columnWeights(points, alongX, e.width);
    const [above, below] = rowWeights(points, alongY, e.height);
    const inRow = (a: V, b: V): V => f32x4.add(f32x4.mul(first, a), f32x4.mul(second, b));
    return f32x4.add(
      f32x4.mul(above, inRow(upperFirst, upperSecond)),
      f32x4.mul(below, inRow(lowerFirst, lowerSecond)),
    );
  };
  const statements = (count: number): readonly Statement[] => [
    ...readPoints(points, y, e),
    upperFirst.set(upperSums[0]),
    upperSecond.set(upperSums[1]),
    lowerFirst.set(lowerSums[0]),
    lowerSecond.set(lowerSums[1]),
    ...componentOrders(order).flatMap((orders, i) => [
      value.set(component(orders)),
      ...writeLanes(result, value, count, i * e.places),
    ]),
  ];
  return walkTable(sampling, size, statements, [y, result]);
};
