// Moving a tile of C from scratch memory to where its columns belong: two elements apart, or anywhere.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, ifElse, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, Repeat } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { f32, i32, select } from '../assembler/scalar.ts';
import type { Lane } from '../assembler/vector.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import { epilogueCode, epilogueKey, readCount } from './epilogue.ts';
import type { FinishingKernel } from './microKernel.ts';
import { tileColumns } from './microKernel.ts';
import { gatherLanes } from './packing.ts';

/** Bytes from one column to the next in a result that is filled two columns apart, as by input gradients of stride 2. */
const spacing = 8;

/**
 * Moves a whole tile into columns of C that are two elements apart.
 * Parameters: tile, c (the first column), cStride, rows, accumulate, then `epilogueArguments` of the first row.
 */
export function spreadTile(module: ModuleBuilder, epilogue: Epilogue | undefined): FinishingKernel {
  const params = integers(5 + readCount(epilogue)) as readonly 'i32'[];
  return module.once(`spreadTile${epilogueKey(epilogue)}`, () =>
    module.define({ params, result: 'void' }, (parameters, local) => {
      const [tile, c, cStride, rows, accumulate, ...given] = parameters as unknown as readonly [
        ...Repeat<Local<'i32'>, 5>,
        ...Local<'i32'>[],
      ];
      const row = local('i32');
      const sums = local('v128');
      const finish = epilogueCode(module, local, epilogue, given);
      const fourFrom = (address: Expression<'i32'>, column: number): Expression<'v128'> =>
        gatherLanes(
          [address, address, address, address],
          [0, 1, 2, 3].map((lane) => spacing * (column + lane)),
        );
      const four = (column: number): readonly Statement[] => {
        const { statements, value } = finish.apply(sums, 0, (delta) => fourFrom(i32.add(c, delta), column));
        return [
          sums.set(v128.load(tile, 4 * column)),
          ifElse(accumulate, [sums.set(f32x4.add(fourFrom(c, column), sums))]),
          ...statements,
          sums.set(value),
          ...([0, 1, 2, 3] as const).map((lane: Lane) =>
            v128.store32Lane(c, sums, lane, spacing * (column + lane)),
          ),
        ];
      };
      return [
        forRange(row, 0, rows, 1, [
          ...four(0),
          ...four(4),
          increment(tile, 4 * tileColumns),
          increment(c, cStride),
          ...finish.advance(1, increment),
        ]),
      ];
    }),
  );
}

/**
 * Moves a tile into C, element by element.
 * Parameters: tile, table, c, cStride, rows, columns, accumulate, then `epilogueArguments` of the first row.
 */
export function scatterTile(module: ModuleBuilder, epilogue: Epilogue | undefined): FinishingKernel {
  const params = integers(7 + readCount(epilogue)) as readonly 'i32'[];
  return module.once(`scatterTile${epilogueKey(epilogue)}`, () =>
    module.define({ params, result: 'void' }, (parameters, local) => {
      const [tile, table, c, cStride, rows, columns, accumulate, ...given] =
        parameters as unknown as readonly [...Repeat<Local<'i32'>, 7>, ...Local<'i32'>[]];
      const [row, column, from, to] = newLocals(local, 'i32', 4);
      const walking = given.map(() => local('i32'));
      const before = local('f32');
      const finish = epilogueCode(module, local, epilogue, walking);
      const { statements, value } = finish.apply(f32x4.splat(f32.add(before, f32.load(from))), 0, (delta) =>
        v128.load32Splat(i32.add(to, delta)),
      );
      return [
        forRange(column, 0, columns, 1, [
          from.set(i32.add(tile, i32.shl(column, 2))),
          to.set(i32.add(c, i32.load(i32.add(table, i32.shl(column, 2))))),
          ...walking.map((pointer, at) => pointer.set(given[at] ?? pointer)),
          forRange(row, 0, rows, 1, [
            before.set(select('f32', f32.load(to), f32.const(0), accumulate)),
            ...statements,
            v128.store32Lane(to, value, 0),
            increment(from, 4 * tileColumns),
            increment(to, cStride),
            ...finish.advance(1, increment),
          ]),
        ]),
      ];
    }),
  );
}
