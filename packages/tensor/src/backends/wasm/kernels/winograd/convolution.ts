// Winograd's convolution as products of transformed filters with transformed tiles, block by block of tiles.

import type { Epilogue } from '../../../../graph/epilogues.ts';
import type { Expression, Statement } from '../../assembler/code.ts';
import { forRange, ifElse, increment } from '../../assembler/control.ts';
import type { Local } from '../../assembler/module.ts';
import { newLocals } from '../../assembler/module.ts';
import { i32, minimumI32 } from '../../assembler/scalar.ts';
import { blockProduct, blockSize, maximumBlockDepth, roundUp, walkFor } from '../blockProduct.ts';
import { epilogueArguments } from '../epilogue.ts';
import type { ImageShape, KernelContext } from '../gatherProduct.ts';
import { pixelGrid } from '../gatherProduct.ts';
import type { AxisPass } from '../geometry.ts';
import { partOfPass } from '../geometry.ts';
import type { Range } from '../kernel.ts';
import { rowsOfTile, tileBytes, tileColumns } from '../microKernel.ts';
import { fillTable } from '../offsetTable.ts';
import { copyRows } from '../packing.ts';
import { paddedPlane, sourceOf } from '../paddedSource.ts';
import type { ConvolutionTiles } from './convolutionTiles.ts';
import { productBytes, rowBytes } from './filters.ts';
import { packTiles, panelForm, unpackTiles } from './panels.ts';
import { productGap } from './transforms.ts';

/** A convolution of images with 3x3 filters, one pixel at a time. */
export interface WinogradConvolution {
  readonly form: ConvolutionTiles;
  readonly batch: number;
  readonly source: ImageShape;
  readonly result: ImageShape;
  /** Zeros before the first row and column; negative where pixels are left out. */
  readonly padTop: number;
  readonly padLeft: number;
  /** Transformed filters, as `packWinogradFilters` writes them. */
  readonly panels: Expression<'i32'>;
  /** The rows of tiles that are computed; all without it. */
  readonly part: Range | undefined;
  /** The result channels that are computed, from a multiple of four on; all without it. A range is for a single image. */
  readonly channels: Range | undefined;
  readonly input: Expression<'i32'>;
  readonly output: Expression<'i32'>;
  /** What is done to every result before it is stored, and the kernel's further inputs. */
  readonly epilogue: Epilogue | undefined;
  readonly operands: readonly Expression<'i32'>[];
}

/** The pass of the tiles along one dimension of the result. */
export function tilePass(
  resultSize: number,
  padBefore: number,
  { size, reach }: { readonly size: number; readonly reach: number },
): AxisPass {
  return {
    count: Math.ceil(resultSize / size),
    start: -padBefore,
    step: size,
    taps: reach,
    tapStep: 1,
    resultStart: 0,
    resultStep: size,
    filterStart: 0,
    filterStep: 1,
  };
}

/** Tiles that images are taken together for, and most tiles of a block. */
export const maximumTiles = 128;

/** Most bytes of the transformed tiles and products of a block: twice the second-level cache. */
const maximumBlockBytes = 2 ** 21;

/** Most result channels whose sums are kept at a time; the pixels are transformed once for all of them where one block takes their depth. */
const maximumBlockChannels = 132;

interface Blocks {
  readonly together: number;
  readonly tilesPerImage: number;
  readonly tiles: number;
  readonly depth: number;
  readonly channels: number;
}

/** The result channels that are computed, and how many. */
function computedOf({ result, channels }: WinogradConvolution): Range & { readonly count: number } {
  const { from, to } = channels ?? { from: 0, to: result.channels };
  return { from, to, count: to - from };
}

function blocksOf(convolution: WinogradConvolution, tilesPerImage: number): Blocks {
  const { batch, source, form } = convolution;
  const together = Math.max(1, Math.min(batch, Math.floor(maximumTiles / tilesPerImage)));
  const depth = blockSize(source.channels, maximumBlockDepth);
  const { count } = computedOf(convolution);
  const channels =
    depth < source.channels ? count : blockSize(count, maximumBlockChannels, rowsOfTile('rows'));
  const bytesPerTile = 4 * form.reach ** 2 * (depth + channels);
  const fitting = tileColumns * Math.floor(maximumBlockBytes / bytesPerTile / tileColumns);
  const most = Math.max(2 * tileColumns, Math.min(maximumTiles, fitting));
  const tiles = blockSize(together * tilesPerImage, most, tileColumns);
  return { together, tilesPerImage, tiles, depth, channels };
}

/** The statements of a Winograd convolution with at least one pixel, channel and filter. */
export function winogradConvolution(
  context: KernelContext,
  convolution: WinogradConvolution,
): readonly Statement[] {
  const { module, scratch, local } = context;
  const { form, batch, source, result, input, padTop, padLeft } = convolution;
  const whole = {
    rows: tilePass(result.height, padTop, form),
    columns: tilePass(result.width, padLeft, form),
  };
  const { rows, columns } = partOfPass(whole, convolution.part);
  const blocks = blocksOf(convolution, rows.count * columns.count);
  const { together, tilesPerImage } = blocks;
  const plane = paddedPlane(source.height, source.width, [rows], [columns], batch % together === 0);
  const images = sourceOf(module, { ...source, plane, imagesTogether: together, input }, scratch, local);
  const results = evenResult(context, convolution, together, rows);
  const [image, count, tiles] = newLocals(local, 'i32', 3);
  const computed = computedOf(convolution);
  const filters = {
    pointer: i32.add(convolution.panels, computed.from * rowBytes(source.channels)),
    productBytes: productBytes(source.channels, result.channels),
  };
  const allTiles = roundUp(together * tilesPerImage, tileColumns);
  const tileTable = scratch.region(4 * allTiles);
  const resultTable = scratch.region(4 * allTiles);
  const resultGrid = {
    base: 0,
    dimensions: [
      { count: together, stride: results.channels * results.planeBytes },
      { count: rows.count, stride: form.size * results.rowBytes },
      { count: columns.count, stride: 4 * form.size },
    ],
  } as const;
  const multiply = productOfTiles(context, convolution, blocks, {
    filters,
    source: images.pointer,
    plane: { rowBytes: 4 * plane.columns.size, planeBytes: plane.bytes },
    results,
    tables: { tileTable, resultTable },
    tiles,
  });
  return [
    ...images.once,
    fillTable(module, tileTable, pixelGrid(plane, source.channels, together, rows, columns), tileColumns),
    fillTable(module, resultTable, resultGrid, tileColumns),
    forRange(image, 0, batch, together, [
      count.set(i32.sub(batch, image)),
      count.set(minimumI32(count, together)),
      tiles.set(i32.mul(count, tilesPerImage)),
      ...images.load(image, i32.mul(count, source.channels)),
      ...results.begin(image),
      ...multiply,
      ...results.finish(i32.mul(count, results.channels)),
    ]),
  ];
}

/** Where the tiles of the current images go. */
interface Result {
  readonly pointer: Local<'i32'>;
  /** Planes from one image to the next. */
  readonly channels: number;
  readonly rowBytes: number;
  readonly planeBytes: number;
  readonly begin: (image: Expression<'i32'>) => readonly Statement[];
  readonly finish: (planes: Expression<'i32'>) => readonly Statement[];
}

/** The output itself where tiles cover it exactly, else planes of whole tiles that are copied into it. */
function evenResult(
  { module, scratch, local }: KernelContext,
  convolution: WinogradConvolution,
  together: number,
  { resultStart, count }: AxisPass,
): Result {
  const { form, result, output } = convolution;
  const { channels, height, width } = result;
  const computed = computedOf(convolution);
  const pointer = local('i32');
  const rowBytes = 4 * roundUp(width, form.size);
  const firstPixel = (image: Expression<'i32'>): Expression<'i32'> =>
    i32.add(
      i32.add(output, i32.mul(image, 4 * channels * height * width)),
      4 * (computed.from * height + resultStart) * width,
    );
  if (width % form.size === 0 && height % form.size === 0) {
    const begin = (image: Expression<'i32'>): readonly Statement[] => [pointer.set(firstPixel(image))];
    return { pointer, channels, rowBytes, planeBytes: 4 * height * width, begin, finish: () => [] };
  }
  const planeBytes = rowBytes * form.size * count;
  const rows = Math.min(form.size * count, height - resultStart);
  const region = scratch.region(together * computed.count * planeBytes);
  const [at, from, to] = newLocals(local, 'i32', 3);
  return {
    pointer,
    channels: computed.count,
    rowBytes,
    planeBytes,
    begin: (image) => [pointer.set(region), to.set(firstPixel(image))],
    finish: (planes) => [
      from.set(pointer),
      forRange(at, 0, planes, 1, [
        copyRows(module).call(from, rowBytes, to, 4 * width, rows, width),
        increment(from, planeBytes),
        increment(to, 4 * height * width),
      ]),
    ],
  };
}

/** What the products of the tiles read and write. */
interface TileOperands {
  readonly filters: { readonly pointer: Expression<'i32'>; readonly productBytes: number };
  readonly source: Expression<'i32'>;
  readonly plane: { readonly rowBytes: number; readonly planeBytes: number };
  readonly results: Result;
  readonly tables: { readonly tileTable: Expression<'i32'>; readonly resultTable: Expression<'i32'> };
  /** Tiles of this turn. */
  readonly tiles: Local<'i32'>;
}

/** Multiplies the tiles of a turn, block by block. */
function productOfTiles(
  { module, fma, scratch, local }: KernelContext,
  convolution: WinogradConvolution,
  blocks: Blocks,
  { filters, source: images, plane, results, tables, tiles }: TileOperands,
): readonly Statement[] {
  const { form, source, output, epilogue, operands } = convolution;
  const tileProducts = form.reach ** 2;
  const computed = computedOf(convolution);
  const panels = blocks.tiles / tileColumns;
  const { stepBytes, panelBytes } = panelForm(form);
  const channelBytes = panels * panelBytes + productGap;
  const pixels = scratch.region(panels * blocks.depth * stepBytes);
  const sums = scratch.region(blocks.channels * channelBytes);
  const columnTable = scratch.region(4 * blocks.tiles);
  const edgeTile = scratch.region(tileBytes);
  const [tile, width, wholeWidth, step, steps, within, panel, product] = newLocals(local, 'i32', 8);
  const [channel, channels] = newLocals(local, 'i32', 2);
  const entry = (table: Expression<'i32'>, at: Expression<'i32'>): Expression<'i32'> =>
    i32.add(table, i32.shl(at, 2));
  const pack = packTiles(module, form, plane.rowBytes);
  const unpack = unpackTiles(module, form, {
    channelBytes,
    rowBytes: results.rowBytes,
    epilogue,
  });
  const multiply = blockProduct(module, {
    layout: 'rows',
    fma,
    walk: walkFor(blocks.channels, blocks.depth),
    stepBytes,
  });
  const columnGrid = {
    base: 0,
    dimensions: [
      { count: 1, stride: 0 },
      { count: panels, stride: panelBytes },
      { count: tileColumns, stride: 4 },
    ],
  } as const;
  const packPanels = [
    panel.set(pixels),
    forRange(within, 0, width, tileColumns, [
      pack.call(
        i32.add(images, i32.mul(step, plane.planeBytes)),
        entry(tables.tileTable, i32.add(tile, within)),
        plane.planeBytes,
        steps,
        panel,
      ),
      increment(panel, i32.mul(steps, stepBytes)),
    ]),
  ];
  const filtersAt = i32.add(
    i32.add(filters.pointer, i32.mul(channel, rowBytes(source.channels))),
    i32.add(i32.mul(product, filters.productBytes), i32.mul(step, 4)),
  );
  const multiplyPanels = forRange(product, 0, tileProducts, 1, [
    multiply.call(
      filtersAt,
      rowBytes(source.channels),
      i32.add(pixels, i32.mul(product, 4 * tileColumns)),
      columnTable,
      wholeWidth,
      i32.add(sums, i32.mul(product, 4 * tileColumns)),
      channelBytes,
      channels,
      steps,
      step,
      edgeTile,
    ),
  ]);
  return [
    fillTable(module, columnTable, columnGrid),
    forRange(tile, 0, tiles, blocks.tiles, [
      width.set(i32.sub(tiles, tile)),
      width.set(minimumI32(width, blocks.tiles)),
      // Tiles up to a whole panel are multiplied too, so that no product has an edge.
      wholeWidth.set(i32.and(i32.add(width, tileColumns - 1), -tileColumns)),
      forRange(channel, 0, computed.count, blocks.channels, [
        channels.set(i32.sub(computed.count, channel)),
        channels.set(minimumI32(channels, blocks.channels)),
        forRange(step, 0, source.channels, blocks.depth, [
          steps.set(i32.sub(source.channels, step)),
          steps.set(minimumI32(steps, blocks.depth)),
          ifElse(i32.eqz(channel), packPanels),
          multiplyPanels,
        ]),
        unpack.call(
          sums,
          entry(tables.resultTable, tile),
          width,
          i32.add(results.pointer, i32.mul(channel, results.planeBytes)),
          i32.const(results.planeBytes),
          channels,
          ...epilogueArguments(epilogue, operands, output, i32.add(channel, computed.from)),
        ),
      ]),
    ]),
  ];
}
