// The matrix product, and the convolution with both its gradients: sums of products, one per element of the output.
import type { FilterGradAttrs, InputGradAttrs, WindowAttrs } from '../../../ops/conv.ts';
import { convExtents } from '../../../ops/conv.ts';
import type { MatmulAttrs } from '../../../ops/matmul.ts';
import { matmulExtents } from '../../../ops/matmul.ts';
import type { Spec } from '../../../tensor.ts';
import { nameOf } from '../arithmetic.ts';
import type { ModeTraits } from '../modes.ts';
import { divide, indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand, Value, Writer } from '../source.ts';
import { kernelSource } from '../source.ts';

/** A sum that is open while its terms are written. */
interface Sum {
  readonly name: string;
  /** Adds the product of two elements at positions of the two inputs. */
  add(a: string, b: string): void;
}

const openSum = (writer: Writer): Sum => {
  const name = writer.define('0');
  return {
    name,
    add: (a, b) => {
      const [left, right] = [nameOf(writer.read(0, a)), nameOf(writer.read(1, b))];
      writer.assign(name, `${name} + ${left} * ${right}`);
    },
  };
};

/** The sum of parts, each added up on its own: rounding errors grow with the number of parts and the length of one. */
const sumOfParts = (writer: Writer, count: number, part: (sum: Sum, index: string) => void): Value => {
  const total = writer.define('0');
  writer.repeat(count, (index) => {
    const sum = openSum(writer);
    part(sum, index);
    writer.assign(total, `${total} + ${sum.name}`);
  });
  return { dtype: 'f32', name: total };
};

/** Products of a matrix product that are added up on their own. */
const depthOfPart = 32;

/** The kernel of `matmul`. */
export const matmulKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: MatmulAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const { batch, m, n, k } = matmulExtents(inputs[0]!.shape, inputs[1]!.shape, attrs);
    const [c, i, j] = indicesOf(writer, element, [batch, m, n]) as [string, string, string];
    const [aRow, aColumn] = attrs.transposeA ? [1, m] : [k, 1];
    const [bRow, bColumn] = attrs.transposeB ? [1, k] : [n, 1];
    const a = positionOf(writer, [c, i], [m * k, aRow]);
    const b = positionOf(writer, [c, j], [k * n, bColumn]);
    const product = (sum: Sum, p: string): void =>
      sum.add(positionOf(writer, [p], [aColumn], a), positionOf(writer, [p], [bRow], b));
    const length = k <= 2 * depthOfPart ? k : depthOfPart;
    const parts = length === 0 ? 0 : Math.ceil(k / length);
    return sumOfParts(writer, parts, (sum, part) =>
      writer.repeat(length, (step) => {
        if (parts === 1) {
          product(sum, step);
          return;
        }
        const p = writer.define(`${part} * ${length} + ${step}`);
        if (k % length === 0) product(sum, p);
        else writer.when(`${p} < ${k}`, () => product(sum, p));
      }),
    );
  });

/** The condition that an index lies in [0, size). */
const isInside = (index: string, size: number): string => `${index} >= 0 && ${index} < ${size}`;

/** The kernel of `conv2d`. */
export const conv2dKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: WindowAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const e = convExtents(inputs[0]!.shape, inputs[1]!.shape, attrs);
    const { stride, padding, dilation, groups } = attrs;
    const inGroup = e.channels / groups;
    const [n, o, oy, ox] = indicesOf(writer, element, output.shape) as [string, string, string, string];
    const { quotient: group } = divide(writer, o, e.outChannels / groups);
    const top = writer.define(`${oy} * ${stride[0]} - ${padding[0]}`);
    const left = writer.define(`${ox} * ${stride[1]} - ${padding[1]}`);
    const firstPlane = writer.define(`${n} * ${e.channels} + ${group} * ${inGroup}`);
    const firstFilter = writer.define(`${o} * ${inGroup}`);
    return sumOfParts(writer, inGroup, (sum, c) => {
      const plane = writer.define(`${firstPlane} + ${c}`);
      const filter = writer.define(`${firstFilter} + ${c}`);
      writer.repeat(e.kernelHeight, (ky) => {
        const y = writer.define(`${top} + ${ky} * ${dilation[0]}`);
        writer.when(isInside(y, e.height), () =>
          writer.repeat(e.kernelWidth, (kx) => {
            const x = writer.define(`${left} + ${kx} * ${dilation[1]}`);
            writer.when(isInside(x, e.width), () =>
              sum.add(
                writer.define(`(${plane} * ${e.height} + ${y}) * ${e.width} + ${x}`),
                writer.define(`(${filter} * ${e.kernelHeight} + ${ky}) * ${e.kernelWidth} + ${kx}`),
              ),
            );
          }),
        );
      });
    });
  });

/** The kernel of `conv2dInputGrad`: every element of the image gathers the cotangents that it had a part in. */
export const conv2dInputGradKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: InputGradAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const e = convExtents(output.shape, inputs[1]!.shape, attrs);
    const { stride, padding, dilation, groups } = attrs;
    const [inGroup, outGroup] = [e.channels / groups, e.outChannels / groups];
    const [n, plane, y, x] = indicesOf(writer, element, output.shape) as [string, string, string, string];
    const { quotient: group, rest: c } = divide(writer, plane, inGroup);
    const bottom = writer.define(`${y} + ${padding[0]}`);
    const right = writer.define(`${x} + ${padding[1]}`);
    return sumOfParts(writer, outGroup, (sum, index) => {
      const o = writer.define(`${group} * ${outGroup} + ${index}`);
      writer.repeat(e.kernelHeight, (ky) => {
        const rows = writer.define(`${bottom} - ${ky} * ${dilation[0]}`);
        const oy = divide(writer, rows, stride[0]);
        writer.when(`${oy.rest} === 0 && ${isInside(oy.quotient, e.outHeight)}`, () =>
          writer.repeat(e.kernelWidth, (kx) => {
            const columns = writer.define(`${right} - ${kx} * ${dilation[1]}`);
            const ox = divide(writer, columns, stride[1]);
            writer.when(`${ox.rest} === 0 && ${isInside(ox.quotient, e.outWidth)}`, () => {
              const image = writer.define(`${n} * ${e.outChannels} + ${o}`);
              const filter = writer.define(`${o} * ${inGroup} + ${c}`);
              sum.add(
                writer.define(
                  `(${image} * ${e.outHeight} + ${oy.quotient}) * ${e.outWidth} + ${ox.quotient}`,
                ),
                writer.define(`(${filter} * ${e.kernelHeight} + ${ky}) * ${e.kernelWidth} + ${kx}`),
              );
            });
          }),
        );
      });
    });
  });

/** The kernel of `conv2dFilterGrad`: every tap adds up over all images and rows. */
export const conv2dFilterGradKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: FilterGradAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const e = convExtents(inputs[0]!.shape, output.shape, attrs);
    const { stride, padding, dilation, groups } = attrs;
    const inGroup = e.channels / groups;
    const [o, c, ky, kx] = indicesOf(writer, element, output.shape) as [string, string, string, string];
    const { quotient: group } = divide(writer, o, e.outChannels / groups);
    const top = writer.define(`${ky} * ${dilation[0]} - ${padding[0]}`);
    const left = writer.define(`${kx} * ${dilation[1]} - ${padding[1]}`);
    return sumOfParts(writer, e.batch * e.outHeight, (sum, row) => {
      const { quotient: n, rest: oy } = divide(writer, row, e.outHeight);
      const y = writer.define(`${oy} * ${stride[0]} + ${top}`);
      writer.when(isInside(y, e.height), () => {
        const image = writer.define(
          `(${n} * ${e.channels} + ${group} * ${inGroup} + ${c}) * ${e.height} + ${y}`,
        );
        const cotangent = writer.define(`(${n} * ${e.outChannels} + ${o}) * ${e.outHeight} + ${oy}`);
        writer.repeat(e.outWidth, (ox) => {
          const x = writer.define(`${ox} * ${stride[1]} + ${left}`);
          writer.when(isInside(x, e.width), () =>
            sum.add(
              writer.define(`${image} * ${e.width} + ${x}`),
              writer.define(`${cotangent} * ${e.outWidth} + ${ox}`),
            ),
          );
        });
      });
    });
  });
