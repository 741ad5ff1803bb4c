// The planes of one group of channels with zeros around them, or cut, so that every tap of every position reads a pixel.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local } from '../assembler/module.ts';
import { i32, memory } from '../assembler/scalar.ts';
import type { KernelContext } from './gatherProduct.ts';
import { readableBytesAfter } from './kernel.ts';
import { copyRows } from './packing.ts';

/** The planes of a group as they are needed. */
interface PlanesForm {
  /** Of a group. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Rows and columns that are needed. */
  readonly rows: number;
  readonly columns: number;
  /** Zeros before the first row and column; negative where pixels are left out. */
  readonly top: number;
  readonly left: number;
}

/** How the planes of the current group are made. */
interface Planes {
  readonly pointer: Local<'i32'>;
  readonly once: readonly Statement[];
  /** Makes the planes of a group, counted over all images. */
  readonly load: (group: Expression<'i32'>) => readonly Statement[];
}

/** Planes of `rows` by `columns`. */
export interface GroupPlanes extends Pick<PlanesForm, 'rows' | 'columns'> {
  readonly prepare: (context: KernelContext, images: Expression<'i32'>) => Planes;
}

/** What lies in the image along one dimension: where it begins in the plane and in the image, and how much it is. */
const overlap = (size: number, needed: number, before: number) => {
  const [to, from] = [Math.max(0, before), Math.max(0, -before)];
  return { to, from, count: Math.max(0, Math.min(needed - to, size - from)) };
};

/** The planes of groups; those of the images themselves where nothing is added or left out. */
export function groupPlanes(form: PlanesForm): GroupPlanes {
  const { channels, height, width, rows, columns, top, left } = form;
  const groupBytes = 4 * channels * height * width;
  const isWhole = rows === height && columns === width && top === 0 && left === 0;
  const prepare = ({ module, scratch, local }: KernelContext, images: Expression<'i32'>): Planes => {
    const pointer = local('i32');
    const group = (at: Expression<'i32'>): Expression<'i32'> => i32.add(images, i32.mul(at, groupBytes));
    if (isWhole) return { pointer, once: [], load: (at) => [pointer.set(group(at))] };
    const bytes = 4 * channels * rows * columns;
    // tiles reach over the end
    const region = scratch.region(bytes + readableBytesAfter);
    const [from, to] = [local('i32'), local('i32')];
    const [y, x] = [overlap(height, rows, top), overlap(width, columns, left)];
    const copy = [
      copyRows(module).call(from, 4 * width, to, 4 * columns, y.count, x.count),
      increment(from, 4 * height * width),
      increment(to, 4 * rows * columns),
    ];
    return {
      pointer,
      once: [pointer.set(region), memory.fill(region, 0, bytes)],
      load: (at) => [
        from.set(i32.add(group(at), 4 * (y.from * width + x.from))),
        to.set(i32.add(pointer, 4 * (y.to * columns + x.to))),
        forRange(local('i32'), 0, y.count * x.count === 0 ? 0 : channels, 1, copy),
      ],
    };
  };
  return { rows, columns, prepare };
}
