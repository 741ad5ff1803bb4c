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

/** Runs the body where an index lies in [0, size), or always where nothing could be outside. */
const whereInside = (
  writer: Writer,
  { index, size, always }: { readonly index: string; readonly size: number; readonly always: boolean },
  body: () => void,
): void => {
  if (always) body();
  else writer.when(`${index} >= 0 && ${index} < ${size}`, body);
};

/** The sum of one part per tap of the filter that `place` finds inside; channels, which need no such question, are innermost. */
const sumOfTaps = (
  writer: Writer,
  [rows, columns]: readonly [number, number],
  whereRow: (ky: string, body: (row: string) => void) => void,
  whereColumn: (kx: string, body: (column: string) => void) => void,
  part: (sum: Sum, row: string, column: string, tap: string) => void,
): Value => {
  const total = writer.define('0');
  writer.repeat(rows, (ky) =>
    whereRow(ky, (row) =>
      writer.repeat(columns, (kx) =>
        whereColumn(kx, (column) => {
          const sum = openSum(writer);
          part(sum, row, column, writer.define(`${ky} * ${columns} + ${kx}`));
          writer.assign(total, `${total} + ${sum.name}`);
        }),
      ),
    ),
  );
  return { dtype: 'f32', name: total };
};

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
    const [plane, taps] = [e.height * e.width, e.kernelHeight * e.kernelWidth];
    const image = writer.define(`(${n} * ${e.channels} + ${group} * ${inGroup}) * ${plane}`);
    const filter = writer.define(`${o} * ${inGroup * taps}`);
    const always = padding.every((side) => side === 0);
    return sumOfTaps(
      writer,
      [e.kernelHeight, e.kernelWidth],
      (ky, body) => {
        const index = writer.define(`${top} + ${ky} * ${dilation[0]}`);
        whereInside(writer, { index, size: e.height, always }, () => body(index));
      },
      (kx, body) => {
        const index = writer.define(`${left} + ${kx} * ${dilation[1]}`);
        whereInside(writer, { index, size: e.width, always }, () => body(index));
      },
      (sum, y, x, tap) => {
        const first = writer.define(`${image} + ${y} * ${e.width} + ${x}`);
        const weight = writer.define(`${filter} + ${tap}`);
        writer.repeat(inGroup, (c) =>
          sum.add(positionOf(writer, [c], [plane], first), positionOf(writer, [c], [taps], weight)),
        );
      },
    );
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
    const [n, channel, y, x] = indicesOf(writer, element, output.shape) as [string, string, string, string];
    const { quotient: group, rest: c } = divide(writer, channel, inGroup);
    const bottom = writer.define(`${y} + ${padding[0]}`);
    const right = writer.define(`${x} + ${padding[1]}`);
    const [plane, taps] = [e.outHeight * e.outWidth, e.kernelHeight * e.kernelWidth];
    const image = writer.define(`(${n} * ${e.outChannels} + ${group} * ${outGroup}) * ${plane}`);
    const filter = writer.define(`(${group} * ${outGroup * inGroup} + ${c}) * ${taps}`);
    /** Runs the body with the place in the output that a tap comes from, where there is one. */
    const whereFrom = (place: string, step: number, size: number, body: (index: string) => void): void => {
      if (step === 1) {
        whereInside(writer, { index: place, size, always: false }, () => body(place));
        return;
      }
      const { quotient, rest } = divide(writer, place, step);
      writer.when(`${rest} === 0 && ${quotient} >= 0 && ${quotient} < ${size}`, () => body(quotient));
    };
    return sumOfTaps(
      writer,
      [e.kernelHeight, e.kernelWidth],
      (ky, body) =>
        whereFrom(writer.define(`${bottom} - ${ky} * ${dilation[0]}`), stride[0], e.outHeight, body),
      (kx, body) =>
        whereFrom(writer.define(`${right} - ${kx} * ${dilation[1]}`), stride[1], e.outWidth, body),
      (sum, oy, ox, tap) => {
        const first = writer.define(`${image} + ${oy} * ${e.outWidth} + ${ox}`);
        const weight = writer.define(`${filter} + ${tap}`);
        writer.repeat(outGroup, (o) =>
          sum.add(positionOf(writer, [o], [plane], first), positionOf(writer, [o], [inGroup * taps], weight)),
        );
      },
    );
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
    const channel = writer.define(`${group} * ${inGroup} + ${c}`);
    const always = padding.every((side) => side === 0);
    return sumOfParts(writer, e.batch * e.outHeight, (sum, row) => {
      const { quotient: n, rest: oy } = divide(writer, row, e.outHeight);
      const y = writer.define(`${oy} * ${stride[0]} + ${top}`);
      whereInside(writer, { index: y, size: e.height, always }, () => {
        const image = writer.define(
          `((${n} * ${e.channels} + ${channel}) * ${e.height} + ${y}) * ${e.width}`,
        );
        const cotangent = writer.define(
          `((${n} * ${e.outChannels} + ${o}) * ${e.outHeight} + ${oy}) * ${e.outWidth}`,
        );
        writer.repeat(e.outWidth, (ox) => {
          const x = writer.define(`${ox} * ${stride[1]} + ${left}`);
          whereInside(writer, { index: x, size: e.width, always }, () =>
            sum.add(writer.define(`${image} + ${x}`), writer.define(`${cotangent} + ${ox}`)),
          );
        });
      });
    });
  });
