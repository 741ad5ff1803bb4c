// Kernels that look for the largest element: argMax along an axis, and its place in every pooling window.

import type { PoolAttrs } from '../../../ops/pool.ts';
import type { ArgMaxAttrs } from '../../../ops/reduce.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, ifElse, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder } from '../assembler/module.ts';
import { f32, i32, minimumI32, select } from '../assembler/scalar.ts';
import type { Kernel } from './kernel.ts';
import { pointerParams } from './kernel.ts';

/** The kernel (x, output, scratch) of argMax: the first of equals. */
export const emitArgMax = (module: ModuleBuilder, x: Spec, { axis }: ArgMaxAttrs): Kernel => {
  const exportName = `argMax ${x.dtype} [${x.shape}] ${axis}`;
  const [outer, length, inner] = [
    sizeOf(x.shape.slice(0, axis)),
    x.shape[axis]!,
    sizeOf(x.shape.slice(axis + 1)),
  ];
  const greater = (a: Expression<'i32'>, b: Expression<'i32'>): Expression<'i32'> =>
    x.dtype === 'i32' ? i32.gtS(i32.load(a), i32.load(b)) : f32.gt(f32.load(a), f32.load(b));
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(1), result: 'void' },
      ([from, to], local) => {
        const [k, best, bestAt, at] = [local('i32'), local('i32'), local('i32'), local('i32')];
        const line = [
          best.set(i32.const(0)),
          bestAt.set(from!),
          at.set(i32.add(from!, 4 * inner)),
          forRange(k, 1, length, 1, [
            ifElse(greater(at, bestAt), [best.set(k), bestAt.set(at)]),
            increment(at, 4 * inner),
          ]),
          i32.store(to!, best),
          increment(to!, 4),
          increment(from!, 4),
        ];
        return [
          forRange(local('i32'), 0, outer, 1, [
            forRange(local('i32'), 0, inner, 1, line),
            increment(from!, 4 * (length - 1) * inner),
          ]),
        ];
      },
    );
    return { func, scratchBytes: 0 };
  });
};

/** The larger of an integer and 0. */
const notNegative = (value: Local<'i32'>): Expression<'i32'> => select('i32', value, 0, i32.gtS(value, 0));

/** The kernel (x, output, scratch) of poolArgMax2d: the row-major place of the first largest element in each image plane. */
export const emitPoolArgMax = (module: ModuleBuilder, x: Spec, output: Spec, attrs: PoolAttrs): Kernel => {
  const [images, channels, height, width] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = output.shape.slice(2) as unknown as readonly [number, number];
  const { window, stride, padding } = attrs;
  const exportName = `poolArgMax [${x.shape}] ${window} ${stride} ${padding}`;
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(1), result: 'void' },
      ([plane, to], local) => {
        const [top, left, bottom, right] = [local('i32'), local('i32'), local('i32'), local('i32')];
        const [y, i, at, best] = [local('i32'), local('i32'), local('i32'), local('i32')];
        const [row, column] = [local('i32'), local('i32')];
        const valueAt = (place: Expression<'i32'>) => f32.load(i32.add(plane!, i32.shl(place, 2)));
        const span = (
          start: Local<'i32'>,
          end: Local<'i32'>,
          from: Expression<'i32'>,
          size: number,
          limit: number,
        ): Statement[] => [
          start.set(from),
          end.set(i32.add(start, size)),
          end.set(minimumI32(end, limit)),
          start.set(notNegative(start)),
        ];
        const place = [
          ...span(left, right, i32.sub(i32.mul(column, stride[1]), padding[1]), window[1], width),
          best.set(i32.add(i32.mul(top, width), left)),
          forRange(y, top, bottom, 1, [
            at.set(i32.add(i32.mul(y, width), left)),
            forRange(i, left, right, 1, [
              ifElse(f32.gt(valueAt(at), valueAt(best)), [best.set(at)]),
              increment(at, 1),
            ]),
          ]),
          i32.store(to!, best),
          increment(to!, 4),
        ];
        return [
          forRange(local('i32'), 0, images * channels, 1, [
            forRange(row, 0, rows, 1, [
              ...span(top, bottom, i32.sub(i32.mul(row, stride[0]), padding[0]), window[0], height),
              forRange(column, 0, columns, 1, place),
            ]),
            increment(plane!, 4 * height * width),
          ]),
        ];
      },
    );
    return { func, scratchBytes: 0 };
  });
};
