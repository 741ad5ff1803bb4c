// The kernel that finds the place of the largest element in every pooling window.

import type { PoolAttrs } from '../../../ops/pool.ts';
import type { Spec } from '../../../tensor.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, ifElse, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { f32, i32, minimumI32, select } from '../assembler/scalar.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';
import type { Kernel } from './kernel.ts';
import { pointerParams } from './kernel.ts';
import { gatherLanes } from './packing.ts';

type Integer = Expression<'i32'>;

/** The sizes of a pooling, and the pointers of the kernel. */
interface Pooling {
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: PoolAttrs['padding'];
  readonly height: number;
  readonly width: number;
  readonly plane: Local<'i32'>;
  readonly to: Local<'i32'>;
  /** The rows of the window that lie inside the image, from `top` up to `bottom`, the latter excluded. */
  readonly top: Local<'i32'>;
  readonly bottom: Local<'i32'>;
  readonly local: NewLocal;
}

/**
 * The kernel (x, output, scratch) of poolArgMax2d: the row-major place of the first largest element in each image plane.
 * Windows inside the image are searched four at a time, those at its sides one by one.
 */
export const emitPoolArgMax = (module: ModuleBuilder, x: Spec, output: Spec, attrs: PoolAttrs): Kernel => {
  const [images, channels, height, width] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = output.shape.slice(2) as unknown as readonly [number, number];
  const { window, stride, padding } = attrs;
  const exportName = `poolArgMax [${x.shape}] ${window} ${stride} ${padding}`;
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(1), result: 'void' },
      (pointers, local) => {
        const [plane, to] = pointers as readonly [Local<'i32'>, Local<'i32'>, Local<'i32'>];
        const [row, column, top, bottom] = newLocals(local, 'i32', 4);
        const pooling = { window, stride, padding, height, width, plane, to, top, bottom, local };
        const first = Math.min(columns, Math.ceil(padding[1] / stride[1]));
        const inside = Math.floor((width + padding[1] - window[1]) / stride[1]) + 1;
        const whole = Math.max(0, Math.floor((Math.min(inside, columns) - first) / 4));
        const one = searchOne(pooling, column);
        return [
          forRange(local('i32'), 0, images * channels, 1, [
            forRange(row, 0, rows, 1, [
              ...span(top, bottom, i32.sub(i32.mul(row, stride[0]), padding[0]), window[0], height),
              forRange(column, 0, first, 1, one),
              forRange(column, first, first + 4 * whole, 4, searchFour(pooling, column)),
              forRange(column, first + 4 * whole, columns, 1, one),
            ]),
            increment(plane, 4 * height * width),
          ]),
        ];
      },
    );
    return { func, scratchBytes: 0 };
  });
};

/** The part of a window that lies inside the image, along one dimension. */
const span = (
  start: Local<'i32'>,
  end: Local<'i32'>,
  from: Integer,
  size: number,
  limit: number,
): readonly Statement[] => [
  start.set(from),
  end.set(i32.add(start, size)),
  end.set(minimumI32(end, limit)),
  start.set(select('i32', start, 0, i32.gtS(start, 0))),
];

/** One window, which may reach over the side of the image. */
const searchOne = (pooling: Pooling, column: Local<'i32'>): readonly Statement[] => {
  const { window, stride, padding, width, plane, to, top, bottom, local } = pooling;
  const [left, right, y, i, at, best] = newLocals(local, 'i32', 6);
  const valueAt = (place: Integer): Expression<'f32'> => f32.load(i32.add(plane, i32.shl(place, 2)));
  return [
    ...span(left, right, i32.sub(i32.mul(column, stride[1]), padding[1]), window[1], width),
    best.set(i32.add(i32.mul(top, width), left)),
    forRange(y, top, bottom, 1, [
      at.set(i32.add(i32.mul(y, width), left)),
      forRange(i, left, right, 1, [
        ifElse(f32.gt(valueAt(at), valueAt(best)), [best.set(at)]),
        increment(at, 1),
      ]),
    ]),
    i32.store(to, best),
    increment(to, 4),
  ];
};

/** Four neighbouring windows that no side of the image cuts. */
const searchFour = (pooling: Pooling, column: Local<'i32'>): readonly Statement[] => {
  const { window, stride, padding, width, plane, to, top, bottom, local } = pooling;
  const [y, place, address] = newLocals(local, 'i32', 3);
  const [value, best, places, bestPlaces, mask] = newLocals(local, 'v128', 5);
  const step = stride[1];
  const lanes = i32x4.consts([0, step, 2 * step, 3 * step]);
  const left = i32.sub(i32.mul(column, step), padding[1]);
  const moveTo = (row: Integer): readonly Statement[] => [
    place.set(i32.add(i32.mul(row, width), left)),
    address.set(i32.add(plane, i32.shl(place, 2))),
    places.set(i32x4.add(i32x4.splat(place), lanes)),
  ];
  const taps = Array.from({ length: window[1] }, (_, tap) => [
    value.set(everyNth(address, step, 4 * tap)),
    mask.set(f32x4.gt(value, best)),
    best.set(v128.bitselect(value, best, mask)),
    bestPlaces.set(v128.bitselect(i32x4.add(places, i32x4.const(tap)), bestPlaces, mask)),
  ]).flat();
  return [
    ...moveTo(top),
    best.set(everyNth(address, step, 0)),
    bestPlaces.set(places),
    forRange(y, top, bottom, 1, [...moveTo(y), ...taps]),
    v128.store(to, bestPlaces),
    increment(to, 16),
  ];
};

/** Four elements, `step` apart, from `offset` bytes behind the address on. */
const everyNth = (address: Integer, step: number, offset: number): Expression<'v128'> => {
  if (step === 1) return v128.load(address, offset);
  if (step === 2)
    return v128.shuffle(v128.load(address, offset), v128.load(address, offset + 16), [0, 2, 4, 6]);
  const places = [0, 1, 2, 3];
  return gatherLanes(
    places.map(() => address),
    places.map((lane) => offset + 4 * lane * step),
  );
};
