// Tables of byte offsets in scratch memory: where pixels, filter taps and columns of a result lie.

import type { Expression, Operand, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';

/**
 * Fills a table with base + i * strideI + j * strideJ + k * strideK, k changing fastest.
 * Parameters: table, base, countI, strideI, countJ, strideJ, countK, strideK. Gives the address behind it.
 */
export function fillGridTable(module: ModuleBuilder): Subroutine<8, 'i32'> {
  return module.once('fillGridTable', () =>
    module.define(
      { params: integers(8), result: 'i32' },
      ([table, base, countI, strideI, countJ, strideJ, countK, strideK], local) => {
        const [i, j, k] = newLocals(local, 'i32', 3);
        const [baseJ, value] = newLocals(local, 'i32', 2);
        return [
          forRange(i, 0, countI, 1, [
            baseJ.set(base),
            forRange(j, 0, countJ, 1, [
              value.set(baseJ),
              forRange(k, 0, countK, 1, [
                i32.store(table, value),
                increment(table, 4),
                increment(value, strideK),
              ]),
              increment(baseJ, strideJ),
            ]),
            increment(base, strideI),
          ]),
          table,
        ];
      },
    ),
  );
}

/** One dimension of a grid of offsets: how many, and the bytes from one to the next. */
export interface GridDimension {
  readonly count: number;
  readonly stride: number;
}

/** Three nested dimensions of offsets and the first offset. */
export interface OffsetGrid {
  readonly base: number;
  readonly dimensions: readonly [GridDimension, GridDimension, GridDimension];
}

/** The number of entries of the grid's table. */
export function gridCount({ dimensions: [i, j, k] }: OffsetGrid): number {
  return i.count * j.count * k.count;
}

/** Statements that write the grid's table and fill it up to a multiple of `multiple` entries with `filler`. */
export function fillTable(
  module: ModuleBuilder,
  cursor: Local<'i32'>,
  table: Expression<'i32'>,
  grid: OffsetGrid,
  filler: { readonly multiple: number; readonly value: number },
): readonly Statement[] {
  const parts: readonly Operand<'i32'>[] = grid.dimensions.flatMap(({ count, stride }) => [count, stride]);
  const [countI = 0, strideI = 0, countJ = 0, strideJ = 0, countK = 0, strideK = 0] = parts;
  const missing = (filler.multiple - (gridCount(grid) % filler.multiple)) % filler.multiple;
  return [
    cursor.set(
      fillGridTable(module).call(table, grid.base, countI, strideI, countJ, strideJ, countK, strideK),
    ),
    ...Array.from({ length: missing }, (_, at) => i32.store(cursor, filler.value, 4 * at)),
  ];
}

/** The grid of offsets 0, stride, 2 stride, ... */
export function lineGrid(count: number, stride: number): OffsetGrid {
  const one = { count: 1, stride: 0 };
  return { base: 0, dimensions: [one, one, { count, stride }] };
}
