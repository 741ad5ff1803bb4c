// Filters transformed for Winograd's 16 products: the panels that the tiles are multiplied with.

import type { Expression, Statement } from '../../assembler/code.ts';
import { forRange, increment } from '../../assembler/control.ts';
import { newLocals } from '../../assembler/module.ts';
import { i32 } from '../../assembler/scalar.ts';
import { roundUp } from '../blockProduct.ts';
import type { KernelContext } from '../gatherProduct.ts';
import type { Range } from '../kernel.ts';
import { tileRows } from '../microKernel.ts';
import { filterBytes, packFilters } from './panels.ts';
import { tileProducts } from './transforms.ts';

/** Filters of a convolution, [O,C,3,3] in memory. */
export interface WinogradFilters {
  readonly resultChannels: number;
  readonly sourceChannels: number;
  /** Whether they are turned by half a circle and their channels exchanged, as in an input gradient. */
  readonly isTurned: boolean;
}

/** Bytes between the panels of two products beyond their size, so that 16 of them do not meet in one cache set. */
export const productGap = 64;

/** Bytes from one product's panels [result channel / 4][source channel][4] to the next one's. */
export function productBytes(sourceChannels: number, resultChannels: number): number {
  return 4 * sourceChannels * roundUp(resultChannels, tileRows) + productGap;
}

/** Bytes of all panels. */
export function winogradFilterBytes({ sourceChannels, resultChannels }: WinogradFilters): number {
  return tileProducts * productBytes(sourceChannels, resultChannels);
}

/** The statements that write the panels of filters; with a part only those of a range of result channels, from a multiple of four on. */
export function packWinogradFilters(
  { module, local }: Pick<KernelContext, 'module' | 'local'>,
  { resultChannels, sourceChannels, isTurned }: WinogradFilters,
  weights: Expression<'i32'>,
  panels: Expression<'i32'>,
  part: Range = { from: 0, to: resultChannels },
): readonly Statement[] {
  const [resultStride, sourceStride] = isTurned
    ? [filterBytes, resultChannels * filterBytes]
    : [sourceChannels * filterBytes, filterBytes];
  const panelBytes = 4 * tileRows * sourceChannels;
  const [channel, from, panel] = newLocals(local, 'i32', 3);
  const pack = packFilters(module, isTurned, productBytes(sourceChannels, resultChannels));
  return [
    from.set(i32.add(weights, part.from * resultStride)),
    panel.set(i32.add(panels, (part.from / tileRows) * panelBytes)),
    forRange(channel, part.from, part.to, tileRows, [
      pack.call(from, resultStride, i32.sub(resultChannels, channel), sourceStride, sourceChannels, panel),
      increment(from, tileRows * resultStride),
      increment(panel, panelBytes),
    ]),
  ];
}
