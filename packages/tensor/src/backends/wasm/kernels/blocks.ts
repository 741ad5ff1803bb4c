// Kernels that copy blocks: concat and pad.
import type { ConcatAttrs, PadAttrs } from '../../../ops/movement.ts';
import { sizeOf, stridesOf } from '../../../shape.ts';
import type { Shape, Spec } from '../../../tensor.ts';
import type { Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { i32, memory } from '../assembler/scalar.ts';
import { v128 } from '../assembler/vector.ts';
import { literalVector } from './elementOps.ts';
import type { Kernel } from './kernel.ts';
import { pointerParams } from './kernel.ts';

/** Copies `count` elements and moves both pointers behind them. */
export const copyElements = (to: Local<'i32'>, from: Local<'i32'>, count: number): Statement[] => {
  const moves = [increment(to, 4 * count), increment(from, 4 * count)];
  if (count > 8) return [memory.copy(to, from, 4 * count), ...moves];
  const each = Array.from({ length: count }, (_, i) => i32.store(to, i32.load(from, 4 * i), 4 * i));
  return [...each, ...moves];
};

/** The kernel (inputs…, output, scratch) that puts tensors one after the other along an axis. */
export const emitConcat = (
  module: ModuleBuilder,
  inputs: readonly Spec[],
  output: Spec,
  { axis }: ConcatAttrs,
): Kernel => {
  const exportName = `concat ${axis} ${inputs.map(({ shape }) => `[${shape}]`).join('')}`;
  const outer = sizeOf(output.shape.slice(0, axis));
  return module.once(exportName, () => {
    const params = pointerParams(inputs.length);
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const to = pointers[inputs.length]!;
      const rows = inputs.flatMap(({ shape }, k) =>
        copyElements(to, pointers[k]!, sizeOf(shape.slice(axis))),
      );
      return [forRange(local('i32'), 0, outer, 1, rows)];
    });
    return { func, scratchBytes: 0 };
  });
};

/** The kernel (input, output, scratch) that surrounds a tensor with a value. */
export const emitPad = (module: ModuleBuilder, input: Spec, output: Spec, attrs: PadAttrs): Kernel => {
  const { before, value } = attrs;
  const exportName = `pad ${output.dtype} [${input.shape}] [${output.shape}] ${before} ${value}`;
  return module.once(exportName, () => {
    const func = module.define(
      { exportName, params: pointerParams(1), result: 'void' },
      ([from, to], local) => [
        ...fill(to!, output, value, local),
        increment(to!, 4 * stridesOf(output.shape).reduce((sum, s, d) => sum + s * before[d]!, 0)),
        ...copyInto(from!, to!, input.shape, output.shape, local),
      ],
    );
    return { func, scratchBytes: 0 };
  });
};

const fill = (to: Local<'i32'>, { shape, dtype }: Spec, value: number, local: NewLocal): Statement[] => {
  const size = sizeOf(shape);
  if (value === 0) return [memory.fill(to, 0, 4 * size)];
  const at = local('i32');
  const constant = literalVector(value, dtype === 'bool' ? 'i32' : dtype);
  return [
    at.set(to),
    forRange(local('i32'), 0, size, 1, [v128.store32Lane(at, constant, 0), increment(at, 4)]),
  ];
};

/** Copies a whole tensor into a block of a larger one; `to` points at the block's first element. */
const copyInto = (
  from: Local<'i32'>,
  to: Local<'i32'>,
  shape: Shape,
  target: Shape,
  local: NewLocal,
): Statement[] => {
  if (sizeOf(shape) === 0) return [];
  // trailing dimensions that are not padded are one contiguous run
  let run = shape.length;
  while (run > 0 && shape[run - 1] === target[run - 1]) run--;
  const first = Math.max(run - 1, 0);
  const strides = stridesOf(target);
  const count = sizeOf(shape.slice(first));
  let code = copyElements(to, from, count);
  let passed = count;
  for (let d = first - 1; d >= 0; d--) {
    const skip = 4 * (strides[d]! - passed);
    code = [forRange(local('i32'), 0, shape[d]!, 1, [...code, increment(to, skip)])];
    passed = strides[d]! * shape[d]!;
  }
  return code;
};
