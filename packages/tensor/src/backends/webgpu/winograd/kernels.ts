// The transforms of Winograd's convolution as kernels: a thread per tile and channel, or per filter.
import type { Shape, Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { perElement, stepBindings } from '../kernel.ts';
import type { Finish } from '../kernels/finish.ts';
import { finishTexts, operandTypes } from '../kernels/finish.ts';
import type { FilterAttrs, GradientAttrs, ResultAttrs, TileAttrs, TileGrid } from './steps.ts';
import { tilesOf } from './steps.ts';
import {
  bothSides,
  filterMatrix,
  outputMatrix,
  pixelMatrix,
  tileReach,
  tileSize,
  transposed,
} from './transforms.ts';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

const square = (count: number): readonly (readonly [number, number])[] =>
  range(count).flatMap((row) => range(count).map((column) => [row, column] as const));

/** Stores the 16 elements `<name><row><column>` of one place of [16, rows, columns], `plane` elements apart. */
const storeProducts = (name: string, at: string, plane: number): readonly string[] =>
  square(tileReach).map(
    ([row, column]) =>
      `result[${tileReach * row + column === 0 ? at : `${at} + ${(tileReach * row + column) * plane}`}] = ${name}${row}${column};`,
  );

/** Loads the 16 elements of one place the same way. */
const loadProducts = (name: string, at: string, plane: number): readonly string[] =>
  square(tileReach).map(
    ([row, column]) => `let ${name}${row}${column} = input0[${at} + ${(tileReach * row + column) * plane}];`,
  );

/** Statements that name where tile `n` lies: its picture, and its first row and column. */
const tilePlace = ({ down, across }: TileGrid): readonly string[] => [
  `let picture = n / ${down * across};`,
  `let top = n / ${across} % ${down} * ${tileSize};`,
  `let left = n % ${across} * ${tileSize};`,
];

/** The kernel that reads square tiles of [N,C,H,W] and transforms them: zeros outside the images and in tiles that only fill up. */
const emitTiles = (
  matrix: readonly (readonly number[])[],
  [image]: readonly Spec[],
  { grid }: TileAttrs,
  context: KernelContext,
): GpuKernel => {
  const [, channels, height, width] = image!.shape as readonly [number, number, number, number];
  const { bindings } = stepBindings(['f32'], 'f32');
  const reach = matrix[0]!.length;
  const pixel = (row: number, column: number): string =>
    `let pixel${row}${column} = select(0.0, input0[base + ${row * width + column}], isDown${row} & isAcross${column});`;
  const body = [
    `let n = index % ${grid.columns};`,
    `let channel = index / ${grid.columns};`,
    ...tilePlace(grid),
    `let y = top - ${grid.padTop};`,
    `let x = left - ${grid.padLeft};`,
    `let isTile = n < ${tilesOf(grid)};`,
    `let base = ((picture * ${channels} + channel) * ${height} + y) * ${width} + x;`,
    ...range(reach).map((row) => `let isDown${row} = isTile & (u32(y + ${row}) < ${height}u);`),
    ...range(reach).map((column) => `let isAcross${column} = u32(x + ${column}) < ${width}u;`),
    ...square(reach).map(([row, column]) => pixel(row, column)),
    ...bothSides(matrix, 'tile', (row, column) => `pixel${row}${column}`),
    ...storeProducts('tile', 'index', channels * grid.columns),
  ];
  return perElement(channels * grid.columns, { bindings, body }, context);
};

/** The kernel of transformed pixels. */
export const emitPixelTiles = (
  inputs: readonly Spec[],
  attrs: TileAttrs,
  context: KernelContext,
): GpuKernel => emitTiles(pixelMatrix, inputs, attrs, context);

/** The kernel of transformed output gradients. */
export const emitGradientTiles = (
  inputs: readonly Spec[],
  attrs: TileAttrs,
  context: KernelContext,
): GpuKernel => emitTiles(transposed(outputMatrix), inputs, attrs, context);

/** The kernel of transformed filters. */
export const emitFilters = (
  [weight]: readonly Spec[],
  { isTurned }: FilterAttrs,
  context: KernelContext,
): GpuKernel => {
  const [out, channels] = weight!.shape as readonly [number, number];
  const { bindings } = stepBindings(['f32'], 'f32');
  const tap = (row: number, column: number): string => {
    const at = 3 * row + column;
    return `input0[base + ${isTurned ? 8 - at : at}]`;
  };
  const filter = isTurned ? `(index % ${out} * ${channels} + index / ${out})` : 'index';
  const body = [
    `let base = ${filter} * 9;`,
    ...bothSides(filterMatrix, 'product', tap),
    ...storeProducts('product', 'index', out * channels),
  ];
  return perElement(out * channels, { bindings, body }, context);
};

/** The kernel of images from products, which an epilogue may finish. */
export const emitResult = (
  [, ...operands]: readonly Spec[],
  { grid, shape, epilogue }: ResultAttrs,
  context: KernelContext,
): GpuKernel => {
  const [, channels, height, width] = shape as readonly [number, number, number, number];
  const finish: Finish | undefined = epilogue && { epilogue, operands, channel: 'channel' };
  const { firstOf = [] } = context;
  const { bindings, nameOf } = stepBindings(['f32', ...operandTypes(finish)], 'f32', { firstOf });
  const pixel = ([row, column]: readonly [number, number]): string => {
    const place = `let place = base + ${row * width + column};`;
    const value = finish === undefined ? `sum${row}${column}` : `finish(sum${row}${column}, place, channel)`;
    const bounds = [
      ...(row > 0 && height % tileSize > 0 ? [`top + ${row} < ${height}`] : []),
      ...(column > 0 && width % tileSize > 0 ? [`left + ${column} < ${width}`] : []),
    ];
    const guard = bounds.length === 0 ? '' : `if (${bounds.map((bound) => `(${bound})`).join(' & ')}) `;
    return `${guard}{ ${place} result[place] = ${value}; }`;
  };
  const tiles = tilesOf(grid);
  const body = [
    `let n = index % ${tiles};`,
    `let channel = index / ${tiles};`,
    ...tilePlace(grid),
    `let base = ((picture * ${channels} + channel) * ${height} + top) * ${width} + left;`,
    `let product = channel * ${grid.columns} + n;`,
    ...loadProducts('product', 'product', channels * grid.columns),
    ...bothSides(outputMatrix, 'sum', (row, column) => `product${row}${column}`),
    ...square(tileSize).map(pixel),
  ];
  const declarations = finish === undefined ? [] : finishTexts(finish, (operand) => nameOf(1 + operand));
  return perElement(channels * tiles, { bindings, declarations, body }, context);
};

/** The kernel of filters from sums of products. */
export const emitFilterGradient = ({ shape }: GradientAttrs, context: KernelContext): GpuKernel => {
  const [out, channels] = shape as Shape & readonly [number, number];
  const { bindings } = stepBindings(['f32'], 'f32');
  const matrix = transposed(filterMatrix);
  const body = [
    ...loadProducts('product', 'index', out * channels),
    ...bothSides(matrix, 'tap', (row, column) => `product${row}${column}`),
    ...square(matrix.length).map(
      ([row, column]) => `result[index * 9 + ${3 * row + column}] = tap${row}${column};`,
    ),
  ];
  return perElement(out * channels, { bindings, body }, context);
};
