// Products of a few rows: every element of B is used once or little more, so nothing is gained by packing it.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment, whileLoop } from '../assembler/control.ts';
import type { Local, ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { f32, i32 } from '../assembler/scalar.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import type { LeftOperand, Product } from './matmul.ts';
import { microKernel, multiplyAdd, tileBytes, tileColumns } from './microKernel.ts';
import { copyRows } from './packing.ts';

/** The product of at most `panelRows` rows with a matrix whose columns are contiguous. */
export function thinProduct(product: Product, left: LeftOperand): readonly Statement[] {
  const { module, geometry, fma, right, result, scratch, local } = product;
  const { rows, columns, depth } = geometry;
  const tile = scratch.region(tileBytes);
  const column = local('i32');
  const tiles = (vectors: number) => {
    const kernel = microKernel(module, { rows, vectors, layout: left.layout, fma });
    return (target: Expression<'i32'>, targetStride: number): Statement =>
      kernel.call(
        left.pointer,
        left.stride,
        i32.add(right, i32.shl(column, 2)),
        4 * columns,
        target,
        targetStride,
        depth,
        0,
      );
  };
  // One or two rows leave registers for four vectors of columns, a whole cache line of B.
  const wide = rows <= 2 ? 16 : tileColumns;
  const wideEnd = columns - (columns % wide);
  const wholeEnd = columns - (columns % tileColumns);
  const here = i32.add(result, i32.shl(column, 2));
  const rest = [
    tiles(2)(tile, 4 * tileColumns),
    copyRows(module).call(tile, 4 * tileColumns, here, 4 * columns, rows, columns - wholeEnd),
  ];
  return [
    ...left.prepare,
    forRange(column, 0, wideEnd, wide, [tiles(wide / 4)(here, 4 * columns)]),
    forRange(column, wideEnd, wholeEnd, tileColumns, [tiles(2)(here, 4 * columns)]),
    ...(wholeEnd < columns ? [column.set(i32.const(wholeEnd)), ...rest] : []),
  ];
}

/** The product of one row with a matrix whose columns are contiguous along the depth: dot products. */
export function dotProducts({
  module,
  geometry,
  fma,
  left,
  right,
  result,
  local,
}: Product): readonly Statement[] {
  const { columns, depth } = geometry;
  const [column, source, target] = newLocals(local, 'i32', 3);
  return [
    source.set(right),
    target.set(result),
    forRange(column, 0, columns, 1, [
      dotProduct(module, fma).call(left, source, target, depth),
      increment(source, 4 * depth),
      increment(target, 4),
    ]),
  ];
}

/** How many vectors of partial sums a dot product keeps, to hide the latency of an addition. */
const dotSums = 4;

/** Parameters: a, b, target, length. Stores the dot product of two contiguous vectors. */
function dotProduct(module: ModuleBuilder, fma: boolean): Subroutine<4> {
  return module.once(`dotProduct ${fma}`, () =>
    module.define({ params: integers(4), result: 'void' }, ([a, b, target, length], local) => {
      const sums = newLocals(local, 'v128', dotSums);
      const [first, second, third, fourth] = sums;
      const total = local('f32');
      const accumulate = (sum: Local<'v128'>, offset: number): Statement =>
        sum.set(multiplyAdd(fma, v128.load(a, offset), v128.load(b, offset), sum));
      const advance = (elements: number): readonly Statement[] => [
        increment(a, 4 * elements),
        increment(b, 4 * elements),
        increment(length, -elements),
      ];
      return [
        whileLoop(i32.geS(length, 4 * dotSums), [
          ...sums.map((sum, at) => accumulate(sum, 16 * at)),
          ...advance(4 * dotSums),
        ]),
        whileLoop(i32.geS(length, 4), [accumulate(first, 0), ...advance(4)]),
        first.set(f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth))),
        total.set(sumOfLanes(first)),
        whileLoop(i32.gtS(length, 0), [
          total.set(f32.add(total, f32.mul(f32.load(a), f32.load(b)))),
          ...advance(1),
        ]),
        f32.store(target, total),
      ];
    }),
  );
}

/** The sum of the four lanes, in a fixed order. */
function sumOfLanes(vector: Local<'v128'>): Expression<'f32'> {
  const lane = (at: 0 | 1 | 2 | 3): Expression<'f32'> => f32x4.extractLane(vector, at);
  return f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)));
}
