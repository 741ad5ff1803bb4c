// The fused step: an expression per element, and a fold of it over trailing dimensions.
import type { Loop } from '../../../graph/loop.ts';
import type { Spec } from '../../../tensor.ts';
import { literalValue, nameOf, printExpression } from '../arithmetic.ts';
import type { ModeTraits } from '../modes.ts';
import { eachIndex, indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand, Value, Writer } from '../source.ts';
import { kernelSource } from '../source.ts';
import { openMaximum, openSum } from './fold.ts';

/** The kernel of a loop. */
export const loopKernel = (
  inputs: readonly Operand[],
  output: Spec,
  loop: Loop,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const { extents, strides, offsets, expression, reduction } = loop;
    const kept = extents.length - (reduction?.rank ?? 0);
    const outer = indicesOf(writer, element, extents.slice(0, kept));
    const bases = inputs.map((_, k) => positionOf(writer, outer, strides[k]!.slice(0, kept), offsets[k]!));
    const valueAt = (positions: readonly string[]): Value => {
      const read = new Map<number, Value>();
      return printExpression(writer, expression, (k) => {
        const value = read.get(k) ?? writer.read(k, positions[k]!);
        read.set(k, value);
        return value;
      });
    };
    if (reduction === undefined) return valueAt(bases);
    const inner = (indices: readonly string[]): Value =>
      valueAt(inputs.map((_, k) => positionOf(writer, indices, strides[k]!.slice(kept), bases[k]!)));
    const { dtype } = output;
    const folded = extents.slice(kept);
    return reduction.name === 'sum'
      ? sumOver(writer, folded, dtype, inner)
      : maximumOver(writer, folded, dtype, inner);
  });

/** Rows are added up on their own, so that the error grows with the number of rows and that of columns, not with their product. */
const sumOver = (
  writer: Writer,
  extents: readonly number[],
  dtype: Spec['dtype'],
  valueAt: (indices: readonly string[]) => Value,
): Value => {
  const total = openSum(writer, dtype);
  const rows = extents.slice(0, -1);
  const columns = extents.at(-1);
  eachIndex(writer, rows, (outer) => {
    if (columns === undefined) {
      total.add(valueAt(outer));
      return;
    }
    if (rows.length === 0 && columns < 2 * strip) {
      writer.repeat(columns, (column) => total.add(valueAt([column])));
      return;
    }
    const row = openSum(writer, dtype);
    if (columns < 2 * strip) writer.repeat(columns, (column) => row.add(valueAt([...outer, column])));
    else
      writer.repeat(Math.ceil(columns / strip), (stripe) => {
        const part = openSum(writer, dtype);
        writer.repeat(strip, (step) => {
          const column = writer.define(`${stripe} * ${strip} + ${step}`);
          writer.when(`${column} < ${columns}`, () => part.add(valueAt([...outer, column])));
        });
        row.add(part.value);
      });
    total.add(row.value);
  });
  return total.value;
};

/** Columns of a long row that are added up on their own. */
const strip = 64;

const maximumOver = (
  writer: Writer,
  extents: readonly number[],
  dtype: Spec['dtype'],
  valueAt: (indices: readonly string[]) => Value,
): Value => {
  const least = dtype === 'i32' ? -2147483648 : Number.NEGATIVE_INFINITY;
  const best = openMaximum(writer, literalValue(writer, least, dtype));
  eachIndex(writer, extents, (indices) => best.add(valueAt(indices)));
  return dtype === 'i32' ? best.value : { dtype: 'f32', name: nameOf(best.value) };
};
