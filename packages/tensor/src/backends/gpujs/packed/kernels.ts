// The kernels of products on texels: packing, the products, unpacking.
import type { Spec } from '../../../tensor.ts';
import type { ModeTraits } from '../modes.ts';
import { divide, indicesOf, positionOf } from '../positions.ts';
import type { KernelSource, Operand, Texel, Writer } from '../source.ts';
import { blockKernelSource, blockRows, kernelSource, lanes, texelKernelSource } from '../source.ts';
import type {
  PackAttrs,
  PackedConvolutionAttrs,
  PackedDimension,
  PackedFilterGradAttrs,
  PackedMatmulAttrs,
  UnpackAttrs,
} from './ops.ts';
import { blocksFor, texelsFor } from './ops.ts';

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
  { extents, strides, packed, rows, parts }: UnpackAttrs,
  traits: ModeTraits,
): KernelSource =>
  kernelSource(inputs, output, traits, (writer, element) => {
    const indices = indicesOf(writer, element, extents);
    const four = writer.define(`Math.floor(${indices[packed]} / ${lanes})`);
    const lane = writer.define(`${indices[packed]} - ${four} * ${lanes}`);
    const number = positionOf(writer, indices, rows.strides);
    const { quotient: row, rest: block } = divide(writer, number, rows.count);
    const places = indices.map((index, d) => (d === packed ? four : index));
    const at = positionOf(writer, [...places, block], [...strides, rows.stride]);
    const sums = eachLane(() => writer.define('0'));
    for (let r = 0; r < blockRows; r++)
      writer.when(`${row} === ${r}`, () => {
        writer.repeat(parts.count, (part) => {
          const texel = writer.readTexel(0, positionOf(writer, [part], [parts.stride], at), r);
          sums.forEach((sum, i) => {
            writer.assign(sum, `${sum} + ${texel[i]}`);
          });
        });
      });
    return { dtype: 'f32', name: laneOf(writer, sums, lane) };
  });

/** The sums of a block, open while their terms are written. */
interface Sums {
  readonly names: readonly Texel[];
  /** Adds the products of the factors of every row with the texels that belong to them. */
  addProducts(factors: readonly (readonly string[])[], texels: readonly Texel[]): void;
}

const eachRow = <T>(of: (row: number) => T): readonly T[] =>
  Array.from({ length: blockRows }, (_, r) => of(r));

const openSums = (writer: Writer): Sums => {
  const names = eachRow(() => eachLane(() => writer.define('0')));
  return {
    names,
    addProducts: (factors, texels) => {
      names.forEach((row, r) => {
        row.forEach((name, lane) => {
          const terms = texels.map((texel, i) => `${factors[r]![i]} * ${texel[lane]}`);
          writer.assign(name, [name, ...terms].join(' + '));
        });
      });
    },
  };
};

/** Sums of sums: rounding errors grow with the number of parts and the length of one. */
const addTo = (writer: Writer, totals: readonly Texel[], part: (sums: Sums) => void): void => {
  const sums = openSums(writer);
  part(sums);
  totals.forEach((row, r) => {
    row.forEach((total, lane) => {
      writer.assign(total, `${total} + ${sums.names[r]![lane]}`);
    });
  });
};

/** Texels from a position on, so many apart. */
const readTexels = (
  writer: Writer,
  input: number,
  first: string,
  { stride, count = lanes }: { readonly stride: number; readonly count?: number },
): Texel[] =>
  Array.from({ length: count }, (_, i) =>
    writer.readTexel(input, i === 0 ? first : writer.define(`${first} + ${i * stride}`)),
  );

/** Texels of a row that are added up on their own. */
const depthOfPart = 8;

/** The kernel of `packedMatmul`. */
export const packedMatmulKernel = (
  inputs: readonly Operand[],
  { extents: [batch, m, n, k] }: PackedMatmulAttrs,
  traits: ModeTraits,
): KernelSource =>
  blockKernelSource(inputs, traits, (writer, block) => {
    const [count, columns, depth] = [blocksFor(m), texelsFor(n), texelsFor(k)];
    const [c, i, j] = indicesOf(writer, block, [batch, count, columns]) as [string, string, string];
    const row = positionOf(writer, [c, i], [m * depth, depth]);
    const column = positionOf(writer, [c, j], [lanes * depth * columns, 1]);
    const totals = openSums(writer).names;
    const length = depth <= 2 * depthOfPart ? depth : depthOfPart;
    const parts = Math.ceil(depth / length);
    writer.repeat(parts, (part) =>
      addTo(writer, totals, (sums) =>
        writer.repeat(length, (step) => {
          const p = parts === 1 ? step : writer.define(`${part} * ${length} + ${step}`);
          const product = (): void => {
            const left = writer.define(`${row} + ${p}`);
            const right = writer.define(`${column} + ${p} * ${lanes * columns}`);
            sums.addProducts(
              readTexels(writer, 0, left, { stride: count * depth, count: blockRows }),
              readTexels(writer, 1, right, { stride: columns }),
            );
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
  blockKernelSource(inputs, traits, (writer, block) => {
    const { batch, groups, inGroup, outGroup, image, out, kernel, stride, dilation } = attrs;
    const [height, width] = image;
    const plane = height * width;
    const count = blocksFor(batch * out[0] * out[1]);
    const [o, first] = indicesOf(writer, block, [groups * outGroup, count]) as [string, string];
    const { quotient: group } = divide(writer, o, outGroup);
    const corners = eachRow((row) => {
      const number = row === 0 ? first : writer.define(`${first} + ${row * count}`);
      const [n, y, x] = indicesOf(writer, number, [batch, ...out]) as [string, string, string];
      return positionOf(
        writer,
        [n, y, x, ...(groups === 1 ? [] : [group])],
        [groups * inGroup * plane, stride[0] * width, stride[1], inGroup * plane],
      );
    });
    const filter = writer.define(`${o} * ${kernel[0] * kernel[1] * lanes * inGroup}`);
    const totals = openSums(writer).names;
    writer.repeat(kernel[0], (ky) =>
      writer.repeat(kernel[1], (kx) =>
        addTo(writer, totals, (sums) => {
          const offset = positionOf(writer, [ky, kx], [dilation[0] * width, dilation[1]]);
          const taps = [kernel[1] * lanes * inGroup, lanes * inGroup];
          const tap = positionOf(writer, [ky, kx], taps, filter);
          writer.repeat(inGroup, (c) => {
            const channel = positionOf(writer, [c], [plane], offset);
            const pixels = corners.map((corner) =>
              writer.readTexel(0, writer.define(`${corner} + ${channel}`)),
            );
            const weights = positionOf(writer, [c], [lanes], tap);
            sums.addProducts(pixels, readTexels(writer, 1, weights, { stride: 1 }));
          });
        }),
      ),
    );
    return totals;
  });

/** The kernel of `packedFilterGrad`: four channels of a tap of four filters add up over the rows of a part. */
export const packedFilterGradKernel = (
  inputs: readonly Operand[],
  attrs: PackedFilterGradAttrs,
  traits: ModeTraits,
): KernelSource =>
  blockKernelSource(inputs, traits, (writer, block) => {
    const { batch, groups, inGroup, filters, image, out, kernel, stride, dilation, columns, parts } = attrs;
    const [height, width] = image;
    const [plane, count] = [height * width, blocksFor(filters)];
    const [part, group, o, ky, kx, c] = indicesOf(writer, block, [
      ...[parts, groups, count],
      ...kernel,
      inGroup,
    ]) as [string, string, string, string, string, string];
    const corner = positionOf(
      writer,
      [group, c, ky, kx],
      [inGroup * plane, plane, dilation[0] * width, dilation[1]],
    );
    const [rows, across] = [(batch * out[0]) / parts, texelsFor(columns)];
    const filter = positionOf(writer, [group, o], [filters * out[0] * across, out[0] * across]);
    const whole = Math.floor(columns / lanes);
    const totals = openSums(writer).names;
    writer.repeat(rows, (step) => {
      const row = parts === 1 ? step : writer.define(`${part} * ${rows} + ${step}`);
      const { quotient: n, rest: y } = divide(writer, row, out[0]);
      const pixels = positionOf(writer, [n, y], [groups * inGroup * plane, stride[0] * width], corner);
      const cotangents = positionOf(writer, [n, y], [groups * filters * out[0] * across, across], filter);
      addTo(writer, totals, (sums) => {
        const addFour = (pixel: string, cotangent: string, wanted: number): void =>
          sums.addProducts(
            readTexels(writer, 1, cotangent, { stride: count * out[0] * across, count: blockRows }),
            readTexels(writer, 0, pixel, { stride: stride[1], count: wanted }),
          );
        writer.repeat(whole, (at) =>
          addFour(
            positionOf(writer, [at], [lanes * stride[1]], pixels),
            writer.define(`${cotangents} + ${at}`),
            lanes,
          ),
        );
        if (columns % lanes === 0) return;
        addFour(
          writer.define(`${pixels} + ${whole * lanes * stride[1]}`),
          writer.define(`${cotangents} + ${whole}`),
          columns % lanes,
        );
      });
    });
    return totals;
  });
