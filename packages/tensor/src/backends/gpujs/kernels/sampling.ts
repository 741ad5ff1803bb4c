// Kernels of bilinear sampling and its two adjoints.
import type { SampleAttrs, SampleExtents, SampleInputGradAttrs } from '../../../ops/sampling.ts';
import { componentOrders, sampleExtents } from '../../../ops/sampling.ts';
import type { Spec } from '../../../tensor.ts';
import { nameOf } from '../arithmetic.ts';
import type { ModeTraits } from '../modes.ts';
import { divide, indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand, Writer } from '../source.ts';
import { kernelSource } from '../source.ts';

/** A point: the pixel before it along both axes, and how far behind that it lies. */
interface Point {
  readonly row: string;
  readonly column: string;
  readonly fy: string;
  readonly fx: string;
  /** The condition that it reads anything. */
  readonly isNear: string;
}

const readPoint = (
  writer: Writer,
  input: number,
  [tap, place]: readonly [string, string],
  { places, height, width }: SampleExtents,
): Point => {
  const first = positionOf(writer, [tap, place], [2 * places, 1]);
  const y = nameOf(writer.read(input, first));
  const x = nameOf(writer.read(input, writer.define(`${first} + ${places}`)));
  const [row, column] = [writer.define(`Math.floor(${y})`), writer.define(`Math.floor(${x})`)];
  return {
    row,
    column,
    fy: writer.define(`${y} - ${row}`),
    fx: writer.define(`${x} - ${column}`),
    isNear: `${y} > -1 && ${y} < ${height} && ${x} > -1 && ${x} < ${width}`,
  };
};

/** The weights of the two pixels around a position along one axis. */
const axisWeights = (writer: Writer, order: number, fraction: string): readonly [string, string] => {
  if (order === 0) return [writer.define(`1 - ${fraction}`), fraction];
  return order === 1
    ? [writer.define('0 - 1'), writer.define('1')]
    : [writer.define('0'), writer.define('0')];
};

/** Runs `use` for each of the pixels around a point, where they lie in the image, with their place in the plane and weight. */
const eachPixel = (
  writer: Writer,
  { row, column, fy, fx, isNear }: Point,
  order: SampleAttrs['order'],
  { height, width }: SampleExtents,
  use: (place: string, weight: string) => void,
): void =>
  writer.when(isNear, () => {
    const [rows, columns] = [axisWeights(writer, order[0], fy), axisWeights(writer, order[1], fx)];
    for (const [i, weight] of rows.entries())
      for (const [j, share] of columns.entries()) {
        const [y, x] = [writer.define(`${row} + ${i}`), writer.define(`${column} + ${j}`)];
        writer.when(`${y} >= 0 && ${y} < ${height} && ${x} >= 0 && ${x} < ${width}`, () =>
          use(positionOf(writer, [y, x], [width, 1]), writer.define(`${weight} * ${share}`)),
        );
      }
  });

/** The kernel of `sampleBilinear`. */
export const sampleKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { order }: SampleAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const e = sampleExtents(inputs[0]!.shape, inputs[1]!.shape);
    const [plane, k, place] = indicesOf(writer, element, [e.batch * e.channels, e.taps, e.places]) as [
      string,
      string,
      string,
    ];
    const { quotient: group } = divide(writer, plane, e.channels / e.groups);
    const tap = positionOf(writer, [group, k], [e.taps, 1]);
    const total = writer.define('0');
    eachPixel(writer, readPoint(writer, 1, [tap, place], e), order, e, (pixel, weight) => {
      const value = writer.read(0, positionOf(writer, [plane, pixel], [e.height * e.width, 1]));
      writer.assign(total, `${total} + ${weight} * ${nameOf(value)}`);
    });
    const mask = nameOf(writer.read(2, positionOf(writer, [tap, place], [e.places, 1])));
    return { dtype: 'f32', name: writer.define(`${mask} * ${total}`) };
  });

/** The kernel of `sampleBilinearInputGrad`: every pixel looks at all points in order, so that sums do not depend on timing. */
export const sampleInputGradKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { order }: SampleInputGradAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const e = sampleExtents(output.shape, inputs[1]!.shape);
    const [plane, own] = indicesOf(writer, element, [e.batch * e.channels, e.height * e.width]) as [
      string,
      string,
    ];
    const { quotient: group } = divide(writer, plane, e.channels / e.groups);
    const total = writer.define('0');
    writer.repeat(e.taps, (k) => {
      const tap = positionOf(writer, [group, k], [e.taps, 1]);
      writer.repeat(e.places, (place) =>
        eachPixel(writer, readPoint(writer, 1, [tap, place], e), order, e, (pixel, weight) =>
          writer.when(`${pixel} === ${own}`, () => {
            const column = positionOf(writer, [plane, k, place], [e.taps * e.places, e.places, 1]);
            const mask = nameOf(writer.read(2, positionOf(writer, [tap, place], [e.places, 1])));
            const amount = writer.define(`${mask} * ${nameOf(writer.read(0, column))}`);
            writer.assign(total, `${total} + ${weight} * ${amount}`);
          }),
        ),
      );
    });
    return { dtype: 'f32', name: total };
  });

/** The kernel of `sampleBilinearPointGrad`: every component of a point adds up over the channels of its group. */
export const samplePointGradKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { order }: SampleAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const e = sampleExtents(inputs[0]!.shape, inputs[2]!.shape);
    const inGroup = e.channels / e.groups;
    const [group, k, component, place] = indicesOf(writer, element, [
      e.batch * e.groups,
      e.taps,
      3,
      e.places,
    ]) as [string, string, string, string];
    const tap = positionOf(writer, [group, k], [e.taps, 1]);
    const point = readPoint(writer, 2, [tap, place], e);
    const total = writer.define('0');
    for (const [i, orders] of componentOrders(order).entries())
      writer.when(`${component} === ${i}`, () =>
        eachPixel(writer, point, orders, e, (pixel, weight) => {
          const sum = writer.define('0');
          writer.repeat(inGroup, (c) => {
            const plane = positionOf(writer, [group, c], [inGroup, 1]);
            const value = nameOf(writer.read(0, positionOf(writer, [plane, pixel], [e.height * e.width, 1])));
            const column = positionOf(writer, [plane, k, place], [e.taps * e.places, e.places, 1]);
            writer.assign(sum, `${sum} + ${value} * ${nameOf(writer.read(1, column))}`);
          });
          writer.assign(total, `${total} + ${weight} * ${sum}`);
        }),
      );
    return { dtype: 'f32', name: total };
  });
