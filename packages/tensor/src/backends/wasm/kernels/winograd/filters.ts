// Filters transformed for Winograd's products: the rows that the tiles are multiplied with.

import type { Expression, Statement } from '../../assembler/code.ts';
import { forRange, increment } from '../../assembler/control.ts';
import { newLocals } from '../../assembler/module.ts';
import { i32 } from '../../assembler/scalar.ts';
import { roundUp } from '../blockProduct.ts';
import type { KernelContext } from '../gatherProduct.ts';
import type { Range } from '../kernel.ts';
import type { TileSize } from './convolutionTiles.ts';
import { tilesOfSize } from './convolutionTiles.ts';
import { filterBytes, packFilters } from './panels.ts';
import { productGap } from './transforms.ts';

/** Filters of a convolution, [O,C,3,3] in memory. */
export interface WinogradFilters {
  readonly resultChannels: number;
  readonly sourceChannels: number;
  readonly tileSize: TileSize;
  /** Whether they are turned by half a circle and their channels exchanged, as in an input gradient. */
  readonly isTurned: boolean;
}

/** Bytes from the row of one result channel to the next one's: its source channels, in whole vectors. */
export function rowBytes(sourceChannels: number): number {
  return 4 * roundUp(sourceChannels, 4);
}

/** Bytes from one product's rows [result channel][source channel] to the next one's. */
export function productBytes(sourceChannels: number, resultChannels: number): number {
  return rowBytes(sourceChannels) * resultChannels + productGap;
}

/** Bytes of all rows. */
export function winogradFilterBytes({ sourceChannels, resultChannels, tileSize }: WinogradFilters): number {
  return (tileSize + 2) ** 2 * productBytes(sourceChannels, resultChannels);
}

/** The statements that write the rows of filters; with a part only those of a range of result channels. */
export function packWinogradFilters(
  { module, fma, local }: Pick<KernelContext, 'module' | 'fma' | 'local'>,
  { resultChannels, sourceChannels, tileSize, isTurned }: WinogradFilters,
  weights: Expression<'i32'>,
  panels: Expression<'i32'>,
  part: Range = { from: 0, to: resultChannels },
): readonly Statement[] {
  const [resultStride, sourceStride] = isTurned
    ? [filterBytes, resultChannels * filterBytes]
    : [sourceChannels * filterBytes, filterBytes];
  const [channel, from, row] = newLocals(local, 'i32', 3);
  const pack = packFilters(
    module,
    tilesOfSize(tileSize, fma),
    isTurned,
    productBytes(sourceChannels, resultChannels),
  );
  return [
    from.set(i32.add(weights, part.from * resultStride)),
    row.set(i32.add(panels, part.from * rowBytes(sourceChannels))),
    forRange(channel, part.from, part.to, 1, [
      pack.call(from, sourceStride, sourceChannels, row),
      increment(from, resultStride),
      increment(row, rowBytes(sourceChannels)),
    ]),
  ];
}
