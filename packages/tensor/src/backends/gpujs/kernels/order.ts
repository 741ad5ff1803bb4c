// Where the largest elements lie: along an axis, in pooling windows, and the first few of a row.
import type { TopKAttrs } from '../../../ops/indexing.ts';
import type { PoolAttrs } from '../../../ops/pool.ts';
import type { ArgMaxAttrs } from '../../../ops/reduce.ts';
import { sizeOf } from '../../../shape.ts';
import type { Spec } from '../../../tensor.ts';
import type { ModeTraits } from '../modes.ts';
import { indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand } from '../source.ts';
import { kernelSource } from '../source.ts';
import { assignValue, copyOf, indexPair, isEqual, isLarger } from './fold.ts';

/** The kernel of `argMax`. */
export const argMaxKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { axis }: ArgMaxAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const { shape } = inputs[0]!;
    const inner = sizeOf(shape.slice(axis + 1));
    const [block, rest] = indicesOf(writer, element, [sizeOf(shape.slice(0, axis)), inner]) as [
      string,
      string,
    ];
    const first = positionOf(writer, [block, rest], [shape[axis]! * inner, 1]);
    const best = copyOf(writer, writer.read(0, first));
    const at = writer.define('0');
    writer.repeat(shape[axis]!, (k) => {
      const candidate = writer.read(0, positionOf(writer, [k], [inner], first));
      writer.when(isLarger(candidate, best), () => {
        assignValue(writer, best, candidate);
        writer.assign(at, k);
      });
    });
    return indexPair(writer, at);
  });

/** The kernel of `poolArgMax2d`. */
export const poolArgMaxKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { window, stride, padding }: PoolAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const [, , height, width] = inputs[0]!.shape as [number, number, number, number];
    const planes = output.shape[0]! * output.shape[1]!;
    const [plane, oy, ox] = indicesOf(writer, element, [planes, output.shape[2]!, output.shape[3]!]) as [
      string,
      string,
      string,
    ];
    const top = writer.define(`${oy} * ${stride[0]} - ${padding[0]}`);
    const left = writer.define(`${ox} * ${stride[1]} - ${padding[1]}`);
    const firstRow = writer.define(`${top} < 0 ? 0 : ${top}`);
    const firstColumn = writer.define(`${left} < 0 ? 0 : ${left}`);
    const start = writer.define(`${plane} * ${height * width}`);
    const at = writer.define(`${firstRow} * ${width} + ${firstColumn}`);
    const best = copyOf(writer, writer.read(0, writer.define(`${start} + ${at}`)));
    writer.repeat(window[0], (ky) => {
      const y = writer.define(`${top} + ${ky}`);
      writer.when(`${y} >= 0 && ${y} < ${height}`, () =>
        writer.repeat(window[1], (kx) => {
          const x = writer.define(`${left} + ${kx}`);
          writer.when(`${x} >= 0 && ${x} < ${width}`, () => {
            const position = writer.define(`${y} * ${width} + ${x}`);
            const candidate = writer.read(0, writer.define(`${start} + ${position}`));
            writer.when(isLarger(candidate, best), () => {
              assignValue(writer, best, candidate);
              writer.assign(at, position);
            });
          });
        }),
      );
    });
    return indexPair(writer, at);
  });

/**
 * The kernel of `topKIndices`: the k-th largest is found by taking the largest below the one before, k times. NaN is never taken
 * before another value.
 */
export const topKIndicesKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { count }: TopKAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const length = inputs[0]!.shape.at(-1)!;
    const [row, rank] = indicesOf(writer, element, [sizeOf(output.shape.slice(0, -1)), count]) as [
      string,
      string,
    ];
    const start = writer.define(`${row} * ${length}`);
    const previous = copyOf(writer, writer.read(0, start));
    const previousAt = writer.define('0 - 1');
    writer.repeat(count, (round) =>
      writer.when(`${round} <= ${rank}`, () => {
        const best = copyOf(writer, previous);
        const bestAt = writer.define('0 - 1');
        writer.repeat(length, (k) => {
          const candidate = writer.read(0, writer.define(`${start} + ${k}`));
          const isLeft = writer.define(
            `(${previousAt} < 0 || ${isLarger(previous, candidate)} || (${isEqual(candidate, previous)} && ${k} > ${previousAt})) ? 1 : 0`,
          );
          writer.when(`${isLeft} > 0.5 && (${bestAt} < 0 || ${isLarger(candidate, best)})`, () => {
            assignValue(writer, best, candidate);
            writer.assign(bestAt, k);
          });
        });
        assignValue(writer, previous, best);
        writer.assign(previousAt, bestAt);
      }),
    );
    return indexPair(writer, previousAt);
  });
