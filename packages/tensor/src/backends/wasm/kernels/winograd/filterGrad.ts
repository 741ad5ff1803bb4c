// The filter gradient: transformed output gradients times transformed tiles, summed over the tiles of all images.

import type { Expression, Statement } from '../../assembler/code.ts';
import { forRange, increment } from '../../assembler/control.ts';
import type { Local, ModuleBuilder } from '../../assembler/module.ts';
import { newLocals } from '../../assembler/module.ts';
import { i32, minimumI32 } from '../../assembler/scalar.ts';
import { blockProduct, blockSize, roundUp, walkFor } from '../blockProduct.ts';
import type { KernelContext } from '../gatherProduct.ts';
import { pixelGrid } from '../gatherProduct.ts';
import type { AxisPass, Conv2dGeometry } from '../geometry.ts';
import { conv2dName } from '../geometry.ts';
import type { Kernel, KernelOptions, Range } from '../kernel.ts';
import { partName } from '../kernel.ts';
import { panelRows, tileBytes, tileColumns } from '../microKernel.ts';
import { fillTable, lineGrid } from '../offsetTable.ts';
import type { PaddedPlane } from '../paddedSource.ts';
import { paddedPlane, sourceOf } from '../paddedSource.ts';
import { scratchLayout } from '../scratch.ts';
import { maximumTiles, tilePass } from './convolution.ts';
import type { TileForm } from './gradientPanels.ts';
import { packChannels, packGradients, unpackFilters } from './gradientPanels.ts';
import type { GradientTiles } from './gradientTiles.ts';
import { gradientTilesFor } from './gradientTiles.ts';
import { filterBytes } from './panels.ts';
import { productGap } from './transforms.ts';

/**
 * Most tiles of one block of the products, their depth. Every further block reads the sums again, which do not stay in the
 * cache: for 196 tiles of 256 channels two blocks take 5 % longer than one.
 */
const maximumDepth = 256;

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
  gradientTiles: GradientTiles = gradientTilesFor(geometry),
): Kernel {
  const { fma = false, part } = options;
  const { size } = gradientTiles;
  const exportName = conv2dName(`winogradFilterGrad ${size}x${size}`, geometry, fma) + partName(options);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [images, outputGrad, weightGrad, scratchPointer] = pointers;
      const scratch = scratchLayout(scratchPointer);
      const operands = { images, outputGrad, weightGrad };
      const body = filterGradient({ module, fma, scratch, local }, geometry, operands, gradientTiles, part);
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
  gradientTiles: GradientTiles,
  part: Range = { from: 0, to: geometry.outChannels },
): readonly Statement[] {
  const { module, local, scratch } = context;
  const { batch, channels, outChannels, height, width, outHeight, outWidth } = geometry;
  const { size, reach } = gradientTiles;
  const rows = tilePass(outHeight, geometry.padTop, gradientTiles);
  const columns = tilePass(outWidth, geometry.padLeft, gradientTiles);
  const tilesPerImage = rows.count * columns.count;
  const together = Math.max(1, Math.min(batch, Math.floor(maximumTiles / tilesPerImage)));
  const blockDepth = blockSize(together * tilesPerImage, maximumDepth);
  const [image, count, tiles] = newLocals(local, 'i32', 3);
  const position = { tile: local('i32'), depth: local('i32') };

  const tileProducts = reach ** 2;
  const isWhole = batch % together === 0;
  const source = tileSource(context, together, {
    plane: paddedPlane(height, width, [rows], [columns], isWhole),
    image: { channels, height, width, input: images },
    passes: [rows, columns],
    gradientTiles,
    packing: packChannels,
  });
  // Tiles of the output gradient, zeros behind an end that is no whole tile.
  const gradientRows = { ...rows, start: 0, taps: size };
  const gradientColumns = { ...columns, start: 0, taps: size };
  const gradient = tileSource(context, together, {
    plane: paddedPlane(outHeight, outWidth, [gradientRows], [gradientColumns], isWhole),
    image: { channels: outChannels, height: outHeight, width: outWidth, input: outputGrad },
    passes: [gradientRows, gradientColumns],
    gradientTiles,
    packing: packGradients,
  });
  const allChannels = { from: 0, to: channels };
  const left = operandPanels(context, gradient, { channels: part, lanes: panelRows }, blockDepth, position);
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
          blockProduct(module, {
            layout: 'panel',
            fma: context.fma,
            walk: walkFor(filters, blockDepth),
          }).call(
            i32.add(left.pointer, i32.mul(product, left.productBytes)),
            i32.mul(position.depth, 4 * panelRows),
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
    unpackFilters(module, gradientTiles, sumBytes, sumStride).call(
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
  readonly gradientTiles: GradientTiles;
  /** Packs a panel of channels of these tiles. */
  readonly packing: typeof packChannels;
}

/** The current images of one operand, and the table of its tiles. */
interface TileSource {
  readonly pointer: Local<'i32'>;
  readonly table: Expression<'i32'>;
  readonly plane: PaddedPlane;
  readonly gradientTiles: GradientTiles;
  readonly packing: typeof packChannels;
  readonly once: readonly Statement[];
  readonly load: (image: Expression<'i32'>, count: Expression<'i32'>) => readonly Statement[];
}

function tileSource(
  { module, scratch, local }: KernelContext,
  together: number,
  { plane, image, passes: [rows, columns], gradientTiles, packing }: TileSourceForm,
): TileSource {
  const source = sourceOf(module, { ...image, plane, imagesTogether: together }, scratch, local);
  const table = scratch.region(4 * together * rows.count * columns.count);
  const grid = pixelGrid(plane, image.channels, together, rows, columns);
  return {
    pointer: source.pointer,
    table,
    plane,
    gradientTiles,
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
  { pointer: source, table, plane, gradientTiles, packing }: TileSource,
  { channels, lanes }: { readonly channels: Range; readonly lanes: number },
  blockDepth: number,
  { tile, depth }: BlockPosition,
): OperandPanels {
  const productBytes = 4 * blockDepth * roundUp(channels.to - channels.from, lanes) + productGap;
  const pointer = scratch.region(gradientTiles.reach ** 2 * productBytes);
  const [channel, panel] = newLocals(local, 'i32', 2);
  const form: TileForm = { rowBytes: 4 * plane.columns.size, planeBytes: plane.bytes, lanes, productBytes };
  return {
    pointer,
    productBytes,
    pack: [
      panel.set(pointer),
      forRange(channel, channels.from, channels.to, lanes, [
        packing(module, gradientTiles, form).call(
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
