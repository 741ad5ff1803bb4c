// The innermost loop of matrix products and convolutions: one tile of C, held in registers, over the depth.
//
// Fused products wait four cycles for one another, two begin in each, so eight accumulators are the least, and more hide what else
// the loop does. Six rows by eight columns are twelve; with two vectors of B and one of A they are fifteen of the sixteen vector registers
// of x64. V8 moves all loads of straight code before its arithmetic and would need six vectors of A, so the rows of a tall tile are parted
// by branches that are never taken: what they would leave behind must be computed before them, each with a condition of its own, or
// all but the first are left out. Two steps of the depth in a turn pay for the branches. One core in GFLOP/s with fused products: 41.5
// where four by eight reaches 37 and six by eight without the branches 26; without fused products all reach 29.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { block, branchIf, doWhile, ifElse, increment } from '../assembler/control.ts';
import type { FunctionRef, Local, ModuleBuilder, Repeat, Subroutine } from '../assembler/module.ts';
import { integers } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import { epilogueCode, epilogueKey, readCount } from './epilogue.ts';

/** Rows of A side by side in a panel, one vector. */
export const panelRows = 4;

/** Rows of C in a full tile. */
export function rowsOfTile(layout: LeftLayout): number {
  return layout === 'panel' ? panelRows : 6;
}

/** Columns of C in a tile of the common width, two vectors. */
export const tileColumns = 8;

/** Bytes of scratch memory for one tile of C. */
export const tileBytes: number = 4 * rowsOfTile('rows') * tileColumns;

/**
 * Where the tile's elements of A lie: `panel`, for every depth step `panelRows` rows side by side;
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
 * `panelRows` elements); `bStep` the bytes of B from one depth step to the next; `cStride` from row to row of C.
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
    const isTall = rows > panelRows;
    const nextStep = depth.tee(i32.sub(depth, 1));
    const multiplyStep = (step: number): readonly Statement[] => [
      ...right.map((vector, at) => vector.set(v128.load(b, 16 * at))),
      ...sums.flatMap((sumsOfRow, row) => {
        const pointer = aRows[row] ?? a;
        const place = 4 * (layout === 'rows' ? step : row);
        return [
          ...(isTall && row > 0 ? [branchIf(1, i32.eq(pointer, step + 1))] : []), // never: addresses are multiples of four
          left.set(v128.load32Splat(pointer, place)),
          ...sumsOfRow.map((sum, at) => sum.set(multiplyAdd(fma, left, right[at] ?? left, sum))),
        ];
      }),
      increment(b, bStep),
    ];
    const turn = [
      ...multiplyStep(0),
      ...(isTall ? [branchIf(1, i32.eqz(nextStep)), ...multiplyStep(1)] : []),
      ...(layout === 'rows'
        ? aRows.map((row) => increment(row, isTall ? 8 : 4))
        : [increment(a, 4 * panelRows)]),
    ];

    return [
      ...strided(cRows, cStride),
      ...strided(aRows, aStride),
      ...eachSum((sum) => sum.set(f32x4.const(0))),
      block(doWhile(turn, nextStep)),
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
