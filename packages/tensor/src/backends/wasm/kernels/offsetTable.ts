// Tables of byte offsets in scratch memory: where pixels, filter taps and columns of a result lie.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment, sequence } from '../assembler/control.ts';
import type { ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';

/**
 * Fills a table with base + i * strideI + j * strideJ + k * strideK, k changing fastest.
 * Parameters: table, base, countI, strideI, countJ, strideJ, countK, strideK.
 */
function fillGridTable(module: ModuleBuilder): Subroutine<8> {
  return module.once('fillGridTable', () =>
    module.define(
      { params: integers(8), result: 'void' },
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
        ];
      },
    ),
  );
}

/** One dimension of a grid of offsets: how many, and the bytes from one to the next. */
interface GridDimension {
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

/**
 * Writes the grid's table. With `multiple` zeros fill it up to a multiple of so many entries, for tables whose
 * last panel is read (though not used) as a whole.
 */
export function fillTable(
  module: ModuleBuilder,
  table: Expression<'i32'>,
  grid: OffsetGrid,
  multiple = 1,
): Statement {
  const [i, j, k] = grid.dimensions;
  const entries = gridCount(grid);
  const missing = (multiple - (entries % multiple)) % multiple;
  return sequence(
    fillGridTable(module).call(table, grid.base, i.count, i.stride, j.count, j.stride, k.count, k.stride),
    ...Array.from({ length: missing }, (_, at) => i32.store(table, 0, 4 * (entries + at))),
  );
}

/** The grid of offsets 0, stride, 2 stride, ... */
export function lineGrid(count: number, stride: number): OffsetGrid {
  const one = { count: 1, stride: 0 };
  return { base: 0, dimensions: [one, one, { count, stride }] };
}
