// The innermost loop of matrix products and convolutions: one tile of C, held in registers, over the depth.
//
// Four rows by eight columns are eight accumulators. The engine hoists all loads of a step before its arithmetic,
// so two vectors of B and four of A join them: fourteen of the sixteen vector registers of x64. Larger tiles spill
// (six by eight reaches 30 where four by eight reaches 47 GFLOP/s). Unrolling the depth gains nothing.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { doWhile, ifElse, increment } from '../assembler/control.ts';
import type { FunctionRef, Local, ModuleBuilder, Repeat, Subroutine } from '../assembler/module.ts';
import { integers } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import { epilogueCode, epilogueKey, readCount } from './epilogue.ts';

/** Rows of C in a full tile. */
export const tileRows = 4;

/** Columns of C in a tile of the common width, two vectors. */
export const tileColumns = 8;

/** Bytes of scratch memory for one tile of C. */
export const tileBytes: number = 4 * tileRows * tileColumns;

/**
 * Where the tile's elements of A lie: `panel`, for every depth step `tileRows` rows side by side;
 * `rows`, every row contiguous along the depth.
 */
export type LeftLayout = 'panel' | 'rows';

/** Which micro-kernel: tile size and form. */
export interface TileForm {
  readonly rows: number;
  /** Width of the tile in vectors of four columns. */
  readonly vectors: number;
  readonly layout: LeftLayout;
  readonly fma: boolean;
}

/**
 * Parameters: a, aStride, b, bStep, c, cStride, depth (at least 1), accumulate.
 * `aStride` is the bytes from row to row in `rows` layout (unused in `panel` layout, where a depth step takes
 * `tileRows` elements); `bStep` the bytes of B from one depth step to the next; `cStride` from row to row of C.
 * With `accumulate` 0 the tile replaces C, else it is added to C.
 */
export type MicroKernel = Subroutine<8>;

/** A micro-kernel whose tile is finished: parameters as above, then the `epilogueArguments` of the tile's first row. */
export type FinishingKernel = FunctionRef<readonly 'i32'[], 'void'>;

/** `sum + left * right`, per lane. */
export function multiplyAdd(
  fma: boolean,
  left: Expression<'v128'>,
  right: Expression<'v128'>,
  sum: Expression<'v128'>,
): Expression<'v128'> {
  return fma ? f32x4.relaxedMadd(left, right, sum) : f32x4.add(sum, f32x4.mul(left, right));
}

/** The micro-kernel of the given form; the module holds each form once. */
export function microKernel(module: ModuleBuilder, form: TileForm): MicroKernel {
  return module.once(formKey(form), () => emitMicroKernel(module, form) as unknown as MicroKernel);
}

/** The micro-kernel that applies an epilogue to the tile before it stores it. */
export function finishingKernel(module: ModuleBuilder, form: TileForm, epilogue: Epilogue): FinishingKernel {
  const key = formKey(form) + epilogueKey(epilogue);
  return module.once(key, () => emitMicroKernel(module, form, epilogue));
}

function formKey({ rows, vectors, layout, fma }: TileForm): string {
  return `micro-kernel ${rows}x${vectors} ${layout} ${fma}`;
}

function emitMicroKernel(
  module: ModuleBuilder,
  { rows, vectors, layout, fma }: TileForm,
  epilogue?: Epilogue,
): FinishingKernel {
  const params = integers(8 + readCount(epilogue)) as readonly 'i32'[];
  return module.define({ params, result: 'void' }, (parameters, local) => {
    const [a, aStride, b, bStep, c, cStride, depth, accumulate, ...given] =
      parameters as unknown as readonly [...Repeat<Local<'i32'>, 8>, ...Local<'i32'>[]];
    const finish = epilogueCode(module, local, epilogue, given);
    const times = <Item>(count: number, make: (index: number) => Item): readonly Item[] =>
      Array.from({ length: count }, (_, index) => make(index));
    const sums = times(rows, () => times(vectors, () => local('v128')));
    const right = times(vectors, () => local('v128'));
    const left = local('v128');
    const cRows = [c, ...times(rows - 1, () => local('i32'))];
    const aRows = layout === 'rows' ? [a, ...times(rows - 1, () => local('i32'))] : [];

    const eachSum = (
      act: (sum: Local<'v128'>, row: Local<'i32'>, offset: number) => Statement,
    ): Statement[] =>
      cRows.flatMap((row, at) => (sums[at] ?? []).map((sum, vector) => act(sum, row, 16 * vector)));
    const readLeft = (row: number): Expression<'v128'> =>
      v128.load32Splat(aRows[row] ?? a, layout === 'rows' ? 0 : 4 * row);
    const advanceLeft =
      layout === 'rows' ? aRows.map((row) => increment(row, 4)) : [increment(a, 4 * tileRows)];

    return [
      ...strided(cRows, cStride),
      ...strided(aRows, aStride),
      ...eachSum((sum) => sum.set(f32x4.const(0))),
      doWhile(
        [
          ...right.map((vector, at) => vector.set(v128.load(b, 16 * at))),
          ...sums.flatMap((sumsOfRow, row) => [
            left.set(readLeft(row)),
            ...sumsOfRow.map((sum, at) => sum.set(multiplyAdd(fma, left, right[at] ?? left, sum))),
          ]),
          ...advanceLeft,
          increment(b, bStep),
        ],
        depth.tee(i32.sub(depth, 1)),
      ),
      // Only now, so that long sums are sums of the blocks' sums: their rounding errors grow with the root of a block, not of the whole.
      ifElse(
        accumulate,
        eachSum((sum, row, offset) => sum.set(f32x4.add(v128.load(row, offset), sum))),
      ),
      ...cRows.flatMap((row, at) =>
        (sums[at] ?? []).flatMap((sum, vector) => {
          const alike = (delta: Local<'i32'>): Expression<'v128'> =>
            v128.load(i32.add(row, delta), 16 * vector);
          const { statements, value } = finish.apply(sum, at, alike);
          return [...statements, v128.store(row, value, 16 * vector)];
        }),
      ),
    ];
  });
}

/** Sets every row pointer but the first to the one before it plus the stride. */
function strided(rows: readonly Local<'i32'>[], stride: Local<'i32'>): readonly Statement[] {
  return rows.slice(1).map((row, before) => row.set(i32.add(rows[before] ?? row, stride)));
}
