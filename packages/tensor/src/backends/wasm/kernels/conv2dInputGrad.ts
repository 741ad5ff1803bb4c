// The gradient of a convolution with respect to its images: a convolution of the output gradient with the
// filters turned around and their channels exchanged, in one pass per residue of the stride.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { ModuleBuilder, Subroutine } from '../assembler/module.ts';
import { integers, newLocals } from '../assembler/module.ts';
import { i32, memory } from '../assembler/scalar.ts';
import { v128 } from '../assembler/vector.ts';
import { roundUp } from './blockProduct.ts';
import type { GatherPass, KernelContext } from './gatherProduct.ts';
import { gatherProduct } from './gatherProduct.ts';
import type { AxisPass, Conv2dGeometry } from './geometry.ts';
import { axesOf, conv2dName, inputGradPasses, partOfPass, simplified } from './geometry.ts';
import type { Kernel, KernelOptions, Range } from './kernel.ts';
import { partName } from './kernel.ts';
import { tileRows } from './microKernel.ts';
import { gatherLanes } from './packing.ts';
import { scratchLayout } from './scratch.ts';
import { isWinogradFaster } from './winograd/choice.ts';
import { emitWinogradInputGrad } from './winograd/forward.ts';

/**
 * The kernel (outputGrad, weights, inputGrad, scratch) of the gradient with respect to the images. A part is a
 * range of positions along `dividedAxis` of every pass; there is none where pixels are seen by no tap.
 *
 * Shapes   outputGrad [batch, outChannels, outHeight, outWidth], weights [outChannels, channels / groups,
 *          kernelHeight, kernelWidth], inputGrad [batch, channels, height, width]
 */
export function emitConv2dInputGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  if (isWinogradFaster(geometry, 'images')) return emitWinogradInputGrad(module, geometry, options);
  const { fma = false, part } = options;
  const exportName = conv2dName('conv2dInputGrad', geometry, fma) + partName(part);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [outputGrad, weights, inputGrad, scratchPointer] = pointers;
      const scratch = scratchLayout(scratchPointer);
      const operands = { outputGrad, weights, inputGrad };
      const body = inputGradient({ module, fma, scratch, local }, simplified(geometry), operands, part);
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}

interface Operands {
  readonly outputGrad: Expression<'i32'>;
  readonly weights: Expression<'i32'>;
  readonly inputGrad: Expression<'i32'>;
}

function inputGradient(
  context: KernelContext,
  geometry: Conv2dGeometry,
  { outputGrad, weights, inputGrad }: Operands,
  part: Range | undefined,
): readonly Statement[] {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, groups } = geometry;
  const zeros = memory.fill(inputGrad, 0, 4 * batch * channels * height * width);
  const axes = axesOf(geometry);
  const columnPasses = inputGradPasses(axes.columns);
  const allPasses = inputGradPasses(axes.rows).flatMap((rows) =>
    columnPasses.map((columns) => ({ rows, columns })),
  );
  const passes = allPasses.filter(({ rows, columns }) => rows.taps * columns.taps > 0);
  if (batch * channels * outChannels * outHeight * outWidth * passes.length === 0) return [zeros];

  const prepared = passes
    .map((pass) => partOfPass(pass, part))
    .filter(({ rows, columns }) => rows.count * columns.count > 0)
    .map(({ rows, columns }) => turnedFilters(context, geometry, weights, rows, columns));
  return [
    // Pixels that no tap sees belong to passes without taps: their gradient is zero.
    ...(passes.length < allPasses.length ? [zeros] : []),
    ...prepared.flatMap(({ statements }) => statements),
    ...gatherProduct(context, {
      batch,
      groups,
      source: { channels: outChannels, height: outHeight, width: outWidth },
      result: { channels, height, width },
      passes: prepared.map(({ pass }) => pass),
      input: outputGrad,
      output: inputGrad,
    }),
  ];
}

/** The filters of one pass as panels [input channel / 4][output channel, row tap, column tap][4]. */
function turnedFilters(
  { module, scratch, local }: KernelContext,
  geometry: Conv2dGeometry,
  weights: Expression<'i32'>,
  rows: AxisPass,
  columns: AxisPass,
): { readonly pass: GatherPass; readonly statements: readonly Statement[] } {
  const { groups, kernelHeight, kernelWidth } = geometry;
  const channels = geometry.channels / groups;
  const outChannels = geometry.outChannels / groups;
  const area = kernelHeight * kernelWidth;
  const taps = Array.from({ length: rows.taps }, (_r, row) =>
    Array.from(
      { length: columns.taps },
      (_c, column) =>
        (rows.filterStart + row * rows.filterStep) * kernelWidth +
        columns.filterStart +
        column * columns.filterStep,
    ),
  ).flat();
  const panelBytes = 4 * tileRows * outChannels * taps.length;
  const groupStride = (panelBytes * roundUp(channels, tileRows)) / tileRows;
  const panels = scratch.region(groups * groupStride);
  const [group, channel, source, panel] = newLocals(local, 'i32', 4);
  const whole = channels - (channels % tileRows);
  const pack = (width: number): Statement =>
    turnFilters(module, taps, area, width).call(source, 4 * channels * area, outChannels, panel);
  const filters = {
    layout: 'panel',
    pointer: panels,
    stride: panelBytes,
    step: 4 * tileRows,
    groupStride,
  } as const;
  return {
    pass: { rows, columns, filters },
    statements: [
      panel.set(panels),
      forRange(group, 0, groups, 1, [
        source.set(i32.add(weights, i32.mul(group, 4 * outChannels * channels * area))),
        forRange(channel, 0, whole, tileRows, [
          pack(tileRows),
          increment(source, 4 * tileRows * area),
          increment(panel, panelBytes),
        ]),
        ...(whole < channels ? [pack(channels - whole), increment(panel, panelBytes)] : []),
      ]),
    ],
  };
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
      const channels = Array.from({ length: tileRows }, (_, channel) => Math.min(channel, width - 1));
      const sources = channels.map(() => source);
      return [
        forRange(filter, 0, filters, 1, [
          ...taps.map((tap, at) => {
            const offsets = channels.map((channel) => 4 * (channel * area + tap));
            return v128.store(panel, gatherLanes(sources, offsets), 16 * at);
          }),
          increment(source, stride),
          increment(panel, 4 * tileRows * taps.length),
        ]),
      ];
    }),
  );
}
