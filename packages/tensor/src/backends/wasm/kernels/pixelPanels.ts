// Packing of image pixels into panels for convolutions: every (filter tap, pixel) pair names one source element.
//
// Tables in memory give the byte offset of every pixel and of every tap; an element lies at their sum. Four
// pixels side by side, or two apart, are read as vectors, others one by one.

import type { Expression, Statement } from '../assembler/code.ts';
import { ifElse, increment, whileLoop } from '../assembler/control.ts';
import type { Local, ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { v128 } from '../assembler/vector.ts';
import { tileColumns } from './microKernel.ts';
import { gatherLanes, storeTransposed } from './packing.ts';

type Integer = Expression<'i32'>;

/** Whether four addresses follow one another at the given distance in bytes. */
function areSpaced(addresses: readonly Integer[], distance: number): Integer {
  const steps = addresses
    .slice(1)
    .map((address, before) => i32.eq(i32.sub(address, addresses[before] ?? address), distance));
  return steps.reduce((all, step) => i32.and(all, step));
}

/** Four elements side by side. */
function loadSideBySide(address: Integer): Expression<'v128'> {
  return v128.load(address);
}

/** Every second of eight elements. */
function loadEverySecond(address: Integer): Expression<'v128'> {
  return v128.shuffle(v128.load(address), v128.load(address, 16), [0, 2, 4, 6]);
}

/**
 * Packs a panel of eight pixels, a depth step per tap. Parameters: source, pixels, taps, depth, panel, where
 * `pixels` is the table of the eight pixels and `taps` the table of `depth` taps.
 */
export function packPixels(module: ModuleBuilder): Subroutine<5> {
  return module.once('packPixels', () =>
    module.define({ params: integers(5), result: 'void' }, ([source, pixels, taps, depth, panel], local) => {
      const addresses = newLocals(local, 'i32', tileColumns);
      const [tap, end] = newLocals(local, 'i32', 2);
      const quads = [addresses.slice(0, 4), addresses.slice(4)];
      const eachTap = (readQuad: (quad: readonly Local<'i32'>[]) => Expression<'v128'>): Statement =>
        whileLoop(i32.ltU(taps, end), [
          tap.set(i32.load(taps)),
          ...quads.map((quad, at) => v128.store(panel, readQuad(quad), 16 * at)),
          increment(taps, 4),
          increment(panel, 4 * tileColumns),
        ]);
      const atTap = (address: Integer | undefined): Integer => i32.add(address ?? source, tap);
      const bothSpaced = (distance: number): Integer =>
        i32.and(areSpaced(addresses.slice(0, 4), distance), areSpaced(addresses.slice(4), distance));
      return [
        end.set(i32.add(taps, i32.shl(depth, 2))),
        ...addresses.map((address, at) => address.set(i32.add(source, i32.load(pixels, 4 * at)))),
        ifElse(
          bothSpaced(4),
          [eachTap(([first]) => loadSideBySide(atTap(first)))],
          [
            ifElse(
              bothSpaced(8),
              [eachTap(([first]) => loadEverySecond(atTap(first)))],
              [eachTap((quad) => gatherLanes(quad.map(atTap)))],
            ),
          ],
        ),
      ];
    }),
  );
}

/**
 * Packs a panel of eight taps, a depth step per pixel. Parameters: source, taps, pixels, depth, panel, where
 * `taps` is the table of the eight taps and `pixels` the table of `depth` pixels.
 */
export function packTaps(module: ModuleBuilder): Subroutine<5> {
  return module.once('packTaps', () =>
    module.define({ params: integers(5), result: 'void' }, ([source, taps, pixels, depth, panel], local) => {
      const addresses = newLocals(local, 'i32', tileColumns);
      const quads = [addresses.slice(0, 4), addresses.slice(4)];
      const four = newLocals(local, 'i32', 4);
      const [pixel, remaining] = newLocals(local, 'i32', 2);
      const block = newLocals(local, 'v128', 4);
      const [firstPixel] = four;
      const turned = (readFour: (address: Integer) => Expression<'v128'>): readonly Statement[] =>
        quads.flatMap((quad, at) => [
          ...block.map((row, tap) => row.set(readFour(i32.add(quad[tap] ?? source, firstPixel)))),
          ...storeTransposed(block, panel, 4 * tileColumns, 16 * at),
        ]);
      const onePixel = (at: Local<'i32'>, offset: number): readonly Statement[] =>
        quads.map((quad, half) =>
          v128.store(panel, gatherLanes(quad.map((address) => i32.add(address, at))), offset + 16 * half),
        );
      const advance = (count: number): readonly Statement[] => [
        increment(pixels, 4 * count),
        increment(panel, 4 * count * tileColumns),
        increment(remaining, -count),
      ];
      return [
        ...addresses.map((address, at) => address.set(i32.add(source, i32.load(taps, 4 * at)))),
        remaining.set(depth),
        whileLoop(i32.geS(remaining, 4), [
          ...four.map((at, index) => at.set(i32.load(pixels, 4 * index))),
          ifElse(areSpaced(four, 4), turned(loadSideBySide), [
            ifElse(
              areSpaced(four, 8),
              turned(loadEverySecond),
              four.flatMap((at, index) => onePixel(at, 4 * tileColumns * index)),
            ),
          ]),
          ...advance(4),
        ]),
        whileLoop(i32.gtS(remaining, 0), [pixel.set(i32.load(pixels)), ...onePixel(pixel, 0), ...advance(1)]),
      ];
    }),
  );
}
