// The filters of an input gradient, turned around and with their channels exchanged: the panels that its passes read.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { v128 } from '../assembler/vector.ts';
import { roundUp } from './blockProduct.ts';
import type { KernelContext } from './gatherProduct.ts';
import type { AxisPass, Conv2dGeometry } from './geometry.ts';
import { axesOf, inputGradPasses } from './geometry.ts';
import type { Range } from './kernel.ts';
import { panelRows } from './microKernel.ts';
import { gatherLanes } from './packing.ts';

/** Filters [groups * outChannels, channels, area] in memory, and for every pass the taps that it uses, in order. */
export interface TurnedFilters {
  readonly groups: number;
  /** Of one group. */
  readonly channels: number;
  readonly outChannels: number;
  /** Taps of a filter. */
  readonly area: number;
  readonly passes: readonly (readonly number[])[];
}

/** The two dimensions of a pass. */
interface PlanePass {
  readonly rows: AxisPass;
  readonly columns: AxisPass;
}

/** All passes of an input gradient, one per residue of the strides. */
export function planePasses(geometry: Conv2dGeometry): readonly PlanePass[] {
  const axes = axesOf(geometry);
  const columnPasses = inputGradPasses(axes.columns);
  return inputGradPasses(axes.rows).flatMap((rows) => columnPasses.map((columns) => ({ rows, columns })));
}

/** Whether the positions of a pass are seen by any tap. */
export function isSeen({ rows, columns }: PlanePass): boolean {
  return rows.taps * columns.taps > 0;
}

/** What the passes with taps need of the filters. */
export function turnedFilters(geometry: Conv2dGeometry): TurnedFilters {
  const { groups, kernelHeight, kernelWidth } = geometry;
  const tapsOf = ({ rows, columns }: PlanePass): readonly number[] =>
    Array.from({ length: rows.taps }, (_r, row) =>
      Array.from(
        { length: columns.taps },
        (_c, column) =>
          (rows.filterStart + row * rows.filterStep) * kernelWidth +
          columns.filterStart +
          column * columns.filterStep,
      ),
    ).flat();
  return {
    groups,
    channels: geometry.channels / groups,
    outChannels: geometry.outChannels / groups,
    area: kernelHeight * kernelWidth,
    passes: planePasses(geometry).filter(isSeen).map(tapsOf),
  };
}

/** Where the panels [channel / 4][outChannel, tap][4] of a pass lie. */
interface PanelPlace {
  /** Bytes from the beginning of all panels. */
  readonly offset: number;
  readonly panelBytes: number;
  /** Bytes from one group to the next. */
  readonly groupStride: number;
}

/** The place of every pass, and the bytes of all panels. */
export function turnedPlaces({ groups, channels, outChannels, passes }: TurnedFilters): {
  readonly places: readonly PanelPlace[];
  readonly bytes: number;
} {
  const places: PanelPlace[] = [];
  let bytes = 0;
  for (const taps of passes) {
    const panelBytes = 4 * panelRows * outChannels * taps.length;
    const groupStride = (panelBytes * roundUp(channels, panelRows)) / panelRows;
    places.push({ offset: bytes, panelBytes, groupStride });
    bytes += groups * groupStride;
  }
  return { places, bytes };
}

/** The statements that write the panels of filters; with a part only those of a range of channels, from a multiple of four on. */
export function packTurnedFilters(
  { module, local }: Pick<KernelContext, 'module' | 'local'>,
  form: TurnedFilters,
  weights: Expression<'i32'>,
  panels: Expression<'i32'>,
  part: Range = { from: 0, to: form.channels },
): readonly Statement[] {
  const { groups, channels, outChannels, area, passes } = form;
  const { places } = turnedPlaces(form);
  const [group, channel, source, panel] = newLocals(local, 'i32', 4);
  const whole = part.to - (part.to % panelRows);
  return passes.flatMap((taps, at) => {
    const { offset = 0, panelBytes = 0, groupStride = 0 } = places[at] ?? {};
    const pack = (width: number): Statement =>
      turnFilters(module, taps, area, width).call(source, 4 * channels * area, outChannels, panel);
    return [
      forRange(group, 0, groups, 1, [
        source.set(
          i32.add(weights, i32.add(i32.mul(group, 4 * outChannels * channels * area), 4 * part.from * area)),
        ),
        panel.set(
          i32.add(
            panels,
            i32.add(i32.mul(group, groupStride), offset + (part.from / panelRows) * panelBytes),
          ),
        ),
        forRange(channel, part.from, whole, panelRows, [
          pack(panelRows),
          increment(source, 4 * panelRows * area),
          increment(panel, panelBytes),
        ]),
        ...(whole < part.to ? [pack(part.to - whole)] : []),
      ]),
    ];
  });
}

/**
 * Packs one panel of turned filters. Parameters: source (the first input channel of the first filter), stride
 * (bytes from filter to filter), filters, panel. Channels beyond `width` repeat the last one.
 */
function turnFilters(
  module: ModuleBuilder,
  taps: readonly number[],
  area: number,
  width: number,
): Subroutine<4> {
  return module.once(`turnFilters ${taps.join()} of ${area}, width ${width}`, () =>
    module.define({ params: integers(4), result: 'void' }, ([source, stride, filters, panel], local) => {
      const filter = local('i32');
      const channels = Array.from({ length: panelRows }, (_, channel) => Math.min(channel, width - 1));
      const sources = channels.map(() => source);
      return [
        forRange(filter, 0, filters, 1, [
          ...taps.map((tap, at) => {
            const offsets = channels.map((channel) => 4 * (channel * area + tap));
            return v128.store(panel, gatherLanes(sources, offsets), 16 * at);
          }),
          increment(source, stride),
          increment(panel, 4 * panelRows * taps.length),
        ]),
      ];
    }),
  );
}
