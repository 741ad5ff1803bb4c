// The operands of the filter gradient's products, a channel per lane, and the filters made of their sums.

import type { Statement } from '../../assembler/code.ts';
import { forRange, ifElse, increment, whileLoop } from '../../assembler/control.ts';
import type { ModuleBuilder, Subroutine } from '../../assembler/module.ts';
import { integers, newLocals } from '../../assembler/module.ts';
import { i32, minimumI32 } from '../../assembler/scalar.ts';
import type { Lane } from '../../assembler/vector.ts';
import { v128 } from '../../assembler/vector.ts';
import type { GradientTiles } from './gradientTiles.ts';
import { filterBytes, taps } from './panels.ts';
import type { Distances, LineTransform } from './transforms.ts';
import { transformBoth, transformFour } from './transforms.ts';

/** Distances in bytes of a packing of tiles, and the channels of a panel. */
export interface TileForm extends Distances {
  readonly planeBytes: number;
  readonly lanes: number;
}

/** What is read of every tile, and its transform. */
interface TileContent {
  readonly name: string;
  readonly transform: LineTransform;
}

/**
 * Packs a panel of channels of images for every product, a depth step per tile. Parameters: source (the first channel's
 * plane), channels (at least 1), tiles (the table of the tiles), depth, panel. Lanes beyond the last channel
 * repeat it.
 */
export function packChannels(module: ModuleBuilder, tiles: GradientTiles, form: TileForm): Subroutine<5> {
  return packPlanes(module, { name: 'packChannels', transform: tiles.pixels }, form);
}

/** Packs output gradients the same way. */
export function packGradients(module: ModuleBuilder, tiles: GradientTiles, form: TileForm): Subroutine<5> {
  return packPlanes(module, { name: 'packGradients', transform: tiles.gradients }, form);
}

function packPlanes(module: ModuleBuilder, { name, transform }: TileContent, form: TileForm): Subroutine<5> {
  const { rowBytes, planeBytes, productBytes, lanes } = form;
  return module.once(`${name} ${transform.from} ${rowBytes} ${planeBytes} ${productBytes} ${lanes}`, () =>
    module.define(
      { params: integers(5), result: 'void' },
      ([source, channels, tiles, depth, panel], local) => {
        const planes = newLocals(local, 'i32', 4);
        const addresses = newLocals(local, 'i32', 4);
        const [last, first, step, offset, target, entry] = newLocals(local, 'i32', 6);
        return [
          last.set(i32.sub(channels, 1)),
          forRange(first, 0, lanes, 4, [
            ...planes.flatMap((plane, lane) => [
              plane.set(i32.add(first, lane)),
              plane.set(i32.add(source, i32.mul(minimumI32(plane, last), planeBytes))),
            ]),
            target.set(i32.add(panel, i32.shl(first, 2))),
            entry.set(tiles),
            forRange(step, 0, depth, 1, [
              offset.set(i32.load(entry)),
              ...addresses.map((address, lane) => address.set(i32.add(planes[lane] ?? source, offset))),
              ...transformFour(transform, form, local, addresses, target),
              increment(entry, 4),
              increment(target, 4 * lanes),
            ]),
          ]),
        ];
      },
    ),
  );
}

/**
 * Transforms sums of products into filters. Parameters: sums [product][filter][channel], filters (the result),
 * count (of filters), channels. `productBytes` and `rowBytes` are the distances of products and filters in the sums.
 */
export function unpackFilters(
  module: ModuleBuilder,
  { reach, filters: transform }: GradientTiles,
  productBytes: number,
  rowBytes: number,
): Subroutine<4> {
  return module.once(`unpackFilters ${reach} ${productBytes} ${rowBytes}`, () =>
    module.define({ params: integers(4), result: 'void' }, ([sums, filters, count, channels], local) => {
      const [filter, from, remaining] = newLocals(local, 'i32', 3);
      const value = local('v128');
      const fourFilters = (guard: (lane: number, body: Statement) => Statement): readonly Statement[] =>
        transformBoth(
          transform,
          local,
          (row, column) => v128.load(from, (reach * row + column) * productBytes),
          (row, column, tap) => [
            value.set(tap),
            ...lanesOf.map((lane) =>
              guard(
                lane,
                v128.store32Lane(filters, value, lane, lane * filterBytes + 4 * (taps * row + column)),
              ),
            ),
          ],
        );
      return [
        forRange(filter, 0, count, 1, [
          from.set(sums),
          remaining.set(channels),
          whileLoop(i32.geS(remaining, 4), [
            ...fourFilters((_lane, body) => body),
            increment(from, 16),
            increment(filters, 4 * filterBytes),
            increment(remaining, -4),
          ]),
          ifElse(i32.gtS(remaining, 0), [
            ...fourFilters((lane, body) => ifElse(i32.gtS(remaining, lane), [body])),
            increment(filters, i32.mul(remaining, filterBytes)),
          ]),
          increment(sums, rowBytes),
        ]),
      ];
    }),
  );
}

const lanesOf: readonly Lane[] = [0, 1, 2, 3];
