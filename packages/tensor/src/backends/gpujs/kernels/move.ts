// Elements that only move: joining, padding, gathering; and their adjoint, adding up what was scattered.
import type { GatherAttrs, ScatterAttrs } from '../../../ops/indexing.ts';
import { gatherExtents } from '../../../ops/indexing.ts';
import type { ConcatAttrs, PadAttrs } from '../../../ops/movement.ts';
import { sizeOf, stridesOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import { literalValue } from '../arithmetic.ts';
import type { Pair } from '../integers.ts';
import type { ModeTraits } from '../modes.ts';
import { indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand, Writer } from '../source.ts';
import { kernelSource } from '../source.ts';
import { assignValue, openSum } from './fold.ts';

/** The kernel of `concat`. */
export const concatKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { axis }: ConcatAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const inner = sizeOf(output.shape.slice(axis + 1));
    const [block, at, rest] = indicesOf(writer, element, [
      sizeOf(output.shape.slice(0, axis)),
      output.shape[axis]!,
      inner,
    ]) as [string, string, string];
    const result = literalValue(writer, 0, output.dtype);
    let start = 0;
    inputs.forEach(({ shape }, k) => {
      const size = shape[axis]!;
      const first = start;
      start += size;
      if (size === 0) return;
      writer.when(`${at} >= ${first} && ${at} < ${start}`, () => {
        const index = writer.define(`${at} - ${first}`);
        const position = positionOf(writer, [block, index, rest], [size * inner, inner, 1]);
        assignValue(writer, result, writer.read(k, position));
      });
    });
    return result;
  });

/** The kernel of `pad`. */
export const padKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { before, value }: PadAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const { shape } = inputs[0]!;
    const indices = indicesOf(writer, element, output.shape);
    const inside = indices.map((index, d) => {
      const from = writer.define(`${index} - ${before[d]!}`);
      return { from, holds: `${from} >= 0 && ${from} < ${shape[d]!}` };
    });
    const result = literalValue(writer, value, output.dtype);
    const copy = (): void => {
      const position = positionOf(
        writer,
        inside.map(({ from }) => from),
        stridesOf(shape),
      );
      assignValue(writer, result, writer.read(0, position));
    };
    if (inside.length === 0) copy();
    else if (sizeOf(shape) > 0) writer.when(inside.map(({ holds }) => holds).join(' && '), copy);
    return result;
  });

/** The element of an array of indices as a whole number. */
const readIndex = (writer: Writer, input: number, position: string): string => {
  const { low, high } = writer.read(input, position) as Pair;
  return writer.define(`${high} * 65536 + ${low}`);
};

/** The kernel of `gather`. */
export const gatherKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: GatherAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const { batch, outer, axis, inner, count } = gatherExtents(inputs[0]!.shape, inputs[1]!.shape, attrs);
    const [b, r, j, i] = indicesOf(writer, element, [batch, outer, count, inner]) as [
      string,
      string,
      string,
      string,
    ];
    const at = readIndex(writer, 1, positionOf(writer, [b, j], [count, 1]));
    return writer.read(0, positionOf(writer, [b, r, at, i], [outer * axis * inner, axis * inner, inner, 1]));
  });

/** The kernel of `scatterAdd`: every element of the result looks at all indices in order, so that sums do not depend on timing. */
export const scatterAddKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: ScatterAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const { batch, outer, axis, inner, count } = gatherExtents(output.shape, inputs[1]!.shape, attrs);
    const [b, r, a, i] = indicesOf(writer, element, [batch, outer, axis, inner]) as [
      string,
      string,
      string,
      string,
    ];
    const total = openSum(writer, output.dtype);
    const first = positionOf(writer, [b, r, i], [outer * count * inner, count * inner, 1]);
    writer.repeat(count, (j) => {
      const at = readIndex(writer, 1, positionOf(writer, [b, j], [count, 1]));
      writer.when(`${at} === ${a}`, () => total.add(writer.read(0, positionOf(writer, [j], [inner], first))));
    });
    return total.value;
  });
