// Kernels whose positions are data: gather, its adjoint, and the indices of the largest.
import type { GatherAttrs, ScatterAttrs, TopKAttrs } from '../../../ops/indexing.ts';
import { gatherExtents } from '../../../ops/indexing.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { perElement, stepBindings, storedType } from '../kernel.ts';

/** The kernel of `gather`: a thread per element of the result. */
export const emitGather = (
  [x, indices]: readonly Spec[],
  output: Spec,
  attrs: GatherAttrs,
  context: KernelContext,
): GpuKernel => {
  const { outer, axis, inner, count } = gatherExtents(x!.shape, indices!.shape, attrs);
  const { bindings } = stepBindings(['u32', 'i32'], 'u32');
  const body = [
    `let i = index % ${inner};`,
    `let j = index / ${inner} % ${count};`,
    `let row = index / ${inner * count};`,
    `let place = input1[row / ${outer} * ${count} + j];`,
    `result[index] = input0[(row * ${axis} + place) * ${inner} + i];`,
  ];
  return perElement(sizeOf(output.shape), { bindings, body }, context);
};

/**
 * The kernel of `scatterAdd`: a thread per element of the result looks through the indices for what is added to it, in their order, so
 * that equal runs give equal bits, which atomic additions would not.
 */
export const emitScatterAdd = (
  [updates, indices]: readonly Spec[],
  output: Spec,
  attrs: ScatterAttrs,
  context: KernelContext,
): GpuKernel => {
  const { outer, axis, inner, count } = gatherExtents(output.shape, indices!.shape, attrs);
  const type = storedType(updates!.dtype);
  const { bindings } = stepBindings([type, 'i32'], type);
  const body = [
    `let i = index % ${inner};`,
    `let place = index / ${inner} % ${axis};`,
    `let row = index / ${inner * axis};`,
    `let first = row / ${outer} * ${count};`,
    `var total = ${type}(0);`,
    `for (var j = 0; j < ${count}; j++) {`,
    `  if (input1[first + j] == place) { total += input0[(row * ${count} + j) * ${inner} + i]; }`,
    '}',
    'result[index] = total;',
  ];
  return perElement(sizeOf(output.shape), { bindings, body }, context);
};

/** The kernel of `topKIndices`: every element counts those that come before it, and the first `count` write where they belong. */
export const emitTopK = (
  [x]: readonly Spec[],
  _output: Spec,
  { count }: TopKAttrs,
  context: KernelContext,
): GpuKernel => {
  const length = x!.shape.at(-1)!;
  const { bindings } = stepBindings([storedType(x!.dtype)], 'i32');
  const body = [
    `let row = index / ${length};`,
    `let own = index % ${length};`,
    'let value = input0[index];',
    'var rank = 0;',
    `for (var other = 0; other < ${length}; other++) {`,
    `  let rival = input0[row * ${length} + other];`,
    '  if (rival > value || (rival == value && other < own)) { rank++; }',
    '}',
    `if (rank < ${count}) { result[row * ${count} + rank] = own; }`,
  ];
  return count === 0 ? { dispatches: [] } : perElement(sizeOf(x!.shape), { bindings, body }, context);
};
