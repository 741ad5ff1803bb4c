// The kernels of products on texels: packing, the products, unpacking.
import type { Spec } from '../../../tensor.ts';
import type { ModeTraits } from '../modes.ts';
import { divide, indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand, Texel, Writer } from '../source.ts';
import { kernelSource, lanes, texelKernelSource } from '../source.ts';
import type {
  PackAttrs,
  PackedConvolutionAttrs,
  PackedDimension,
  PackedFilterGradAttrs,
  PackedMatmulAttrs,
  UnpackAttrs,
} from './steps.ts';
import { texelsFor } from './steps.ts';

const eachLane = <T>(of: (lane: number) => T): readonly [T, T, T, T] => [of(0), of(1), of(2), of(3)];

/** The index of the number that a texel's index stands for, and the conditions under which there is one. */
const sourceIndex = (
  writer: Writer,
  index: string,
  { size, extent, before = 0, spread = 1 }: PackedDimension,
): { readonly index: string; readonly conditions: readonly string[] } => {
  const shifted = before === 0 ? index : writer.define(`${index} - ${before}`.replace('- -', '+ '));
  const bounds = (at: string): readonly string[] => [
    ...(before > 0 ? [`${at} >= 0`] : []),
    ...(size - before > (extent - 1) * spread + 1 ? [`${at} < ${extent}`] : []),
  ];
  if (spread === 1) return { index: shifted, conditions: bounds(shifted) };
  const { quotient, rest } = divide(writer, shifted, spread);
  return { index: quotient, conditions: [`${rest} === 0`, ...bounds(quotient)] };
};

const whenAll = (writer: Writer, conditions: readonly string[], body: () => void): void => {
  if (conditions.length === 0) body();
  else writer.when(conditions.join(' && '), body);
};

/** The kernel of `pack`. */
export const packKernel = (
  inputs: readonly Operand[],
  { dimensions, offset }: PackAttrs,
  traits: ModeTraits,
): KernelSource =>
  texelKernelSource(inputs, traits, (writer, texel) => {
    const indices = indicesOf(
      writer,
      texel,
      dimensions.map(({ size }) => size),
    );
    const packed = dimensions.findIndex(({ isPacked }) => isPacked === true);
    const conditions: string[] = [];
    const sources = indices.map((index, d) => {
      if (d === packed) return writer.define(`${index} * ${lanes}`);
      const source = sourceIndex(writer, index, dimensions[d]!);
      conditions.push(...source.conditions);
      return source.index;
    });
    const { extent, stride } = dimensions[packed]!;
    const values = eachLane(() => writer.define('0'));
    whenAll(writer, conditions, () => {
      const first = positionOf(
        writer,
        sources,
        dimensions.map((dimension) => dimension.stride),
        offset,
      );
      values.forEach((value, lane) => {
        const take = (): void => {
          const at = lane === 0 ? first : writer.define(`${first} + ${lane * stride}`);
          const number = writer.read(0, at);
          if (number.dtype !== 'i32') writer.assign(value, number.name);
        };
        const isSure = lane === 0 || extent % lanes === 0;
        whenAll(writer, isSure ? [] : [`${sources[packed]} < ${extent - lane}`], take);
      });
    });
    return values;
  });

/** One of a texel's numbers. */
const laneOf = (writer: Writer, texel: Texel, lane: string): string => {
  const lower = writer.define(`${lane} < 0.5 ? ${texel[0]} : ${texel[1]}`);
  const upper = writer.define(`${lane} < 2.5 ? ${texel[2]} : ${texel[3]}`);
  return writer.define(`${lane} < 1.5 ? ${lower} : ${upper}`);
};

/** The kernel of `unpack`. */
export const unpackKernel = (
  inputs: readonly Operand[],
  output: Spec,
  { extents, strides, packed, parts }: UnpackAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const indices = indicesOf(writer, element, extents);
    const four = writer.define(`Math.floor(${indices[packed]} / ${lanes})`);
    const lane = writer.define(`${indices[packed]} - ${four} * ${lanes}`);
    const places = indices.map((index, d) => (d === packed ? four : index));
    const at = positionOf(writer, places, strides);
    if (parts === 1) return { dtype: 'f32', name: laneOf(writer, writer.readTexel(0, at), lane) };
    const size = extents.reduce((total, n, d) => total * (d === packed ? texelsFor(n) : n), 1);
    const total = writer.define('0');
    writer.repeat(parts, (part) => {
      const texel = writer.readTexel(0, positionOf(writer, [part], [size], at));
      writer.assign(total, `${total} + ${laneOf(writer, texel, lane)}`);
    });
    return { dtype: 'f32', name: total };
  });

/** Four sums that are open while their terms are written. */
interface Sums {
  readonly names: Texel;
  /** Adds to every sum the products of the factors with its numbers of the rows. */
  addProducts(factors: readonly string[], rows: readonly Texel[]): void;
}

const openSums = (writer: Writer): Sums => {
  const names = eachLane(() => writer.define('0'));
  return {
    names,
    addProducts: (factors, rows) => {
      names.forEach((name, lane) => {
        const terms = factors.map((factor, i) => `${factor} * ${rows[i]![lane]}`);
        writer.assign(name, [name, ...terms].join(' + '));
      });
    },
  };
};

/** Sums of sums: rounding errors grow with the number of parts and the length of one. */
const addTo = (writer: Writer, totals: Texel, part: (sums: Sums) => void): void => {
  const sums = openSums(writer);
  part(sums);
  totals.forEach((total, lane) => {
    writer.assign(total, `${total} + ${sums.names[lane]}`);
  });
};

/** The four texels from a position on, so many texels apart. */
const readRows = (writer: Writer, input: number, first: string, stride: number, count = lanes): Texel[] =>
  Array.from({ length: count }, (_, row) =>
    writer.readTexel(input, row === 0 ? first : writer.define(`${first} + ${row * stride}`)),
  );

/** Texels of a row that are added up on their own. */
const depthOfPart = 8;

/** The kernel of `packedMatmul`. */
export const packedMatmulKernel = (
  inputs: readonly Operand[],
  { extents: [batch, m, n, k] }: PackedMatmulAttrs,
  traits: ModeTraits,
): KernelSource =>
  texelKernelSource(inputs, traits, (writer, texel) => {
    const [columns, depth] = [texelsFor(n), texelsFor(k)];
    const [c, i, j] = indicesOf(writer, texel, [batch, m, columns]) as [string, string, string];
    const row = positionOf(writer, [c, i], [m * depth, depth]);
    const column = positionOf(writer, [c, j], [lanes * depth * columns, 1]);
    const totals = eachLane(() => writer.define('0'));
    const length = depth <= 2 * depthOfPart ? depth : depthOfPart;
    const parts = Math.ceil(depth / length);
    writer.repeat(parts, (part) =>
      addTo(writer, totals, (sums) =>
        writer.repeat(length, (step) => {
          const p = parts === 1 ? step : writer.define(`${part} * ${length} + ${step}`);
          const product = (): void => {
            const factors = writer.readTexel(0, writer.define(`${row} + ${p}`));
            const first = writer.define(`${column} + ${p} * ${lanes * columns}`);
            sums.addProducts(factors, readRows(writer, 1, first, columns));
          };
          whenAll(writer, depth % length === 0 ? [] : [`${p} < ${depth}`], product);
        }),
      ),
    );
    return totals;
  });

/** The kernel of `packedConvolution`. */
export const packedConvolutionKernel = (
  inputs: readonly Operand[],
  attrs: PackedConvolutionAttrs,
  traits: ModeTraits,
): KernelSource =>
  texelKernelSource(inputs, traits, (writer, texel) => {
    const { batch, groups, inGroup, outGroup, image, out, kernel, stride, dilation } = attrs;
    const [n, o, y, x] = indicesOf(writer, texel, [batch, groups * outGroup, ...out]) as [
      string,
      string,
      string,
      string,
    ];
    const [height, width] = image;
    const [plane, channels] = [height * width, groups * inGroup];
    const first = positionOf(writer, [n, y, x], [channels * plane, stride[0] * width, stride[1]]);
    const group = groups === 1 ? undefined : divide(writer, o, outGroup).quotient;
    const corner = group === undefined ? first : positionOf(writer, [group], [inGroup * plane], first);
    const filter = writer.define(`${o} * ${kernel[0] * kernel[1] * lanes * inGroup}`);
    const totals = eachLane(() => writer.define('0'));
    writer.repeat(kernel[0], (ky) =>
      writer.repeat(kernel[1], (kx) =>
        addTo(writer, totals, (sums) => {
          const pixel = positionOf(writer, [ky, kx], [dilation[0] * width, dilation[1]], corner);
          const tap = positionOf(writer, [ky, kx], [kernel[1] * lanes * inGroup, lanes * inGroup], filter);
          writer.repeat(inGroup, (c) => {
            const factors = writer.readTexel(0, positionOf(writer, [c], [plane], pixel));
            sums.addProducts(factors, readRows(writer, 1, positionOf(writer, [c], [lanes], tap), 1));
          });
        }),
      ),
    );
    return totals;
  });

/** The kernel of `packedFilterGrad`: four channels of a tap add up over the rows of a part. */
export const packedFilterGradKernel = (
  inputs: readonly Operand[],
  attrs: PackedFilterGradAttrs,
  traits: ModeTraits,
): KernelSource =>
  texelKernelSource(inputs, traits, (writer, texel) => {
    const { batch, groups, inGroup, filters, image, out, kernel, stride, dilation, columns, parts } = attrs;
    const [part, o, ky, kx, c] = indicesOf(writer, texel, [parts, groups * filters, ...kernel, inGroup]) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const [height, width] = image;
    const plane = height * width;
    const corner = positionOf(writer, [c, ky, kx], [plane, dilation[0] * width, dilation[1]]);
    const group = groups === 1 ? undefined : divide(writer, o, filters).quotient;
    const start = group === undefined ? corner : positionOf(writer, [group], [inGroup * plane], corner);
    const totals = eachLane(() => writer.define('0'));
    const [rows, across] = [(batch * out[0]) / parts, texelsFor(columns)];
    const whole = Math.floor(columns / lanes);
    writer.repeat(rows, (step) => {
      const row = parts === 1 ? step : writer.define(`${part} * ${rows} + ${step}`);
      const { quotient: n, rest: y } = divide(writer, row, out[0]);
      const pixels = positionOf(writer, [n, y], [groups * inGroup * plane, stride[0] * width], start);
      const cotangents = positionOf(
        writer,
        [n, o, y],
        [groups * filters * out[0] * across, out[0] * across, across],
      );
      const four = (sums: Sums, at: string | undefined, count: number): void => {
        const pixel =
          at === undefined
            ? writer.define(`${pixels} + ${lanes * whole * stride[1]}`)
            : positionOf(writer, [at], [lanes * stride[1]], pixels);
        const place = writer.define(`${cotangents} + ${at ?? whole}`);
        const factors = writer.readTexel(1, place).slice(0, count);
        sums.addProducts(factors, readRows(writer, 0, pixel, stride[1], count));
      };
      addTo(writer, totals, (sums) => {
        writer.repeat(whole, (at) => four(sums, at, lanes));
        if (columns % lanes > 0) four(sums, undefined, columns % lanes);
      });
    });
    return totals;
  });
