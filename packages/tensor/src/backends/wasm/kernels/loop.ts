// The kernel of a fused loop: strided inputs, an expression, at most one reduction.

import type { Loop } from '../../../graph/loop.ts';
import type { Statement } from '../assembler/code.ts';
import type { ModuleBuilder } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { expressionKey, expressionPrinter } from './elementExpression.ts';
import { toMemory } from './elementOps.ts';
import type { Kernel } from './kernel.ts';
import type { LoopContext, Walk } from './loopNest.ts';
import { inputsAlong, stay, walkAlong, walkBoth, walkOver, writeLanes } from './loopNest.ts';
import { reductionWalk } from './reduction.ts';

/**
 * The kernel (inputs..., output, scratch) of a loop. It needs no scratch memory, and the output may be one of
 * the inputs where that one is walked exactly like the output.
 */
export function emitLoop(module: ModuleBuilder, loop: Loop): Kernel {
  return module.once(loopKey(loop), () => {
    const exportName = module.uniqueName('loop');
    const params = Array.from({ length: loop.strides.length + 2 }, () => 'i32' as const);
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [outputPointer] = pointers.slice(-2);
      if (outputPointer === undefined) return [];
      const output = { pointer: outputPointer, strides: outputStrides(loop) };
      const inputs = loop.strides.flatMap((strides, at) => {
        const pointer = pointers[at];
        return pointer === undefined ? [] : [{ pointer, strides }];
      });
      const print = expressionPrinter(module, local, loop.expression);
      const context = { local, loop, walkers: [...inputs, output], output, print };
      const starts = inputs.map(({ pointer }, at) =>
        pointer.set(i32.add(pointer, 4 * (loop.offsets[at] ?? 0))),
      );
      return [...starts, ...loopStatements(context)];
    });
    return { func, scratchBytes: 0 };
  });
}

/** Text that is equal for loops with equal code. */
function loopKey({ extents, strides, offsets, reduction, expression }: Loop): string {
  return `loop ${JSON.stringify([extents, strides, offsets, reduction ?? null])} ${expressionKey(expression)}`;
}

/** Row-major strides over the dimensions that are kept, 0 along reduced ones. */
function outputStrides({ extents, reduction }: Loop): readonly number[] {
  const kept = extents.length - (reduction?.rank ?? 0);
  return extents.map((_, dimension) =>
    dimension < kept
      ? extents.slice(dimension + 1, kept).reduce((product, extent) => product * extent, 1)
      : 0,
  );
}

function loopStatements(context: LoopContext): readonly Statement[] {
  const { loop } = context;
  const kept = loop.extents.slice(0, loop.extents.length - (loop.reduction?.rank ?? 0));
  if (kept.includes(0)) return [];
  // A fold of no dimension is the value itself.
  const isFold = loop.reduction !== undefined && loop.reduction.rank > 0;
  return (isFold ? reductionWalk(context) : elementwiseWalk(context)).statements;
}

/** Every element of the output, four along the innermost dimension at a time. */
function elementwiseWalk(context: LoopContext): Walk {
  const { local, loop, walkers, output, print } = context;
  const { extents, expression } = loop;
  const inner = extents.length - 1;
  const extent = extents[inner] ?? 1;
  const rest = extent % 4;
  const result = local('v128');
  const inputs = inputsAlong(context, inner);
  const part = (count: number): Walk => {
    const { statements, value } = print((input) => inputs.read(input, count, 0));
    return stay(walkers, [
      ...statements,
      result.set(toMemory(value, expression.dtype)),
      ...writeLanes(output.pointer, result, count, 0),
    ]);
  };
  const row = walkBoth(
    extent >= 4 ? walkAlong(walkers, local, inner, (extent - rest) / 4, part(4), 4) : stay(walkers, []),
    rest > 0 ? part(rest) : stay(walkers, []),
  );
  const rowWithInputs = walkBoth(stay(walkers, inputs.hold), row);
  return walkOver(walkers, local, extents, [...extents.keys()].slice(0, -1), rowWithInputs);
}
