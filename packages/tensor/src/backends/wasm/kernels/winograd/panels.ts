// The operands and the result of the 16 products, moved between memory and transformed panels.

import type { Epilogue } from '../../../../graph/epilogues.ts';
import type { Expression, Statement } from '../../assembler/code.ts';
import { forRange, ifElse, increment, whileLoop } from '../../assembler/control.ts';
import type { Local, ModuleBuilder, Repeat, Subroutine } from '../../assembler/module.ts';
import { integers, newLocals } from '../../assembler/module.ts';
import { i32, minimumI32 } from '../../assembler/scalar.ts';
import { v128 } from '../../assembler/vector.ts';
import { epilogueCode, epilogueKey, readCount } from '../epilogue.ts';
import type { FinishingKernel } from '../microKernel.ts';
import { tileColumns } from '../microKernel.ts';
import { gatherLanes, transposed } from '../packing.ts';
import type { ConvolutionTiles } from './convolutionTiles.ts';
import type { Vector } from './transforms.ts';
import { productGap, transformBoth, transformFour } from './transforms.ts';

/** Taps of a filter along one dimension. */
export const taps = 3;

/** Bytes from one filter to the next in memory. */
export const filterBytes: number = 4 * taps * taps;

/**
 * Transforms filters into one row per product. Parameters: source, stride (bytes from filter to filter), count, row. With
 * `isTurned` the filters are turned by half a circle. Rows are filled up to whole vectors.
 */
export function packFilters(
  module: ModuleBuilder,
  { reach, filters: transform }: ConvolutionTiles,
  isTurned: boolean,
  productBytes: number,
): Subroutine<4> {
  return module.once(`packFilters ${reach} ${isTurned} ${productBytes}`, () =>
    module.define({ params: integers(4), result: 'void' }, ([source, stride, count, row], local) => {
      const filters = newLocals(local, 'i32', 4);
      const [last, step] = newLocals(local, 'i32', 2);
      const transformed = transformBoth(
        transform,
        local,
        (line, column) => {
          const tap = taps * line + column;
          const offset = 4 * (isTurned ? taps * taps - 1 - tap : tap);
          return gatherLanes(
            filters,
            filters.map(() => offset),
          );
        },
        (line, column, value) => [v128.store(row, value, (reach * line + column) * productBytes)],
      );
      return [
        forRange(step, 0, count, 4, [
          last.set(i32.sub(i32.sub(count, step), 1)),
          ...filters.map((filter, lane) =>
            filter.set(i32.add(source, i32.mul(minimumI32(i32.const(lane), last), stride))),
          ),
          ...transformed,
          increment(source, i32.shl(stride, 2)),
          increment(row, 16),
        ]),
      ];
    }),
  );
}

/**
 * Where the products of eight tiles lie, those of a tile's first position before those of the second: the eight side by side, so that
 * they are written and read in one go where a panel per product would be as many streams, each in a page of its own.
 */
export function panelForm({ reach }: ConvolutionTiles): {
  /** From one source channel to the next, with a gap, so that the steps of a product do not meet in few sets of the cache. */
  readonly stepBytes: number;
  /** From one panel of sums to the next. */
  readonly panelBytes: number;
} {
  const panelBytes = 4 * tileColumns * reach ** 2;
  return { stepBytes: panelBytes + productGap, panelBytes };
}

/**
 * Packs a panel of eight tiles, a depth step per channel. Parameters: source, tiles (the table of the eight tiles), planeBytes, depth, panel.
 */
export function packTiles(module: ModuleBuilder, form: ConvolutionTiles, rowBytes: number): Subroutine<5> {
  return module.once(`packTiles ${form.reach} ${rowBytes}`, () =>
    module.define(
      { params: integers(5), result: 'void' },
      ([source, tiles, planeBytes, depth, panel], local) => {
        const addresses = newLocals(local, 'i32', 4);
        const [quad, step, target] = newLocals(local, 'i32', 3);
        const distances = { rowBytes, productBytes: 4 * tileColumns };
        return [
          forRange(step, 0, depth, 1, [
            forRange(quad, 0, 4 * tileColumns, 16, [
              ...addresses.map((address, at) =>
                address.set(i32.add(source, i32.load(i32.add(tiles, quad), 4 * at))),
              ),
              target.set(i32.add(panel, quad)),
              ...transformFour(form.pixels, distances, local, addresses, target),
            ]),
            increment(source, planeBytes),
            increment(panel, panelForm(form).stepBytes),
          ]),
        ];
      },
    ),
  );
}

/** Distances in bytes of a result: from channel to channel of the sums, and between result rows; and what finishes it. */
export interface OutputForm {
  readonly channelBytes: number;
  readonly rowBytes: number;
  readonly epilogue: Epilogue | undefined;
}

/**
 * Transforms products into output tiles. Parameters: products, table (of the tiles' offsets in a plane), tiles,
 * target (the first channel's plane), planeBytes, channels, then the `epilogueArguments` of the first channel.
 */
export function unpackTiles(
  module: ModuleBuilder,
  form: ConvolutionTiles,
  { channelBytes, rowBytes, epilogue }: OutputForm,
): FinishingKernel {
  const { size, reach, outputs: transform } = form;
  const { panelBytes } = panelForm(form);
  const key = `unpackTiles ${size} ${channelBytes} ${rowBytes}${epilogueKey(epilogue)}`;
  return module.once(key, () =>
    module.define(
      { params: integers(6 + readCount(epilogue)) as readonly 'i32'[], result: 'void' },
      (parameters, local) => {
        const [products, table, tiles, target, planeBytes, channels, ...given] =
          parameters as unknown as readonly [...Repeat<Local<'i32'>, 6>, ...Local<'i32'>[]];
        const finish = epilogueCode(module, local, epilogue, given);
        const [channel, quad, from, entry, remaining] = newLocals(local, 'i32', 5);
        const tileAt = newLocals(local, 'i32', 4);
        const line: readonly Local<'v128'>[] = newLocals(local, 'v128', size);
        const pieces: readonly Local<'v128'>[] = newLocals(local, 'v128', size);
        const tilesOf = (piece: number): readonly Local<'i32'>[] =>
          tileAt.slice((4 / size) * piece, (4 / size) * (piece + 1));
        const finishPiece = (piece: Local<'v128'>, at: number, offset: number): readonly Statement[] => {
          const { statements, value } = finish.apply(piece, 0, (delta) =>
            readPiece(
              tilesOf(at).map((tile) => i32.add(tile, delta)),
              offset,
            ),
          );
          return epilogue === undefined ? [] : [...statements, piece.set(value)];
        };
        const storeRow = (row: number, guard: Guard): readonly Statement[] => [
          ...turnedRow(line).flatMap((value, at) => pieces[at]?.set(value) ?? []),
          ...pieces.flatMap((piece, at) => finishPiece(piece, at, row * rowBytes)),
          ...pieces.flatMap((piece, at) =>
            storePiece(tilesOf(at), piece, row * rowBytes).flatMap((store, tile) =>
              guard((4 / size) * at + tile, [store]),
            ),
          ),
        ];
        const fourTiles = (guard: Guard): readonly Statement[] => [
          from.set(i32.add(products, i32.mul(i32.shrU(quad, 1), panelBytes))),
          from.set(i32.add(from, i32.shl(i32.and(quad, 1), 4))),
          ...tileAt.map((tile, at) => tile.set(i32.add(target, i32.load(entry, 4 * at)))),
          ...transformBoth(
            transform,
            local,
            (row, column) => v128.load(from, 4 * tileColumns * (reach * row + column)),
            (row, column, value) =>
              [line[column]?.set(value) ?? [], column === size - 1 ? storeRow(row, guard) : []].flat(),
          ),
        ];
        return [
          forRange(channel, 0, channels, 1, [
            quad.set(0),
            entry.set(table),
            remaining.set(tiles),
            whileLoop(i32.geS(remaining, 4), [
              ...fourTiles((_tile, body) => body),
              increment(quad, 1),
              increment(entry, 16),
              increment(remaining, -4),
            ]),
            ifElse(
              i32.gtS(remaining, 0),
              fourTiles((tile, body) => [ifElse(i32.gtS(remaining, tile), body)]),
            ),
            increment(products, channelBytes),
            increment(target, planeBytes),
            ...finish.advance(1, increment),
          ]),
        ];
      },
    ),
  );
}

/** What is done with the statements that store a tile. */
type Guard = (tile: number, body: readonly Statement[]) => readonly Statement[];

/** A row of four tiles, given by its pixels, as it lies in memory: two pixels of each of two tiles, or four of one. */
function turnedRow(line: readonly Local<'v128'>[]): readonly Vector[] {
  const [left, right] = line;
  if (line.length === 4 || !left || !right) return transposed(line);
  return [v128.shuffle(left, right, [0, 4, 1, 5]), v128.shuffle(left, right, [2, 6, 3, 7])];
}

/** The pixels of one or two tiles. */
function readPiece(tiles: readonly Expression<'i32'>[], offset: number): Vector {
  const [first, second] = tiles;
  if (first === undefined) throw new RangeError('readPiece: needs one or two tiles, got none.');
  return second === undefined
    ? v128.load(first, offset)
    : v128.load64Lane(second, v128.load64Zero(first, offset), 1, offset);
}

/** The statements that store them, one for each tile. */
function storePiece(
  tiles: readonly Expression<'i32'>[],
  piece: Local<'v128'>,
  offset: number,
): readonly Statement[] {
  const [first, second] = tiles;
  if (first === undefined) throw new RangeError('storePiece: needs one or two tiles, got none.');
  return second === undefined
    ? [v128.store(first, piece, offset)]
    : [v128.store64Lane(first, piece, 0, offset), v128.store64Lane(second, piece, 1, offset)];
}
