// Kernels of movement that strides cannot say: joining and padding.
import type { ConcatAttrs, PadAttrs } from '../../../ops/movement.ts';
import { sizeOf, stridesOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import { literalText, toStored } from '../expressionText.ts';
import type { FunctionName } from '../functions.ts';
import { declarationsOf } from '../functions.ts';
import type { GpuKernel, KernelContext } from '../kernel.ts';
import { perElement, stepBindings, storedType } from '../kernel.ts';
import { coordinates, position } from './indices.ts';

/** The kernel of joining along an axis: a dispatch per input, each writing its range of the output. */
export const emitConcat = (
  inputs: readonly Spec[],
  output: Spec,
  { axis }: ConcatAttrs,
  context: KernelContext,
): GpuKernel => {
  const strides = stridesOf(output.shape);
  let start = 0;
  const kernels = inputs.map((input, index) => {
    const offset = start * strides[axis]!;
    start += input.shape[axis]!;
    const bindings = [
      { name: 'source', type: 'u32', operand: { kind: 'input', index } },
      { name: 'result', type: 'u32', operand: { kind: 'output' } },
    ] as const;
    const body = [
      ...coordinates('index', input.shape, 'i'),
      `result[${position(strides, offset, 'i')}] = source[index];`,
    ];
    return perElement(sizeOf(input.shape), { bindings, body }, context);
  });
  return { dispatches: kernels.flatMap(({ dispatches }) => dispatches) };
};

/** The kernel of padding with one value. */
export const emitPad = (
  [x]: readonly Spec[],
  output: Spec,
  { before, value }: PadAttrs,
  context: KernelContext,
): GpuKernel => {
  const used = new Set<FunctionName>();
  const border = toStored(
    literalText(value, output.dtype, (name) => used.add(name)),
    output.dtype,
  );
  const { bindings } = stepBindings([storedType(x!.dtype)], storedType(output.dtype));
  const inside = before.flatMap((count, d) =>
    [`p${d} >= 0`, `p${d} < ${x!.shape[d]}`].slice(count > 0 ? 0 : 1),
  );
  const body = [
    ...coordinates('index', output.shape, 'i'),
    ...before.map((count, d) => `let p${d} = i${d} - ${count};`),
    `if (${inside.join(' && ') || 'true'}) { result[index] = input0[${position(stridesOf(x!.shape), 0, 'p')}]; }`,
    `else { result[index] = ${border}; }`,
  ];
  return perElement(sizeOf(output.shape), { bindings, declarations: declarationsOf(used), body }, context);
};
