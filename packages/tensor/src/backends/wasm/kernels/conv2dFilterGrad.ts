// The gradient of a convolution with respect to its weights: output gradients times gathered pixels, summed over
// the pixels of all images in order.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32, memory, minimumI32 } from '../assembler/scalar.ts';
import { blockProduct, blockSize, maximumBlockColumns, maximumBlockDepth, roundUp } from './blockProduct.ts';
import type { KernelContext } from './gatherProduct.ts';
import { pixelGrid, tapGrid } from './gatherProduct.ts';
import type { Conv2dGeometry } from './geometry.ts';
import { axesOf, conv2dName, forwardPass, imagesTogether, simplified } from './geometry.ts';
import type { Kernel, KernelOptions, Range } from './kernel.ts';
import { partName } from './kernel.ts';
import type { LeftLayout } from './microKernel.ts';
import { panelRows, tileBytes, tileColumns } from './microKernel.ts';
import { fillTable, lineGrid } from './offsetTable.ts';
import { transposePanel } from './packing.ts';
import { paddedPlane, sourceOf } from './paddedSource.ts';
import { packTaps } from './pixelPanels.ts';
import { scratchLayout } from './scratch.ts';
import { areGroupsThin } from './thinGroups.ts';
import { emitThinFilterGrad } from './thinGroupsFilterGrad.ts';
import { isWinogradFaster } from './winograd/choice.ts';
import { emitWinogradFilterGrad } from './winograd/filterGrad.ts';

/**
 * The kernel (images, outputGrad, weightGrad, scratch) of the gradient with respect to the weights. A part is a
 * range of taps (channel, row, column) of every group's filters.
 *
 * Shapes   images [batch, channels, height, width], outputGrad [batch, outChannels, outHeight, outWidth],
 *          weightGrad [outChannels, channels / groups, kernelHeight, kernelWidth]
 */
export function emitConv2dFilterGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  if (isWinogradFaster(geometry, 'output')) return emitWinogradFilterGrad(module, geometry, options);
  if (areGroupsThin(geometry)) return emitThinFilterGrad(module, geometry, options);
  const { fma = false, part } = options;
  const exportName = conv2dName('conv2dFilterGrad', geometry, fma) + partName(options);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [images, outputGrad, weightGrad, scratchPointer] = pointers;
      const scratch = scratchLayout(scratchPointer);
      const operands = { images, outputGrad, weightGrad };
      const body = filterGradient({ module, fma, scratch, local }, simplified(geometry), operands, part);
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}

interface Operands {
  readonly images: Expression<'i32'>;
  readonly outputGrad: Expression<'i32'>;
  readonly weightGrad: Expression<'i32'>;
}

/** The sizes of one group's product: weight gradient [rows, columns] summed over pixels. */
interface GroupShape {
  /** Images per turn, and their pixels per image. */
  readonly together: number;
  readonly pixelsPerImage: number;
  /** Output channels and taps (channel, row, column) of a group. */
  readonly rows: number;
  readonly columns: number;
  /** The columns that the kernel computes. */
  readonly part: Range;
  /** Most pixels of one block; with several images together a block is all their pixels. */
  readonly blockDepth: number;
  readonly blockColumns: number;
}

function groupShape(geometry: Conv2dGeometry, part: Range | undefined): GroupShape {
  const { batch, channels, outChannels, groups, kernelHeight, kernelWidth, outHeight, outWidth } = geometry;
  const pixelsPerImage = outHeight * outWidth;
  const together = imagesTogether(batch, pixelsPerImage);
  const columns = (channels / groups) * kernelHeight * kernelWidth;
  const { from, to } = part ?? { from: 0, to: columns };
  return {
    together,
    part: { from, to },
    pixelsPerImage,
    rows: outChannels / groups,
    columns,
    // Multiples of four keep groups of four pixels inside their row where rows allow it.
    blockDepth: together > 1 ? together * pixelsPerImage : blockSize(pixelsPerImage, maximumBlockDepth, 4),
    blockColumns: blockSize(to - from, maximumBlockColumns, tileColumns),
  };
}

/** Where a turn of the loops stands. */
interface Position {
  /** First image of the turn, and images in it. */
  readonly image: Local<'i32'>;
  readonly count: Local<'i32'>;
  readonly group: Local<'i32'>;
  /** First pixel of the block, and pixels in it. */
  readonly pixel: Local<'i32'>;
  readonly depth: Local<'i32'>;
  /** First column of the block, and columns in it. */
  readonly column: Local<'i32'>;
  readonly width: Local<'i32'>;
}

function filterGradient(
  context: KernelContext,
  geometry: Conv2dGeometry,
  { images, outputGrad, weightGrad }: Operands,
  part: Range | undefined,
): readonly Statement[] {
  const { module, scratch, local } = context;
  const { batch, channels, height, width: imageWidth, outChannels, groups } = geometry;
  const shape = groupShape(geometry, part);
  const { together, pixelsPerImage, rows, columns, blockDepth } = shape;
  if (outChannels * columns === 0) return [];
  const zeros = memory.fill(weightGrad, 0, 4 * outChannels * columns);
  if (batch * pixelsPerImage === 0) return [zeros];

  const axes = axesOf(geometry);
  const rowPass = forwardPass(axes.rows);
  const columnPass = forwardPass(axes.columns);
  const plane = paddedPlane(height, imageWidth, [rowPass], [columnPass], batch % together === 0);
  const source = sourceOf(
    module,
    { plane, channels, height, width: imageWidth, imagesTogether: together, input: images },
    scratch,
    local,
  );
  const pixelTable = scratch.region(4 * together * pixelsPerImage);
  const tapTable = scratch.region(4 * roundUp(columns, tileColumns));
  const resultTable = scratch.region(4 * roundUp(columns, tileColumns));
  const [image, count, group, pixel, depth, column, width] = newLocals(local, 'i32', 7);
  const allPixels = local('i32');
  const position = { image, count, group, pixel, depth, column, width };
  const gradient = gradientRows(context, geometry, shape, outputGrad, position);
  const columnBlocks = productOfBlocks(context, shape, position, {
    gradient,
    source: i32.add(source.pointer, i32.mul(group, (channels / groups) * plane.bytes)),
    result: i32.add(weightGrad, i32.mul(group, 4 * rows * columns)),
    tables: { pixelTable, tapTable, resultTable },
  });
  return [
    ...source.once,
    fillTable(module, pixelTable, pixelGrid(plane, channels, together, rowPass, columnPass)),
    fillTable(module, tapTable, tapGrid(plane, channels / groups, rowPass, columnPass), tileColumns),
    fillTable(module, resultTable, lineGrid(columns, 4)),
    forRange(image, 0, batch, together, [
      count.set(i32.sub(batch, image)),
      count.set(minimumI32(count, together)),
      allPixels.set(i32.mul(count, pixelsPerImage)),
      ...source.load(image, i32.mul(count, channels)),
      forRange(group, 0, groups, 1, [
        forRange(pixel, 0, allPixels, blockDepth, [
          depth.set(i32.sub(allPixels, pixel)),
          depth.set(minimumI32(depth, blockDepth)),
          ...gradient.prepare,
          columnBlocks,
        ]),
      ]),
    ]),
  ];
}

/** What the products of one block of pixels read and write. */
interface BlockOperands {
  readonly gradient: GradientRows;
  /** The first plane of the group, and its weight gradient. */
  readonly source: Expression<'i32'>;
  readonly result: Expression<'i32'>;
  readonly tables: {
    readonly pixelTable: Expression<'i32'>;
    readonly tapTable: Expression<'i32'>;
    readonly resultTable: Expression<'i32'>;
  };
}

/** Adds the products of a block of pixels to the weight gradient, block by block of its columns. */
function productOfBlocks(
  { module, fma, scratch, local }: KernelContext,
  { rows, columns, part, blockDepth, blockColumns }: GroupShape,
  { image, pixel, depth, column, width }: Position,
  { gradient, source, result, tables: { pixelTable, tapTable, resultTable } }: BlockOperands,
): Statement {
  const tile = scratch.region(tileBytes);
  const block = scratch.region(4 * blockDepth * blockColumns);
  const [within, panel] = newLocals(local, 'i32', 2);
  const entry = (table: Expression<'i32'>, at: Expression<'i32'>): Expression<'i32'> =>
    i32.add(table, i32.shl(at, 2));
  const pixels = entry(pixelTable, pixel);
  return forRange(column, part.from, part.to, blockColumns, [
    width.set(i32.sub(part.to, column)),
    width.set(minimumI32(width, blockColumns)),
    panel.set(block),
    forRange(within, 0, width, tileColumns, [
      packTaps(module).call(source, entry(tapTable, i32.add(column, within)), pixels, depth, panel),
      increment(panel, i32.mul(depth, 4 * tileColumns)),
    ]),
    blockProduct(module, { layout: gradient.layout, fma }).call(
      gradient.pointer,
      gradient.stride,
      block,
      entry(resultTable, column),
      width,
      result,
      4 * columns,
      rows,
      depth,
      i32.or(image, pixel), // the first block replaces what the weight gradient held
      tile,
    ),
  ]);
}

/** The output gradient of a block of pixels as the tiles read it. */
interface GradientRows {
  readonly layout: LeftLayout;
  readonly pointer: Expression<'i32'>;
  readonly stride: Expression<'i32'>;
  readonly prepare: readonly Statement[];
}

/** Rows in place for one image; panels of all pixels for several, whose rows do not follow one another. */
function gradientRows(
  { module, scratch, local }: KernelContext,
  geometry: Conv2dGeometry,
  { together, pixelsPerImage, rows, blockDepth }: GroupShape,
  outputGrad: Expression<'i32'>,
  { image, count, group, pixel, depth }: Position,
): GradientRows {
  const imageBytes = 4 * geometry.outChannels * pixelsPerImage;
  const first = i32.add(
    outputGrad,
    i32.add(i32.mul(image, imageBytes), i32.mul(group, 4 * rows * pixelsPerImage)),
  );
  if (together === 1) {
    const pointer = i32.add(first, i32.shl(pixel, 2));
    return { layout: 'rows', pointer, stride: i32.const(4 * pixelsPerImage), prepare: [] };
  }
  const panels = scratch.region(4 * blockDepth * roundUp(rows, panelRows));
  const [row, at, source, panel, rowSource] = newLocals(local, 'i32', 5);
  return {
    layout: 'panel',
    pointer: panels,
    stride: i32.mul(depth, 4 * panelRows),
    prepare: [
      panel.set(panels),
      rowSource.set(first),
      forRange(row, 0, rows, panelRows, [
        source.set(rowSource),
        forRange(at, 0, count, 1, [
          transposePanel(module, 1).call(
            source,
            4 * pixelsPerImage,
            i32.sub(rows, row),
            panel,
            pixelsPerImage,
          ),
          increment(source, imageBytes),
          increment(panel, 4 * panelRows * pixelsPerImage),
        ]),
        increment(rowSource, 4 * panelRows * pixelsPerImage),
      ]),
    ],
  };
}
