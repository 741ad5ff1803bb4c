// The operands and the result of the 16 products, moved between memory and transformed panels.

import type { Epilogue } from '../../../../graph/epilogues.ts';
import type { Statement } from '../../assembler/code.ts';
import { forRange, ifElse, increment, whileLoop } from '../../assembler/control.ts';
import type { Local, ModuleBuilder, Repeat, Subroutine } from '../../assembler/module.ts';
import { integers, newLocals } from '../../assembler/module.ts';
import { i32, minimumI32 } from '../../assembler/scalar.ts';
import { v128 } from '../../assembler/vector.ts';
import { epilogueCode, epilogueKey, readCount } from '../epilogue.ts';
import type { FinishingKernel } from '../microKernel.ts';
import { tileColumns, tileRows } from '../microKernel.ts';
import { gatherLanes } from '../packing.ts';
import { filterLine, outputLine, tileReach, transformBoth, transformPixels } from './transforms.ts';

/** Taps of a filter along one dimension. */
export const taps = 3;

/** Bytes from one filter to the next in memory. */
export const filterBytes: number = 4 * taps * taps;

/**
 * Transforms filters into one panel per product. Parameters: source, laneStride, lanes (1 to 4 filters side by
 * side), stride, depth, panel; strides in bytes. With `isTurned` the filters are turned by half a circle. Lanes
 * beyond the last repeat it.
 */
export function packFilters(module: ModuleBuilder, isTurned: boolean, productBytes: number): Subroutine<6> {
  return module.once(`packFilters ${isTurned} ${productBytes}`, () =>
    module.define(
      { params: integers(6), result: 'void' },
      ([source, laneStride, lanes, stride, depth, panel], local) => {
        const filters = newLocals(local, 'i32', tileRows);
        const [last, step] = newLocals(local, 'i32', 2);
        const transform = transformBoth(
          filterLine,
          local,
          (row, column) => {
            const tap = taps * row + column;
            const offset = 4 * (isTurned ? taps * taps - 1 - tap : tap);
            return gatherLanes(
              filters,
              filters.map(() => offset),
            );
          },
          (row, column, value) => [v128.store(panel, value, (tileReach * row + column) * productBytes)],
        );
        return [
          last.set(i32.sub(lanes, 1)),
          ...filters.map((filter, lane) =>
            filter.set(i32.add(source, i32.mul(minimumI32(i32.const(lane), last), laneStride))),
          ),
          forRange(step, 0, depth, 1, [
            ...transform,
            ...filters.map((filter) => increment(filter, stride)),
            increment(panel, 4 * tileRows),
          ]),
        ];
      },
    ),
  );
}

/** Distances in bytes of a packing of pixels: between rows of a plane, and between panels of two products. */
export interface PixelForm {
  readonly rowBytes: number;
  readonly productBytes: number;
}

/**
 * Packs a panel of eight tiles for every product, a depth step per channel. Parameters: source, tiles (the table
 * of the eight tiles), planeBytes, depth, panel.
 */
export function packTiles(module: ModuleBuilder, { rowBytes, productBytes }: PixelForm): Subroutine<5> {
  return module.once(`packTiles ${rowBytes} ${productBytes}`, () =>
    module.define(
      { params: integers(5), result: 'void' },
      ([source, tiles, planeBytes, depth, panel], local) => {
        const addresses = newLocals(local, 'i32', 4);
        const [quad, step, target] = newLocals(local, 'i32', 3);
        return [
          forRange(quad, 0, 4 * tileColumns, 16, [
            ...addresses.map((address, at) =>
              address.set(i32.add(source, i32.load(i32.add(tiles, quad), 4 * at))),
            ),
            target.set(i32.add(panel, quad)),
            forRange(step, 0, depth, 1, [
              ...transformPixels(local, addresses, rowBytes, target, productBytes),
              ...addresses.map((address) => increment(address, planeBytes)),
              increment(target, 4 * tileColumns),
            ]),
          ]),
        ];
      },
    ),
  );
}

/** Distances in bytes of a result: from product to product and channel to channel, and between result rows; and what finishes it. */
export interface OutputForm {
  readonly productBytes: number;
  readonly channelBytes: number;
  readonly rowBytes: number;
  readonly epilogue: Epilogue | undefined;
}

/**
 * Transforms products into output tiles. Parameters: products, table (of the tiles' offsets in a plane), tiles,
 * target (the first channel's plane), planeBytes, channels, then the `epilogueArguments` of the first channel.
 */
export function unpackTiles(module: ModuleBuilder, form: OutputForm): FinishingKernel {
  const { productBytes, channelBytes, rowBytes, epilogue } = form;
  const key = `unpackTiles ${productBytes} ${channelBytes} ${rowBytes}${epilogueKey(epilogue)}`;
  return module.once(key, () =>
    module.define(
      { params: integers(6 + readCount(epilogue)) as readonly 'i32'[], result: 'void' },
      (parameters, local) => {
        const [products, table, tiles, target, planeBytes, channels, ...given] =
          parameters as unknown as readonly [...Repeat<Local<'i32'>, 6>, ...Local<'i32'>[]];
        const finish = epilogueCode(module, local, epilogue, given);
        const [channel, from, entry, remaining] = newLocals(local, 'i32', 4);
        const outputs = newLocals(local, 'i32', 4);
        const left = local('v128');
        const joined = newLocals(local, 'v128', 2);
        const store = (tile: number, row: number): readonly Statement[] => {
          const output = outputs[tile];
          const pair = joined[tile >> 1];
          return output && pair ? [v128.store64Lane(output, pair, tile % 2 ? 1 : 0, row * rowBytes)] : [];
        };
        /** Two pixels of each of two tiles, as they are stored. */
        const finishPair = (pair: Local<'v128'>, half: number, row: number): readonly Statement[] => {
          const [first = target, second = target] = outputs.slice(2 * half, 2 * half + 2);
          const offset = row * rowBytes;
          const { statements, value } = finish.apply(pair, 0, (delta) =>
            v128.load64Lane(
              i32.add(second, delta),
              v128.load64Zero(i32.add(first, delta), offset),
              1,
              offset,
            ),
          );
          return epilogue === undefined ? [] : [...statements, pair.set(value)];
        };
        const fourTiles = (guard: (tile: number, body: readonly Statement[]) => readonly Statement[]) => [
          ...outputs.map((output, at) => output.set(i32.add(target, i32.load(entry, 4 * at)))),
          ...transformBoth(
            outputLine,
            local,
            (row, column) => v128.load(from, (tileReach * row + column) * productBytes),
            (row, column, value) =>
              column === 0
                ? [left.set(value)]
                : [
                    ...interleave(left, value, joined),
                    ...joined.flatMap((pair, half) => finishPair(pair, half, row)),
                    ...outputs.flatMap((_, tile) => guard(tile, store(tile, row))),
                  ],
          ),
        ];
        return [
          forRange(channel, 0, channels, 1, [
            from.set(products),
            entry.set(table),
            remaining.set(tiles),
            whileLoop(i32.geS(remaining, 4), [
              ...fourTiles((_tile, body) => body),
              increment(from, 16),
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

/** The elements of two vectors in turn, as two vectors. */
function interleave(
  left: Local<'v128'>,
  right: ReturnType<typeof v128.shuffle>,
  [low, high]: readonly [Local<'v128'>, Local<'v128'>],
): readonly Statement[] {
  return [
    high.set(right),
    low.set(v128.shuffle(left, high, [0, 4, 1, 5])),
    high.set(v128.shuffle(left, high, [2, 6, 3, 7])),
  ];
}
