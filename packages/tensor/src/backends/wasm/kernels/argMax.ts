// The kernel that looks for the largest element along an axis.

import type { ArgMaxAttrs } from '../../../ops/reduce.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { Expression } from '../assembler/code.ts';
import { forRange, ifElse, increment } from '../assembler/control.ts';
import type { ModuleBuilder } from '../assembler/module.ts';
import { f32, i32 } from '../assembler/scalar.ts';
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
