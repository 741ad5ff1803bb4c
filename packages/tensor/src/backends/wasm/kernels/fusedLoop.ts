// Loops without a reduction: the nest over the outer dimensions, and rows of vectors with a tail in the innermost.
import type { Loop } from '../../../graph/loop.ts';
import { printExpression } from '../../../graph/print.ts';
import { sizeOf } from '../../../shape.ts';
import type { DType } from '../../../tensor.ts';
import type { Expression as Code, Statement } from '../assembler/code.ts';
import { increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import type { Lane } from '../assembler/vector.ts';
import { v128 } from '../assembler/vector.ts';
import { emitFoldedLoop } from './foldedLoop.ts';
import type { Kernel } from './kernel.ts';
import { pointerParams } from './kernel.ts';
import type { LoopParts, RowValue } from './rows.ts';
import { nest, rowCode, rowLoop } from './rows.ts';
import { toMemory } from './vectorCode.ts';

type V = Code<'v128'>;

/**
 * The kernel (inputs…, output, scratch) of a loop. Equal loops of a module share one function.
 *
 * Example  const { func } = emitLoop(module, { extents: [8], strides: [[1]], offsets: [0], expression });
 */
export const emitLoop = (module: ModuleBuilder, loop: Loop, dtypes: readonly DType[]): Kernel =>
  module.once(`loop ${loopKey(loop, dtypes)}`, () => {
    const numbers = module.once('loop numbers', () => ({ next: 0 }));
    const exportName = `loop ${numbers.next++}`;
    const signature = { exportName, params: pointerParams(dtypes.length), result: 'void' } as const;
    const func = module.define(signature, (pointers, local) => {
      const inputs = pointers.slice(0, dtypes.length);
      const output = pointers[dtypes.length]!;
      const parts = { module, loop, dtypes };
      return loop.reduction === undefined
        ? plainLoop(parts, inputs, output, local)
        : emitFoldedLoop(parts, loop.reduction, inputs, output, local);
    });
    return { func, scratchBytes: 0 };
  });

const loopKey = (
  { extents, strides, offsets, reduction, expression }: Loop,
  dtypes: readonly DType[],
): string =>
  `${JSON.stringify([extents, strides, offsets, reduction, dtypes])} ${printExpression(expression)}`;

const plainLoop = (
  { module, loop, dtypes }: LoopParts,
  inputs: readonly Local<'i32'>[],
  output: Local<'i32'>,
  local: NewLocal,
): Statement[] => {
  if (sizeOf(loop.extents) === 0) return [];
  const width = loop.extents.at(-1) ?? 1;
  const steps = loop.strides.map((strides) => strides.at(-1) ?? 0);
  const row = rowCode({ module, expression: loop.expression, inputs, dtypes, steps, local });
  const store = (code: RowValue, count: number): Statement[] => [
    ...code.statements,
    ...storeLanes(output, toMemory(code.value, loop.expression.dtype), count, local),
    increment(output, 4 * count),
  ];
  const body = [...row.before, ...rowLoop(width, row, store, local)];
  return [
    ...inputs.map((pointer, k) => increment(pointer, 4 * loop.offsets[k]!)),
    ...nest(loop.extents.slice(0, -1), loop, inputs, body, local, width),
  ];
};

const storeLanes = (output: Local<'i32'>, value: V, count: number, local: NewLocal): Statement[] => {
  if (count === 4) return [v128.store(output, value)];
  if (count === 1) return [v128.store32Lane(output, value, 0)];
  const held = local('v128');
  const lanes = Array.from({ length: count }, (_, lane) =>
    v128.store32Lane(output, held, lane as Lane, 4 * lane),
  );
  return [held.set(value), ...lanes];
};
