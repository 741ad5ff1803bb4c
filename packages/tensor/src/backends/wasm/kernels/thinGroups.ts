// Convolutions of groups of few channels, whose columns are neighbours: directly from the images. The products of a group are too thin
// to pay for panels of pixels, of which each would be used for one tile. So four filters by eight positions are computed in registers
// as by the micro-kernel, from rows of the group's planes with their zeros around.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { doWhile, forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import { epilogueArguments, epilogueCode, epilogueKey, operandCount } from './epilogue.ts';
import type { KernelContext } from './gatherProduct.ts';
import type { Conv2dGeometry } from './geometry.ts';
import { conv2dName } from './geometry.ts';
import type { GroupPlanes } from './groupPlanes.ts';
import { groupPlanes } from './groupPlanes.ts';
import type { Kernel, KernelOptions } from './kernel.ts';
import { partName, pointerParams, pointersOf } from './kernel.ts';
import { writeLanes } from './loopNest.ts';
import { multiplyAdd, panelRows, tileColumns } from './microKernel.ts';
import type { OffsetGrid } from './offsetTable.ts';
import { fillTable } from './offsetTable.ts';
import { scratchLayout } from './scratch.ts';

/** Most filters of a group, and most products of one element, as of 3x3 filters of as many channels; above, panels pay. */
const most = 16;
const mostProducts: number = 9 * most;

/** Whether the columns that neighbouring results read are neighbours, in groups of few channels, and there is something to compute. */
export function areGroupsThin(geometry: Conv2dGeometry): boolean {
  const { groups, channels, outChannels, height, width, outHeight, outWidth } = geometry;
  const products = (channels / groups) * geometry.kernelHeight * geometry.kernelWidth;
  return (
    groups > 1 &&
    geometry.strideWidth === 1 &&
    outChannels <= most * groups &&
    products <= mostProducts &&
    products * outChannels * height * width * outHeight * outWidth > 0
  );
}

/** Whether the input gradient can be computed as such a convolution of the output gradient. */
export function isInputGradThin(geometry: Conv2dGeometry): boolean {
  return areGroupsThin(geometry) && geometry.strideHeight === 1;
}

/** The rows and columns of filters, and how far apart they are in images. */
type Taps = Pick<Conv2dGeometry, 'kernelHeight' | 'kernelWidth' | 'dilationHeight' | 'dilationWidth'>;

/** A convolution of every group's planes. */
interface ThinConvolution {
  readonly batch: number;
  readonly groups: number;
  /** Channels of a group. */
  readonly sources: number;
  readonly results: number;
  readonly planes: GroupPlanes;
  readonly height: number;
  readonly width: number;
  /** Rows of the planes from one row of the result to the next. */
  readonly step: number;
  /** Elements of the filters from one result channel, and from one source channel, to the next. */
  readonly resultStride: number;
  readonly sourceStride: number;
  readonly taps: Taps;
  /** Whether filters are read from their last element to the first. */
  readonly isTurned: boolean;
}

const tapCount = ({ taps }: ThinConvolution): number => taps.kernelHeight * taps.kernelWidth;

/** Products of one element of the result. */
const depthOf = (form: ThinConvolution): number => form.sources * tapCount(form);

/** The planes of a group's images that the taps of so many columns of positions read. */
export function planesOfTaps(geometry: Conv2dGeometry, columns: number): GroupPlanes {
  const { kernelHeight, kernelWidth, dilationHeight, dilationWidth } = geometry;
  return groupPlanes({
    channels: geometry.channels / geometry.groups,
    height: geometry.height,
    width: geometry.width,
    rows: (geometry.outHeight - 1) * geometry.strideHeight + (kernelHeight - 1) * dilationHeight + 1,
    columns: columns + (kernelWidth - 1) * dilationWidth,
    top: geometry.padTop,
    left: geometry.padLeft,
  });
}

/** The forward convolution as one of planes. */
function forwardForm(geometry: Conv2dGeometry): ThinConvolution {
  const { batch, groups, channels, outChannels, outHeight, outWidth } = geometry;
  const sources = channels / groups;
  const taps = geometry.kernelHeight * geometry.kernelWidth;
  return {
    batch,
    groups,
    sources,
    results: outChannels / groups,
    planes: planesOfTaps(geometry, outWidth),
    height: outHeight,
    width: outWidth,
    step: geometry.strideHeight,
    resultStride: sources * taps,
    sourceStride: taps,
    taps: geometry,
    isTurned: false,
  };
}

/** The input gradient of stride 1: the output gradient convolved with the filters turned around and their channels exchanged. */
function inputGradForm(geometry: Conv2dGeometry): ThinConvolution {
  const { batch, groups, channels, outChannels, height, width, outHeight, outWidth } = geometry;
  const results = channels / groups;
  const taps = geometry.kernelHeight * geometry.kernelWidth;
  const [reachHeight, reachWidth] = [
    (geometry.kernelHeight - 1) * geometry.dilationHeight,
    (geometry.kernelWidth - 1) * geometry.dilationWidth,
  ];
  const planes = groupPlanes({
    channels: outChannels / groups,
    height: outHeight,
    width: outWidth,
    rows: height + reachHeight,
    columns: width + reachWidth,
    top: reachHeight - geometry.padTop,
    left: reachWidth - geometry.padLeft,
  });
  return {
    batch,
    groups,
    sources: outChannels / groups,
    results,
    planes,
    height,
    width,
    step: 1,
    resultStride: taps,
    sourceStride: results * taps,
    taps: geometry,
    isTurned: true,
  };
}

/** The kernel (images, weights, operands of the epilogue, output, scratch) of a convolution whose groups are thin; a part is a range of the groups of all images. */
export function emitThinConv2d(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions,
): Kernel {
  const name = conv2dName('thinConv2d', geometry, options.fma ?? false);
  return emitThin(module, name, options, () => forwardForm(geometry));
}

/** The kernel (outputGrad, weights, operands of the epilogue, inputGrad, scratch) of an input gradient whose groups are thin; parts as above. */
export function emitThinInputGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions,
): Kernel {
  const name = conv2dName('thinInputGrad', geometry, options.fma ?? false);
  return emitThin(module, name, options, () => inputGradForm(geometry));
}

function emitThin(
  module: ModuleBuilder,
  name: string,
  options: KernelOptions,
  formOf: () => ThinConvolution,
): Kernel {
  const { fma = false, part, epilogue } = options;
  const exportName = name + partName(options) + epilogueKey(epilogue);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = pointerParams(2 + operandCount(epilogue));
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const { first, second, operands, output, scratch: pointer } = pointersOf(pointers);
      const scratch = scratchLayout(pointer);
      const form = formOf();
      const { batch, groups, sources, results, planes, taps, height, width } = form;
      const { from, to } = part ?? { from: 0, to: batch * groups };
      const context = { module, fma, scratch, local };
      const copy = planes.prepare(context, first);
      const [at, group, weights, result] = newLocals(local, 'i32', 4);
      const table = scratch.region(4 * depthOf(form));
      const panels = scratch.region(panelBytes(form) * Math.ceil(results / panelRows));
      const body = [
        ...copy.once,
        fillTable(module, table, productGrid(sources, planes, taps)),
        forRange(at, from, to, 1, [
          group.set(i32.remU(at, groups)),
          ...copy.load(at),
          weights.set(i32.add(second, i32.mul(group, 4 * results * depthOf(form)))),
          result.set(i32.add(output, i32.mul(at, 4 * results * height * width))),
          ...packPanels(context, form, weights, panels),
          ...multiplyGroup(context, form, {
            planes: copy.pointer,
            table,
            panels,
            result,
            epilogue,
            given: epilogueArguments(epilogue, operands, output, i32.mul(group, results)),
          }),
        ]),
      ];
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}

/** Bytes of the filters of a block: for every product one element of each. */
const panelBytes = (form: ThinConvolution): number => 4 * panelRows * depthOf(form);

/** Where the products of an element of the result find their pixels: by channel, row and column of the filter. */
export const productGrid = (
  sources: number,
  planes: Pick<GroupPlanes, 'rows' | 'columns'>,
  taps: Taps,
): OffsetGrid => ({
  base: 0,
  dimensions: [
    { count: sources, stride: 4 * planes.rows * planes.columns },
    { count: taps.kernelHeight, stride: 4 * taps.dilationHeight * planes.columns },
    { count: taps.kernelWidth, stride: 4 * taps.dilationWidth },
  ],
});

/** Statements for every block of four filters of a group, and for the filters that are left; they are told how many they are for. */
export const eachBlock = (
  results: number,
  { local }: KernelContext,
  statements: (count: number) => readonly Statement[],
): readonly Statement[] => [
  forRange(local('i32'), 0, Math.floor(results / panelRows), 1, statements(panelRows)),
  ...(results % panelRows === 0 ? [] : statements(results % panelRows)),
];

/** Writes the filters of a group, those of a block side by side. Moves `weights`. */
function packPanels(
  context: KernelContext,
  form: ThinConvolution,
  weights: Local<'i32'>,
  panels: Expression<'i32'>,
): readonly Statement[] {
  const { sources, sourceStride, results, resultStride, isTurned } = form;
  const { local } = context;
  const [from, to] = newLocals(local, 'i32', 2);
  const step = isTurned ? -4 : 4;
  return [
    to.set(panels),
    ...eachBlock(results, context, (count) => [
      from.set(i32.add(weights, isTurned ? 4 * (tapCount(form) - 1) : 0)),
      forRange(local('i32'), 0, sources, 1, [
        forRange(local('i32'), 0, tapCount(form), 1, [
          ...Array.from({ length: count }, (_, row) =>
            i32.store(to, i32.load(from, 4 * row * resultStride), 4 * row),
          ),
          increment(from, step),
          increment(to, 4 * panelRows),
        ]),
        increment(from, 4 * sourceStride - step * tapCount(form)),
      ]),
      increment(weights, 4 * count * resultStride),
    ]),
  ];
}

/** What the filters of a group are multiplied with, and where the results go. */
interface GroupOperands {
  readonly planes: Expression<'i32'>;
  /** Bytes from the first pixel of a position to that of every product. */
  readonly table: Expression<'i32'>;
  readonly panels: Expression<'i32'>;
  /** The first row of the group's first plane, moved to the one behind its last. */
  readonly result: Local<'i32'>;
  readonly epilogue: Epilogue | undefined;
  readonly given: readonly Expression<'i32'>[];
}

/** The results of a group, row by row: of four filters at eight positions at a time. */
function multiplyGroup(
  context: KernelContext,
  form: ThinConvolution,
  { planes, table, panels, result, epilogue, given }: GroupOperands,
): readonly Statement[] {
  const { local } = context;
  const { height, width, step, results } = form;
  const [row, from, to, panel, end, first] = newLocals(local, 'i32', 6);
  const ofChannels = given.map(() => local('i32'));
  const [whole, rest] = [Math.floor(width / tileColumns), width % tileColumns];
  const block = (count: number): readonly Statement[] => {
    const { tile, advance } = tileOf(context, form, {
      epilogue,
      ofChannels,
      from,
      table,
      end,
      panel,
      to,
      count,
    });
    return [
      from.set(first),
      ...(whole === 0 ? [] : [forRange(local('i32'), 0, whole, 1, tile(tileColumns))]),
      ...(rest === 0 ? [] : tile(rest)),
      increment(panel, panelBytes(form)),
      increment(to, 4 * (count * height - 1) * width),
      ...advance,
    ];
  };
  return [
    end.set(i32.add(table, 4 * depthOf(form))),
    first.set(planes),
    forRange(row, 0, height, 1, [
      panel.set(panels),
      to.set(result),
      ...ofChannels.map((argument, i) => argument.set(given[i]!)),
      ...eachBlock(results, context, block),
      increment(first, 4 * step * form.planes.columns),
      increment(result, 4 * width),
    ]),
  ];
}

/** What a tile is made from: where its pixels, filters and results are, and how many filters there are. */
interface TileOperands extends Pick<GroupOperands, 'epilogue' | 'table'> {
  readonly ofChannels: readonly Local<'i32'>[];
  /** The first pixel of the tile's first position. */
  readonly from: Local<'i32'>;
  /** Behind the table. */
  readonly end: Local<'i32'>;
  readonly panel: Local<'i32'>;
  readonly to: Local<'i32'>;
  readonly count: number;
}

/** The code of a tile of so many filters by up to eight positions, and what moves the epilogue to the next filters. */
function tileOf(
  { module, fma, local }: KernelContext,
  { height, width }: ThinConvolution,
  { epilogue, ofChannels, from, table, end, panel, to, count }: TileOperands,
): { readonly tile: (positions: number) => readonly Statement[]; readonly advance: readonly Statement[] } {
  const [offset, filter, source] = newLocals(local, 'i32', 3);
  const sums = Array.from({ length: count }, () => newLocals(local, 'v128', 2));
  const pixels = newLocals(local, 'v128', 2);
  const [weight, finished] = newLocals(local, 'v128', 2);
  const finish = epilogueCode(module, local, epilogue, ofChannels);
  const write = (positions: number): readonly Statement[] =>
    sums.flatMap((ofFilter, r) =>
      ofFilter.flatMap((sum, i) => {
        const lanes = Math.min(4, positions - 4 * i);
        if (lanes <= 0) return [];
        const ahead = r * height * width + 4 * i;
        const { statements, value } = finish.apply(sum, r, (delta) =>
          v128.load(i32.add(to, delta), 4 * ahead),
        );
        return [...statements, finished.set(value), ...writeLanes(to, finished, lanes, ahead)];
      }),
    );
  // one product per turn: the engine loads all that a turn needs before its arithmetic, and more would not fit in registers
  const tile = (positions: number): readonly Statement[] => {
    const used = pixels.slice(0, Math.ceil(positions / 4));
    return [
      offset.set(table),
      filter.set(panel),
      ...sums.flatMap((ofFilter) => used.map((_, i) => ofFilter[i]!.set(f32x4.const(0)))),
      doWhile(
        [
          source.set(i32.add(from, i32.load(offset))),
          ...used.map((vector, i) => vector.set(v128.load(source, 16 * i))),
          ...sums.flatMap((ofFilter, r) => [
            weight.set(v128.load32Splat(filter, 4 * r)),
            ...used.map((vector, i) => ofFilter[i]!.set(multiplyAdd(fma, weight, vector, ofFilter[i]!))),
          ]),
          increment(filter, 4 * panelRows),
          increment(offset, 4),
        ],
        i32.ltU(offset, end),
      ),
      ...write(positions),
      increment(from, 4 * positions),
      increment(to, 4 * positions),
    ];
  };
  return { tile, advance: finish.advance(count, increment) };
}
