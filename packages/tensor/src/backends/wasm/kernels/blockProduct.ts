// The product of rows of A with a packed block of B: walks the tiles and takes care of the edges.
//
// Where the columns of C lie is given by a table of byte offsets, one per column, so the same code writes
// plain matrices, pixels of several images and every second pixel of a row.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, ifElse, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, Repeat, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32, minimumI32 } from '../assembler/scalar.ts';
import { epilogueCode, epilogueKey, readCount } from './epilogue.ts';
import type { FinishingKernel, LeftLayout } from './microKernel.ts';
import { finishingKernel, microKernel, rowsOfTile, tileColumns } from './microKernel.ts';
import { scatterTile, spreadTile } from './scatterTile.ts';

/**
 * Most depth of one packed block: a panel of 8 columns then takes 10 KiB of the first-level cache. Blocks are summed on their own before
 * they are added up, so that long sums round less. Depths of 128 and 256 were equally fast.
 */
export const maximumBlockDepth = 320;

/** Most columns of one packed block: with the depth above it stays in the second-level cache. */
export const maximumBlockColumns = 192;

/**
 * How the left operand lies in memory, whether relaxed SIMD may be used, and what the tiles follow: `rows`, so that rows of A are
 * read once and the block of B again for each tile of them, or `columns`, the other way round. A block of A that fits into half
 * of the second-level cache is better read again: its tiles are half as large as those of B.
 */
export interface ProductForm {
  readonly layout: LeftLayout;
  readonly fma: boolean;
  readonly walk?: Walk;
  /** Bytes of a panel of B from one depth step to the next; those of its eight columns without it. */
  readonly stepBytes?: number;
}

/** Bytes of the eight columns of a panel. */
const panelStepBytes = 4 * tileColumns;

type Walk = 'rows' | 'columns';

/** The walk for blocks of so many rows and so much depth: 4 % faster for 256 of both where it can be `columns`. */
export function walkFor(rows: number, depth: number): Walk {
  return 4 * rows * depth <= 2 ** 18 ? 'columns' : 'rows';
}

/** The smallest multiple of `step` that is at least `value`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** The size of equal blocks, multiples of `step`, that cover `total` with none above `maximum`. */
export function blockSize(total: number, maximum: number, step = 1): number {
  const blocks = Math.max(1, Math.ceil(total / maximum));
  return Math.max(step, roundUp(Math.ceil(total / blocks), step));
}

/**
 * C = A B or C += A B for `rows` rows and `columns` columns.
 * Parameters: a, aStride, b, table, columns, c, cStride, rows, depth (at least 1), accumulate, tile.
 * `aStride` is the bytes from row to row in `rows` layout, from panel to panel in `panel` layout; `b` the packed
 * panels of `depth` steps of `tileColumns` elements; `table` the byte offset from `c` of every column, readable up to a
 * whole panel; `tile` is scratch memory of `tileBytes`.
 */
export function blockProduct(module: ModuleBuilder, form: ProductForm): Subroutine<11> {
  return module.once(formKey(form), () => emitBlockProduct(module, form) as unknown as Subroutine<11>);
}

/** The block product whose elements go through an epilogue: parameters as above, then `epilogueArguments` of the first row. */
export function finishingProduct(
  module: ModuleBuilder,
  form: ProductForm,
  epilogue: Epilogue,
): FinishingKernel {
  const key = formKey(form) + epilogueKey(epilogue);
  return module.once(key, () => emitBlockProduct(module, form, epilogue));
}

function formKey({ layout, fma, walk = 'rows', stepBytes = panelStepBytes }: ProductForm): string {
  return `blockProduct ${layout} ${fma} by ${walk} ${stepBytes}`;
}

function emitBlockProduct(
  module: ModuleBuilder,
  { layout, fma, walk = 'rows', stepBytes = panelStepBytes }: ProductForm,
  epilogue?: Epilogue,
): FinishingKernel {
  const tileRows = rowsOfTile(layout);
  const forms = Array.from({ length: tileRows }, (_, index) => {
    return { rows: index + 1, vectors: tileColumns / 4, layout, fma } as const;
  });
  const plain = forms.map((form) => microKernel(module, form) as unknown as FinishingKernel);
  const direct =
    epilogue === undefined ? plain : forms.map((form) => finishingKernel(module, form, epilogue));
  const scatter = scatterTile(module, epilogue);
  const spread = spreadTile(module, epilogue);
  const params = integers(11 + readCount(epilogue)) as readonly 'i32'[];
  return module.define({ params, result: 'void' }, (parameters, local) => {
    const [a, aStride, b, table, columns, c, cStride, rows, depth, accumulate, tile, ...given] =
      parameters as unknown as readonly [...Repeat<Local<'i32'>, 11>, ...Local<'i32'>[]];
    // what moves from row to row
    const [rowsOfA, rowsOfC] = newLocals(local, 'i32', 2);
    const ofRow = given.map(() => local('i32'));
    const { advance } = epilogueCode(module, local, epilogue, ofRow);
    const [row, column, tileHeight, tileWidth, panel, panelBytes, offsets, first] = newLocals(
      local,
      'i32',
      8,
    );
    const multiply = (
      kernels: readonly FinishingKernel[],
      target: Expression<'i32'>,
      stride: Expression<'i32'>,
      add: Expression<'i32'>,
      rest: readonly Local<'i32'>[] = [],
    ): Statement =>
      callByHeight(kernels, tileHeight, (kernel) =>
        kernel.call(rowsOfA, aStride, panel, i32.const(stepBytes), target, stride, depth, add, ...rest),
      );
    const lastOffset = i32.load(offsets, 4 * (tileColumns - 1));
    const oneTile: Statement =
      // Offsets grow from column to column, so the last tells whether all eight are contiguous, or two apart.
      ifElse(
        i32.and(i32.eq(tileWidth, tileColumns), i32.eq(lastOffset, i32.add(first, 4 * (tileColumns - 1)))),
        [multiply(direct, i32.add(rowsOfC, first), cStride, accumulate, ofRow)],
        [
          multiply(plain, tile, i32.const(4 * tileColumns), i32.const(0)),
          ifElse(
            i32.and(
              i32.eq(tileWidth, tileColumns),
              i32.eq(lastOffset, i32.add(first, 8 * (tileColumns - 1))),
            ),
            [spread.call(tile, i32.add(rowsOfC, first), cStride, tileHeight, accumulate, ...ofRow)],
            [scatter.call(tile, offsets, rowsOfC, cStride, tileHeight, tileWidth, accumulate, ...ofRow)],
          ),
        ],
      );
    const eachRow = (body: readonly Statement[]): readonly Statement[] => [
      rowsOfA.set(a),
      rowsOfC.set(c),
      ...ofRow.map((pointer, at) => pointer.set(given[at] ?? pointer)),
      forRange(row, 0, rows, tileRows, [
        tileHeight.set(i32.sub(rows, row)),
        tileHeight.set(minimumI32(tileHeight, tileRows)),
        ...body,
        increment(rowsOfA, layout === 'rows' ? i32.mul(aStride, tileRows) : aStride),
        increment(rowsOfC, i32.mul(cStride, tileRows)),
        ...advance(tileRows, increment),
      ]),
    ];
    const eachColumn = (body: readonly Statement[]): readonly Statement[] => [
      panel.set(b),
      offsets.set(table),
      forRange(column, 0, columns, tileColumns, [
        first.set(i32.load(offsets)),
        tileWidth.set(i32.sub(columns, column)),
        tileWidth.set(minimumI32(tileWidth, tileColumns)),
        ...body,
        increment(panel, panelBytes),
        increment(offsets, 4 * tileColumns),
      ]),
    ];
    return [
      panelBytes.set(i32.mul(depth, stepBytes)),
      ...(walk === 'rows' ? eachRow(eachColumn([oneTile])) : eachColumn(eachRow([oneTile]))),
    ];
  });
}

/** Calls the micro-kernel of the tile's height: the full one first, it is almost always that. */
function callByHeight(
  kernels: readonly FinishingKernel[],
  height: Expression<'i32'>,
  call: (kernel: FinishingKernel) => Statement,
): Statement {
  const [smallest, ...larger] = kernels;
  if (smallest === undefined)
    throw new RangeError('callByHeight: needs at least one micro-kernel, got none.');
  return larger.reduce(
    (otherwise, kernel, index) => ifElse(i32.eq(height, index + 2), [call(kernel)], [otherwise]),
    call(smallest),
  );
}
