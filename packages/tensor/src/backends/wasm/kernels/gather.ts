// Kernels with positions as data: gather and its adjoint scatterAdd, which adds in the order of the updates.
import type { GatherAttrs, GatherExtents, ScatterAttrs } from '../../../ops/indexing.ts';
import { gatherExtents } from '../../../ops/indexing.ts';
import { sizeOf } from '../../../shape.ts';
import type { DType, Spec } from '../../../tensor.ts';
import type { Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { f32, i32, memory } from '../assembler/scalar.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';
import { copyElements } from './blocks.ts';
import type { Kernel } from './kernel.ts';
import { pointerParams } from './kernel.ts';

const extentsKey = (e: GatherExtents): string => [e.batch, e.outer, e.axis, e.inner, e.count].join('x');

/** The kernel (x, indices, output, scratch) of gather. */
export const emitGather = (
  module: ModuleBuilder,
  [x, indices]: readonly Spec[],
  attrs: GatherAttrs,
): Kernel => {
  const extents = gatherExtents(x!.shape, indices!.shape, attrs);
  const exportName = `gather ${extentsKey(extents)}`;
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(2), result: 'void' },
      ([source, at, to], local) => {
        const from = local('i32');
        return eachIndex(extents, source!, at!, local, (entry) => [
          from.set(entry),
          ...copyElements(to!, from, extents.inner),
        ]);
      },
    );
    return { func, scratchBytes: 0 };
  });
};

/** The kernel (updates, indices, output, scratch) of scatterAdd. */
export const emitScatterAdd = (
  module: ModuleBuilder,
  [updates, indices]: readonly Spec[],
  output: Spec,
  attrs: ScatterAttrs,
): Kernel => {
  const extents = gatherExtents(output.shape, indices!.shape, attrs);
  const exportName = `scatterAdd ${updates!.dtype} ${extentsKey(extents)}`;
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(2), result: 'void' },
      ([from, at, target], local) => {
        const to = local('i32');
        return [
          memory.fill(target!, 0, 4 * sizeOf(output.shape)),
          ...eachIndex(extents, target!, at!, local, (entry) => [
            to.set(entry),
            ...addElements(to, from!, extents.inner, updates!.dtype, local),
          ]),
        ];
      },
    );
    return { func, scratchBytes: 0 };
  });
};

/** Runs `use` for every batch, outer row and index, with the address of the entry that the index names. Moves `base` and `at`. */
const eachIndex = (
  { batch, outer, axis, inner, count }: GatherExtents,
  base: Local<'i32'>,
  at: Local<'i32'>,
  local: NewLocal,
  use: (entry: ReturnType<typeof i32.add>) => readonly Statement[],
): Statement[] => {
  const index = local('i32');
  const entry = i32.add(base, i32.mul(i32.load(index), 4 * inner));
  return [
    forRange(local('i32'), 0, batch, 1, [
      forRange(local('i32'), 0, outer, 1, [
        index.set(at),
        forRange(local('i32'), 0, count, 1, [...use(entry), increment(index, 4)]),
        increment(base, 4 * axis * inner),
      ]),
      increment(at, 4 * count),
    ]),
  ];
};

/** Adds `count` elements at `from` to those at `to` and moves both pointers behind them. */
const addElements = (
  to: Local<'i32'>,
  from: Local<'i32'>,
  count: number,
  dtype: DType,
  local: NewLocal,
): Statement[] => {
  const whole = Math.floor(count / 4);
  const vectorAdd = dtype === 'i32' ? i32x4.add : f32x4.add;
  const four = [
    v128.store(to, vectorAdd(v128.load(to), v128.load(from))),
    increment(to, 16),
    increment(from, 16),
  ];
  const one = [
    dtype === 'i32'
      ? i32.store(to, i32.add(i32.load(to), i32.load(from)))
      : f32.store(to, f32.add(f32.load(to), f32.load(from))),
    increment(to, 4),
    increment(from, 4),
  ];
  const vectors = whole === 0 ? [] : [forRange(local('i32'), 0, whole, 1, four)];
  return [...vectors, ...Array.from({ length: count % 4 }, () => one).flat()];
};
