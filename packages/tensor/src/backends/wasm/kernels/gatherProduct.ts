// Convolution as a product of filters with gathered pixels, in one or several passes over the result.
//
// A forward convolution is one pass. An input gradient is one pass per residue of the stride. Both read a padded
// source through tables of offsets, pack blocks of pixels and multiply them with the filters.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, ifElse, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32, minimumI32 } from '../assembler/scalar.ts';
import {
  blockProduct,
  blockSize,
  finishingProduct,
  maximumBlockColumns,
  maximumBlockDepth,
  roundUp,
} from './blockProduct.ts';
import { epilogueArguments } from './epilogue.ts';
import type { AxisPass } from './geometry.ts';
import { imagesTogether } from './geometry.ts';
import type { Range } from './kernel.ts';
import type { LeftLayout } from './microKernel.ts';
import { panelRows, tileBytes, tileColumns } from './microKernel.ts';
import type { OffsetGrid } from './offsetTable.ts';
import { fillTable, gridCount } from './offsetTable.ts';
import type { PaddedPlane, Source } from './paddedSource.ts';
import { paddedPlane, sourceOf } from './paddedSource.ts';
import { packPixels } from './pixelPanels.ts';
import type { Scratch } from './scratch.ts';

/** The channels and size of the images on one side of a convolution. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The filters of a pass as the tiles read them; the depth runs over (source channel, row tap, column tap). */
interface PassFilters {
  readonly layout: LeftLayout;
  readonly pointer: Expression<'i32'>;
  /** Bytes from filter to filter (`rows`) or from panel to panel (`panel`). */
  readonly stride: number;
  /** Bytes from one depth step to the next. */
  readonly step: number;
  /** Bytes from one group to the next. */
  readonly groupStride: number;
}

/** The positions and taps of a pass, and its filters. */
export interface GatherPass {
  readonly rows: AxisPass;
  readonly columns: AxisPass;
  readonly filters: PassFilters;
}

/** A convolution in gathered form; every pass has at least one tap and one position. */
export interface GatherProduct {
  readonly batch: number;
  readonly groups: number;
  readonly source: ImageShape;
  readonly result: ImageShape;
  readonly passes: readonly GatherPass[];
  /** The result channels that are computed, from a multiple of four on; all without it. A range is for a single group. */
  readonly channels?: Range | undefined;
  readonly input: Expression<'i32'>;
  readonly output: Expression<'i32'>;
  /** What is done to every result before it is stored, and the kernel's further inputs. */
  readonly epilogue?: Epilogue | undefined;
  readonly operands?: readonly Expression<'i32'>[];
}

/** What the code of a kernel is made with. */
export interface KernelContext {
  readonly module: ModuleBuilder;
  readonly fma: boolean;
  readonly scratch: Scratch;
  readonly local: NewLocal;
}

/** The offsets of the pixels that the positions of a pass read, for `images` images. */
export function pixelGrid(
  plane: PaddedPlane,
  channels: number,
  images: number,
  rows: AxisPass,
  columns: AxisPass,
): OffsetGrid {
  const rowBytes = 4 * plane.columns.size;
  return {
    base: (rows.start + plane.rows.before) * rowBytes + 4 * (columns.start + plane.columns.before),
    dimensions: [
      { count: images, stride: channels * plane.bytes },
      { count: rows.count, stride: rows.step * rowBytes },
      { count: columns.count, stride: 4 * columns.step },
    ],
  };
}

/** The offsets of the taps of a pass, relative to the pixel of the first tap. */
export function tapGrid(plane: PaddedPlane, channels: number, rows: AxisPass, columns: AxisPass): OffsetGrid {
  return {
    base: 0,
    dimensions: [
      { count: channels, stride: plane.bytes },
      { count: rows.taps, stride: 4 * rows.tapStep * plane.columns.size },
      { count: columns.taps, stride: 4 * columns.tapStep },
    ],
  };
}

function resultGrid(result: ImageShape, images: number, rows: AxisPass, columns: AxisPass): OffsetGrid {
  const { channels, height, width } = result;
  return {
    base: 4 * (rows.resultStart * width + columns.resultStart),
    dimensions: [
      { count: images, stride: 4 * channels * height * width },
      { count: rows.count, stride: 4 * rows.resultStep * width },
      { count: columns.count, stride: 4 * columns.resultStep },
    ],
  };
}

/** The statements of a gathered product; they write every result pixel of every pass exactly once. */
export function gatherProduct(context: KernelContext, product: GatherProduct): readonly Statement[] {
  const { module, scratch, local } = context;
  const { batch, source, passes, result } = product;
  const together = imagesTogether(batch, result.height * result.width);
  const plane = paddedPlane(
    source.height,
    source.width,
    passes.map(({ rows }) => rows),
    passes.map(({ columns }) => columns),
    batch % together === 0,
  );
  const images = sourceOf(
    module,
    { ...source, plane, imagesTogether: together, input: product.input },
    scratch,
    local,
  );
  const [image, count, resultImages] = newLocals(local, 'i32', 3);
  const work = workMemory(product, together, scratch);
  const code = passes.map((pass) =>
    passCode(context, product, pass, { plane, together, images, count, resultImages, work }),
  );
  return [
    ...images.once,
    ...code.flatMap(({ tables }) => tables),
    forRange(image, 0, batch, together, [
      count.set(i32.sub(batch, image)),
      count.set(minimumI32(count, together)),
      ...images.load(image, i32.mul(count, source.channels)),
      resultImages.set(
        i32.add(product.output, i32.mul(image, 4 * result.channels * result.height * result.width)),
      ),
      ...code.flatMap(({ multiply }) => multiply),
    ]),
  ];
}

interface PassContext {
  readonly plane: PaddedPlane;
  readonly together: number;
  readonly images: Source;
  /** Images of this turn. */
  readonly count: Local<'i32'>;
  /** The first image of the result of this turn. */
  readonly resultImages: Local<'i32'>;
  readonly work: WorkMemory;
}

/** Scratch memory that the passes use one after the other. */
interface WorkMemory {
  readonly tile: Expression<'i32'>;
  readonly block: Expression<'i32'>;
}

function passDepth({ source, groups }: GatherProduct, { rows, columns }: GatherPass): number {
  return (source.channels / groups) * rows.taps * columns.taps;
}

function blockShape(
  product: GatherProduct,
  pass: GatherPass,
  together: number,
): { depth: number; columns: number } {
  const pixels = together * pass.rows.count * pass.columns.count;
  return {
    depth: blockSize(passDepth(product, pass), maximumBlockDepth),
    columns: blockSize(pixels, maximumBlockColumns, tileColumns),
  };
}

function workMemory(product: GatherProduct, together: number, scratch: Scratch): WorkMemory {
  const blocks = product.passes.map((pass) => {
    const { depth, columns } = blockShape(product, pass, together);
    return 4 * depth * columns;
  });
  return { tile: scratch.region(tileBytes), block: scratch.region(Math.max(0, ...blocks)) };
}

function passCode(
  context: KernelContext,
  product: GatherProduct,
  pass: GatherPass,
  { plane, together, images, count, resultImages, work }: PassContext,
): { readonly tables: readonly Statement[]; readonly multiply: readonly Statement[] } {
  const { module, fma, scratch, local } = context;
  const { source, result, groups } = product;
  const { rows, columns, filters } = pass;
  const sourceChannels = source.channels / groups;
  const { from: firstResult, to: lastResult } = product.channels ?? { from: 0, to: result.channels / groups };
  const resultChannels = lastResult - firstResult;
  const filterOffset = (filters.layout === 'rows' ? firstResult : firstResult / panelRows) * filters.stride;
  const resultPlane = 4 * result.height * result.width;
  const depth = passDepth(product, pass);
  const blocks = blockShape(product, pass, together);

  const pixelOffsets = pixelGrid(plane, source.channels, together, rows, columns);
  const tableBytes = 4 * roundUp(gridCount(pixelOffsets), tileColumns);
  const pixelTable = scratch.region(tableBytes);
  const resultTable = scratch.region(tableBytes);
  const tapTable = scratch.region(4 * depth);
  const [group, pixel, pixels, width, step, steps] = newLocals(local, 'i32', 6);
  const position = { pixel, width, step, steps };
  const memory = { pixelTable, tapTable, block: work.block };
  const groupSource = i32.add(images.pointer, i32.mul(group, sourceChannels * plane.bytes));

  const form = { layout: filters.layout, fma };
  const factors = [
    i32.add(
      i32.add(filters.pointer, i32.add(i32.mul(group, filters.groupStride), filterOffset)),
      i32.mul(step, filters.step),
    ),
    i32.const(filters.stride),
    work.block,
    i32.add(resultTable, i32.shl(pixel, 2)),
    width,
    i32.add(resultImages, i32.add(i32.mul(group, resultChannels * resultPlane), firstResult * resultPlane)),
    i32.const(resultPlane),
    i32.const(resultChannels),
    steps,
    step,
    work.tile,
  ] as const;
  const { epilogue, operands = [], output } = product;
  /** Multiplies and, with the last of the depth, finishes the elements. */
  const multiplyBlock = (isLast: Expression<'i32'> | true): readonly Statement[] => {
    const plain = blockProduct(module, form).call(...factors);
    if (epilogue === undefined) return [plain];
    const firstChannel = i32.add(i32.mul(group, resultChannels), firstResult);
    const finishing = finishingProduct(module, form, epilogue).call(
      ...factors,
      ...epilogueArguments(epilogue, operands, output, firstChannel),
    );
    return isLast === true ? [finishing] : [ifElse(isLast, [finishing], [plain])];
  };
  const blockOfPixels = [
    width.set(i32.sub(pixels, pixel)),
    width.set(minimumI32(width, blocks.columns)),
    forRange(step, 0, depth, blocks.depth, [
      steps.set(i32.sub(depth, step)),
      steps.set(minimumI32(steps, blocks.depth)),
      ...packBlock(context, groupSource, memory, position),
      ...multiplyBlock(isLastOf(step, steps, depth, blocks.depth)),
    ]),
  ];
  return {
    tables: [
      fillTable(module, pixelTable, pixelOffsets, tileColumns),
      fillTable(module, resultTable, resultGrid(result, together, rows, columns)),
      fillTable(module, tapTable, tapGrid(plane, sourceChannels, rows, columns)),
    ],
    multiply: [
      pixels.set(i32.mul(count, rows.count * columns.count)),
      forRange(group, 0, groups, 1, [forRange(pixel, 0, pixels, blocks.columns, blockOfPixels)]),
    ],
  };
}

/** Whether a block ends the depth; known beforehand where there is only one. */
function isLastOf(
  step: Local<'i32'>,
  steps: Local<'i32'>,
  depth: number,
  blockDepth: number,
): Expression<'i32'> | true {
  return depth <= blockDepth ? true : i32.eq(i32.add(step, steps), depth);
}

/** The pixels and taps of a block. */
interface BlockPosition {
  readonly pixel: Local<'i32'>;
  readonly width: Local<'i32'>;
  readonly step: Local<'i32'>;
  readonly steps: Local<'i32'>;
}

interface PanelMemory {
  readonly pixelTable: Expression<'i32'>;
  readonly tapTable: Expression<'i32'>;
  readonly block: Expression<'i32'>;
}

/** Packs a block of pixels, panel by panel. */
function packBlock(
  { module, local }: KernelContext,
  source: Expression<'i32'>,
  { pixelTable, tapTable, block }: PanelMemory,
  { pixel, width, step, steps }: BlockPosition,
): readonly Statement[] {
  const [within, panel] = newLocals(local, 'i32', 2);
  const pixels = i32.add(pixelTable, i32.shl(i32.add(pixel, within), 2));
  const taps = i32.add(tapTable, i32.shl(step, 2));
  return [
    panel.set(block),
    forRange(within, 0, width, tileColumns, [
      packPixels(module).call(source, pixels, taps, steps, panel),
      increment(panel, i32.mul(steps, 4 * tileColumns)),
    ]),
  ];
}
