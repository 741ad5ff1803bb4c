// The filter gradient: transformed output gradients times transformed tiles, summed over the tiles of all images.

import type { Expression, Statement } from '../../assembler/code.ts';
import { forRange, increment } from '../../assembler/control.ts';
import type { Local, ModuleBuilder } from '../../assembler/module.ts';
import { newLocals } from '../../assembler/module.ts';
import { i32, minimumI32 } from '../../assembler/scalar.ts';
import { blockProduct, blockSize, roundUp } from '../blockProduct.ts';
import type { KernelContext } from '../gatherProduct.ts';
import { pixelGrid } from '../gatherProduct.ts';
import type { AxisPass, Conv2dGeometry } from '../geometry.ts';
import { conv2dName } from '../geometry.ts';
import type { Kernel, KernelOptions, Range } from '../kernel.ts';
import { partName } from '../kernel.ts';
import { tileBytes, tileColumns, tileRows } from '../microKernel.ts';
import { fillTable, lineGrid } from '../offsetTable.ts';
import type { PaddedPlane } from '../paddedSource.ts';
import { paddedPlane, sourceOf } from '../paddedSource.ts';
import { scratchLayout } from '../scratch.ts';
import { maximumTiles, tilePass } from './convolution.ts';
import { productGap } from './filters.ts';
import type { TileForm } from './gradientPanels.ts';
import { packChannels, packGradients, unpackFilters } from './gradientPanels.ts';
import { filterBytes } from './panels.ts';
import { tileProducts, tileSize } from './transforms.ts';

interface Operands {
  readonly images: Expression<'i32'>;
  readonly outputGrad: Expression<'i32'>;
  readonly weightGrad: Expression<'i32'>;
}

/**
 * The kernel (images, outputGrad, weightGrad, scratch) of the gradient with respect to 3x3 filters, for at least
 * one pixel and channel. A part is a range of output channels.
 *
 * Shapes   images [batch, channels, height, width], outputGrad [batch, outChannels, outHeight, outWidth],
 *          weightGrad [outChannels, channels, 3, 3]
 */
export function emitWinogradFilterGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  const { fma = false, part } = options;
  const exportName = conv2dName('winogradFilterGrad', geometry, fma) + partName(options);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [images, outputGrad, weightGrad, scratchPointer] = pointers;
      const scratch = scratchLayout(scratchPointer);
      const operands = { images, outputGrad, weightGrad };
      const body = filterGradient({ module, fma, scratch, local }, geometry, operands, part);
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}

/** Where a block of tiles lies: its first tile and how many. */
interface BlockPosition {
  readonly tile: Local<'i32'>;
  readonly depth: Local<'i32'>;
}

function filterGradient(
  context: KernelContext,
  geometry: Conv2dGeometry,
  { images, outputGrad, weightGrad }: Operands,
  part: Range = { from: 0, to: geometry.outChannels },
): readonly Statement[] {
  const { module, local, scratch } = context;
  const { batch, channels, outChannels, height, width, outHeight, outWidth } = geometry;
  const rows = tilePass(outHeight, geometry.padTop);
  const columns = tilePass(outWidth, geometry.padLeft);
  const tilesPerImage = rows.count * columns.count;
  const together = Math.max(1, Math.min(batch, Math.floor(maximumTiles / tilesPerImage)));
  const blockDepth = blockSize(together * tilesPerImage, maximumTiles);
  const [image, count, tiles] = newLocals(local, 'i32', 3);
  const position = { tile: local('i32'), depth: local('i32') };

  const isWhole = batch % together === 0;
  const source = tileSource(context, together, {
    plane: paddedPlane(height, width, [rows], [columns], isWhole),
    image: { channels, height, width, input: images },
    passes: [rows, columns],
    packing: packChannels,
  });
  // Tiles of the output gradient: two rows and columns, zeros behind an odd end.
  const gradientRows = { ...rows, start: 0, taps: tileSize };
  const gradientColumns = { ...columns, start: 0, taps: tileSize };
  const gradient = tileSource(context, together, {
    plane: paddedPlane(outHeight, outWidth, [gradientRows], [gradientColumns], isWhole),
    image: { channels: outChannels, height: outHeight, width: outWidth, input: outputGrad },
    passes: [gradientRows, gradientColumns],
    packing: packGradients,
  });
  const allChannels = { from: 0, to: channels };
  const left = operandPanels(context, gradient, { channels: part, lanes: tileRows }, blockDepth, position);
  const right = operandPanels(
    context,
    source,
    { channels: allChannels, lanes: tileColumns },
    blockDepth,
    position,
  );
  const filters = part.to - part.from;
  const sumStride = 4 * roundUp(channels, tileColumns);
  const sumBytes = sumStride * filters + productGap;
  const sums = scratch.region(tileProducts * sumBytes);
  const columnTable = scratch.region(sumStride);
  const edgeTile = scratch.region(tileBytes);
  const product = local('i32');
  return [
    ...source.once,
    ...gradient.once,
    fillTable(module, columnTable, lineGrid(roundUp(channels, tileColumns), 4)),
    forRange(image, 0, batch, together, [
      count.set(i32.sub(batch, image)),
      count.set(minimumI32(count, together)),
      tiles.set(i32.mul(count, tilesPerImage)),
      ...source.load(image, count),
      ...gradient.load(image, count),
      forRange(position.tile, 0, tiles, blockDepth, [
        position.depth.set(i32.sub(tiles, position.tile)),
        position.depth.set(minimumI32(position.depth, blockDepth)),
        ...left.pack,
        ...right.pack,
        forRange(product, 0, tileProducts, 1, [
          blockProduct(module, { layout: 'panel', fma: context.fma }).call(
            i32.add(left.pointer, i32.mul(product, left.productBytes)),
            i32.mul(position.depth, 4 * tileRows),
            i32.add(right.pointer, i32.mul(product, right.productBytes)),
            columnTable,
            roundUp(channels, tileColumns),
            i32.add(sums, i32.mul(product, sumBytes)),
            sumStride,
            filters,
            position.depth,
            i32.or(image, position.tile), // the first block replaces what the scratch memory held
            edgeTile,
          ),
        ]),
      ]),
    ]),
    unpackFilters(module, sumBytes, sumStride).call(
      sums,
      i32.add(weightGrad, part.from * channels * filterBytes),
      filters,
      channels,
    ),
  ];
}

/** Images and the tiles read from them. */
interface TileSourceForm {
  readonly plane: PaddedPlane;
  readonly image: {
    readonly channels: number;
    readonly height: number;
    readonly width: number;
    readonly input: Expression<'i32'>;
  };
  /** The tiles along the rows and along the columns. */
  readonly passes: readonly [AxisPass, AxisPass];
  /** Packs a panel of channels of these tiles. */
  readonly packing: typeof packChannels;
}

/** The current images of one operand, and the table of its tiles. */
interface TileSource {
  readonly pointer: Local<'i32'>;
  readonly table: Expression<'i32'>;
  readonly plane: PaddedPlane;
  readonly packing: typeof packChannels;
  readonly once: readonly Statement[];
  readonly load: (image: Expression<'i32'>, count: Expression<'i32'>) => readonly Statement[];
}

function tileSource(
  { module, scratch, local }: KernelContext,
  together: number,
  { plane, image, passes: [rows, columns], packing }: TileSourceForm,
): TileSource {
  const source = sourceOf(module, { ...image, plane, imagesTogether: together }, scratch, local);
  const table = scratch.region(4 * together * rows.count * columns.count);
  const grid = pixelGrid(plane, image.channels, together, rows, columns);
  return {
    pointer: source.pointer,
    table,
    plane,
    packing,
    once: [...source.once, fillTable(module, table, grid)],
    load: (at, count) => source.load(at, i32.mul(count, image.channels)),
  };
}

/** Transformed tiles of one operand: for every product panels [channel / lanes][tile][lanes]. */
interface OperandPanels {
  readonly pointer: Expression<'i32'>;
  readonly productBytes: number;
  readonly pack: readonly Statement[];
}

function operandPanels(
  { module, scratch, local }: KernelContext,
  { pointer: source, table, plane, packing }: TileSource,
  { channels, lanes }: { readonly channels: Range; readonly lanes: number },
  blockDepth: number,
  { tile, depth }: BlockPosition,
): OperandPanels {
  const productBytes = 4 * blockDepth * roundUp(channels.to - channels.from, lanes) + productGap;
  const pointer = scratch.region(tileProducts * productBytes);
  const [channel, panel] = newLocals(local, 'i32', 2);
  const form: TileForm = { rowBytes: 4 * plane.columns.size, planeBytes: plane.bytes, lanes, productBytes };
  return {
    pointer,
    productBytes,
    pack: [
      panel.set(pointer),
      forRange(channel, channels.from, channels.to, lanes, [
        packing(module, form).call(
          i32.add(source, i32.mul(channel, plane.bytes)),
          i32.sub(channels.to, channel),
          i32.add(table, i32.shl(tile, 2)),
          depth,
          panel,
        ),
        increment(panel, i32.mul(depth, 4 * lanes)),
      ]),
    ],
  };
}
