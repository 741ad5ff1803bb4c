// Kernels that find where the largest element is: along an axis, and in pooling windows.
import type { PoolAttrs } from '../../../ops/pool.ts';
import type { ArgMaxAttrs } from '../../../ops/reduce.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { perElement, stepBindings, storedType } from '../kernel.ts';

/** The kernel of `argMax`: the first of equals. */
export const emitArgMax = (
  [x]: readonly Spec[],
  output: Spec,
  { axis }: ArgMaxAttrs,
  context: KernelContext,
): GpuKernel => {
  const length = x!.shape[axis]!;
  const inner = sizeOf(x!.shape.slice(axis + 1));
  const { bindings } = stepBindings([storedType(x!.dtype)], 'i32');
  const body = [
    `let first = index / ${inner} * ${length * inner} + index % ${inner};`,
    'var best = 0;',
    'var largest = input0[first];',
    `for (var at = 1; at < ${length}; at++) {`,
    `  let value = input0[first + at * ${inner}];`,
    '  if (value > largest) { largest = value; best = at; }',
    '}',
    'result[index] = best;',
  ];
  return perElement(sizeOf(output.shape), { bindings, body }, context);
};

/** The kernel of `poolArgMax2d`: positions in the plane; those outside the image never win. */
export const emitPoolArgMax = (
  [x]: readonly Spec[],
  output: Spec,
  { window, stride, padding }: PoolAttrs,
  context: KernelContext,
): GpuKernel => {
  const [height, width] = x!.shape.slice(2) as [number, number];
  const [outHeight, outWidth] = output.shape.slice(2) as [number, number];
  const { bindings } = stepBindings(['f32'], 'i32');
  const body = [
    `let plane = index / ${outHeight * outWidth} * ${height * width};`,
    `let top = index / ${outWidth} % ${outHeight} * ${stride[0]} - ${padding[0]};`,
    `let left = index % ${outWidth} * ${stride[1]} - ${padding[1]};`,
    `var best = max(top, 0) * ${width} + max(left, 0);`,
    'var largest = input0[plane + best];',
    `for (var y = max(top, 0); y < min(top + ${window[0]}, ${height}); y++) {`,
    `  for (var x = max(left, 0); x < min(left + ${window[1]}, ${width}); x++) {`,
    `    let candidate = y * ${width} + x;`,
    '    let value = input0[plane + candidate];',
    '    if (value > largest) { largest = value; best = candidate; }',
    '  }',
    '}',
    'result[index] = best;',
  ];
  return perElement(sizeOf(output.shape), { bindings, body }, context);
};
