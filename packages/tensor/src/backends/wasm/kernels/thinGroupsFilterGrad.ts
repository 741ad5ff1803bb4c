// The filter gradient of groups of few channels: four filters by two of their taps at a time, each a sum over the positions of all
// images in four lanes, directly from the planes of the group.

import type { Expression, Statement } from '../assembler/code.ts';
import { doWhile, forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32, memory, minimumI32 } from '../assembler/scalar.ts';
import { f32x4, v128 } from '../assembler/vector.ts';
import { roundUp } from './blockProduct.ts';
import type { KernelContext } from './gatherProduct.ts';
import type { Conv2dGeometry } from './geometry.ts';
import { conv2dName } from './geometry.ts';
import type { GroupPlanes } from './groupPlanes.ts';
import { groupPlanes } from './groupPlanes.ts';
import type { Kernel, KernelOptions } from './kernel.ts';
import { partName } from './kernel.ts';
import { writeLanes } from './loopNest.ts';
import { multiplyAdd, panelRows } from './microKernel.ts';
import { fillTable } from './offsetTable.ts';
import { transposed } from './packing.ts';
import { scratchLayout } from './scratch.ts';
import { eachBlock, planesOfTaps, productGrid } from './thinGroups.ts';

/** Positions that are added up on their own: sums of sums round less. */
const positionsTogether = 1024;

/** Taps of a tile; with four filters eight sums, which leave registers for what is multiplied. */
const tileTaps = 2;

/** The sizes of the gradient of one group. */
interface ThinGradient {
  readonly images: GroupPlanes;
  readonly cotangents: GroupPlanes;
  /** Filters of a group, and elements of one. */
  readonly results: number;
  readonly products: number;
  readonly rows: number;
  /** Bytes of the images from one row of positions to the next. */
  readonly rowStep: number;
}

/**
 * The kernel (images, outputGrad, weightGrad, scratch) of the gradient with respect to the filters of thin groups; a part is a range
 * of the groups.
 */
export function emitThinFilterGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions,
): Kernel {
  const { fma = false, part } = options;
  const exportName = conv2dName('thinFilterGrad', geometry, fma) + partName(options);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [first, second, weightGrad, pointer] = pointers;
      const scratch = scratchLayout(pointer);
      const context = { module, fma, scratch, local };
      const { batch, groups, channels, outChannels, outHeight, outWidth, ...rest } = geometry;
      const results = outChannels / groups;
      const products = (channels / groups) * rest.kernelHeight * rest.kernelWidth;
      // whole vectors of positions: behind the last are zeros
      const width = roundUp(outWidth, 4);
      const images = planesOfTaps(geometry, width);
      const cotangents = groupPlanes({
        channels: results,
        height: outHeight,
        width: outWidth,
        rows: outHeight,
        columns: width,
        top: 0,
        left: 0,
      });
      const form = {
        images,
        cotangents,
        results,
        products,
        rows: outHeight,
        rowStep: 4 * rest.strideHeight * images.columns,
      };
      const [imageCopy, cotangentCopy] = [
        images.prepare(context, first),
        cotangents.prepare(context, second),
      ];
      const table = scratch.region(4 * roundUp(products, tileTaps));
      const sumBytes = 16 * roundUp(results * products, 4);
      const sums = scratch.region(sumBytes);
      const [group, image, at] = newLocals(local, 'i32', 3);
      const { from, to } = part ?? { from: 0, to: groups };
      const body = [
        ...imageCopy.once,
        ...cotangentCopy.once,
        fillTable(module, table, productGrid(channels / groups, images, geometry)),
        forRange(group, from, to, 1, [
          memory.fill(sums, 0, sumBytes),
          at.set(group),
          forRange(image, 0, batch, 1, [
            ...imageCopy.load(at),
            ...cotangentCopy.load(at),
            ...addImage(context, form, {
              images: imageCopy.pointer,
              cotangents: cotangentCopy.pointer,
              table,
              sums,
            }),
            increment(at, groups),
          ]),
          ...addLanes(
            context,
            sums,
            i32.add(weightGrad, i32.mul(group, 4 * results * products)),
            results * products,
          ),
        ]),
      ];
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}

/** Where the planes of a group, the offsets of its taps and the sums are. */
interface GradientOperands {
  readonly images: Expression<'i32'>;
  readonly cotangents: Expression<'i32'>;
  readonly table: Expression<'i32'>;
  /** Four lanes for every element of the group's filters. */
  readonly sums: Expression<'i32'>;
}

/** Adds what one image gives to the sums, some rows at a time. */
function addImage(
  context: KernelContext,
  form: ThinGradient,
  { images, cotangents, table, sums }: GradientOperands,
): readonly Statement[] {
  const { local } = context;
  const { results, products, rows, rowStep } = form;
  const { columns } = form.cotangents;
  const together = Math.max(1, Math.floor(positionsTogether / columns));
  const [row, count, image, cotangent, tap, sum] = newLocals(local, 'i32', 6);
  const tile = (filters: number, taps: number): readonly Statement[] => [
    ...tileSums(context, form, { image, cotangent, tap, sum, count, filters, taps }),
    increment(tap, 4 * taps),
    increment(sum, 16 * taps),
  ];
  return [
    image.set(images),
    forRange(row, 0, rows, together, [
      count.set(i32.sub(rows, row)),
      count.set(minimumI32(count, together)),
      cotangent.set(i32.add(cotangents, i32.mul(row, 4 * columns))),
      sum.set(sums),
      ...eachBlock(results, context, (filters) => [
        tap.set(table),
        forRange(local('i32'), 0, Math.floor(products / tileTaps), 1, tile(filters, tileTaps)),
        ...(products % tileTaps === 0 ? [] : tile(filters, products % tileTaps)),
        increment(sum, 16 * (filters - 1) * products),
        increment(cotangent, 4 * panelRows * rows * columns),
      ]),
      increment(image, i32.mul(count, rowStep)),
    ]),
  ];
}

/** One tile of sums, and the rows of positions that are added to it. */
interface SumTile {
  readonly image: Local<'i32'>;
  /** The first of the filters' cotangents. */
  readonly cotangent: Local<'i32'>;
  readonly tap: Local<'i32'>;
  readonly sum: Local<'i32'>;
  /** Rows. */
  readonly count: Local<'i32'>;
  readonly filters: number;
  readonly taps: number;
}

/** Adds up some rows of positions for a few filters and taps, and adds that to the sums in memory. */
function tileSums(
  { fma, local }: KernelContext,
  { cotangents, rows, rowStep, products }: ThinGradient,
  { image, cotangent, tap, sum, count, filters, taps }: SumTile,
): readonly Statement[] {
  const totals = Array.from({ length: filters }, () => Array.from({ length: taps }, () => local('v128')));
  const pixels = Array.from({ length: taps }, () => local('v128'));
  const sources = Array.from({ length: taps }, () => local('i32'));
  const weight = local('v128');
  const from = local('i32');
  const [column, row] = newLocals(local, 'i32', 2);
  const { columns } = cotangents;
  const products4 = [
    ...pixels.map((pixel, t) => pixel.set(v128.load(sources[t]!))),
    ...totals.flatMap((ofFilter, r) => [
      weight.set(v128.load(from, 4 * r * rows * columns)),
      ...ofFilter.map((total, t) => total.set(multiplyAdd(fma, weight, pixels[t]!, total))),
    ]),
    ...[from, ...sources].map((pointer) => increment(pointer, 16)),
  ];
  return [
    ...totals.flat().map((total) => total.set(f32x4.const(0))),
    ...sources.map((source, t) => source.set(i32.add(image, i32.load(tap, 4 * t)))),
    from.set(cotangent),
    row.set(count),
    doWhile(
      [
        forRange(column, 0, columns, 4, products4),
        ...sources.map((source) => increment(source, rowStep - 4 * columns)),
      ],
      row.tee(i32.sub(row, 1)),
    ),
    ...totals.flatMap((ofFilter, r) =>
      ofFilter.map((total, t) => {
        const offset = 16 * (r * products + t);
        return v128.store(sum, f32x4.add(v128.load(sum, offset), total), offset);
      }),
    ),
  ];
}

/** Writes the sums of the four lanes of so many vectors. */
function addLanes(
  { local }: KernelContext,
  sums: Expression<'i32'>,
  target: Expression<'i32'>,
  count: number,
): readonly Statement[] {
  const [from, to] = newLocals(local, 'i32', 2);
  const block = newLocals(local, 'v128', 4);
  const total = local('v128');
  const four = (lanes: number): readonly Statement[] => {
    const [a, b, c, d] = transposed(block) as readonly [
      Expression<'v128'>,
      Expression<'v128'>,
      Expression<'v128'>,
      Expression<'v128'>,
    ];
    return [
      ...block.map((vector, i) => vector.set(v128.load(from, 16 * i))),
      total.set(f32x4.add(f32x4.add(a, b), f32x4.add(c, d))),
      ...writeLanes(to, total, lanes, 0),
      increment(from, 64),
      increment(to, 16),
    ];
  };
  return [
    from.set(sums),
    to.set(target),
    forRange(local('i32'), 0, Math.floor(count / 4), 1, four(4)),
    ...(count % 4 === 0 ? [] : four(count % 4)),
  ];
}
