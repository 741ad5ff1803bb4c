// What the ONNX operators on images compute: convolution, pooling, normalisation, enlargement; and the matrix product.
import { arrayOf, indexOf, moved, positionOf } from './arrays.ts';
import type { Meaning } from './operatorMeanings.ts';
import type { OnnxArray } from './readOnnx.ts';
import type { Attributes } from './runOnnx.ts';

/** Calls `visit` for every place of a window that lies inside the image. */
const windowOf = (x: OnnxArray, { numbers }: Attributes, size: readonly number[]) => {
  const [strides, pads, dilations] = [
    numbers('strides', [1, 1]),
    numbers('pads', [0, 0, 0, 0]),
    numbers('dilations', [1, 1]),
  ];
  const out = [0, 1].map((d) => {
    const reach = dilations[d]! * (size[d]! - 1) + 1;
    return Math.floor((x.shape[d + 2]! + pads[d]! + pads[d + 2]! - reach) / strides[d]!) + 1;
  }) as [number, number];
  const visit = (
    at: readonly number[],
    each: (ky: number, kx: number, y: number, column: number) => void,
  ): void => {
    for (let ky = 0; ky < size[0]!; ky++)
      for (let kx = 0; kx < size[1]!; kx++) {
        const y = at[0]! * strides[0]! - pads[0]! + ky * dilations[0]!;
        const column = at[1]! * strides[1]! - pads[1]! + kx * dilations[1]!;
        if (y >= 0 && y < x.shape[2]! && column >= 0 && column < x.shape[3]!) each(ky, kx, y, column);
      }
  };
  return { out, visit };
};

/** Every stretch of so many elements brought to mean 0 and variance 1. */
const normalized = (x: OnnxArray, stretch: number, epsilon: number): number[] => {
  const values: number[] = [];
  for (let start = 0; start < x.data.length; start += stretch) {
    const part = Array.from(x.data.subarray(start, start + stretch));
    const mean = part.reduce((a, b) => a + b, 0) / stretch;
    const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / stretch;
    for (const value of part) values.push((value - mean) / Math.sqrt(variance + epsilon));
  }
  return values;
};

/** The operators by name. */
export const windowMeanings: Readonly<Record<string, Meaning>> = {
  Conv: ([x, weight, bias], attributes) => {
    const [outputs, perGroup, ...size] = weight!.shape as [number, number, number, number];
    if (attributes.numbers('kernel_shape').join() !== size.join()) throw new RangeError('kernel_shape');
    const inGroup = outputs / attributes.number('group', 1);
    const { out, visit } = windowOf(x!, attributes, size);
    const shape = [x!.shape[0]!, outputs, ...out];
    const [plane, taps] = [x!.shape[2]! * x!.shape[3]!, size[0]! * size[1]!];
    const value = (i: number): number => {
      const [n, o, ...at] = positionOf(i, shape) as [number, number, number, number];
      let total = bias?.data[o] ?? 0;
      const first = Math.floor(o / inGroup) * perGroup;
      visit(at, (ky, kx, y, column) => {
        const from = indexOf([n, first, y, column], x!.shape);
        const by = indexOf([o, 0, ky, kx], weight!.shape);
        for (let c = 0; c < perGroup; c++) total += x!.data[from + c * plane]! * weight!.data[by + c * taps]!;
      });
      return total;
    };
    return [arrayOf('f32', shape, value)];
  },
  MaxPool: ([x], attributes) => {
    const { out, visit } = windowOf(x!, attributes, attributes.numbers('kernel_shape'));
    const shape = [...x!.shape.slice(0, 2), ...out];
    const value = (i: number): number => {
      const [n, c, ...at] = positionOf(i, shape) as [number, number, number, number];
      let most = Number.NEGATIVE_INFINITY;
      visit(at, (_ky, _kx, y, column) => {
        most = Math.max(most, x!.data[indexOf([n, c, y, column], x!.shape)]!);
      });
      return most;
    };
    return [arrayOf('f32', shape, value)];
  },
  BatchNormalization: ([x, scale, shift, mean, variance], { number }) => {
    const epsilon = number('epsilon');
    const value = (i: number): number => {
      const c = positionOf(i, x!.shape)[1]!;
      const spread = Math.sqrt(variance!.data[c]! + epsilon);
      return ((x!.data[i]! - mean!.data[c]!) / spread) * scale!.data[c]! + shift!.data[c]!;
    };
    return [arrayOf('f32', x!.shape, value)];
  },
  InstanceNormalization: ([x, scale, shift], { number }) => {
    const [images, channels] = x!.shape as [number, number];
    const values = normalized(x!, x!.data.length / (images * channels), number('epsilon'));
    const channel = (i: number): number => positionOf(i, x!.shape)[1]!;
    return [
      arrayOf('f32', x!.shape, (i) => values[i]! * scale!.data[channel(i)]! + shift!.data[channel(i)]!),
    ];
  },
  GroupNormalization: ([x, scale, shift], { number }, opset) => {
    if (opset < 21) throw new RangeError('scale per channel before version 21');
    const values = normalized(x!, x!.data.length / (x!.shape[0]! * number('num_groups')), number('epsilon'));
    const channel = (i: number): number => positionOf(i, x!.shape)[1]!;
    return [
      arrayOf('f32', x!.shape, (i) => values[i]! * scale!.data[channel(i)]! + shift!.data[channel(i)]!),
    ];
  },
  Resize: ([x, , scales]) => {
    const factors = Array.from(scales!.data);
    const shape = x!.shape.map((n, d) => Math.floor(n * factors[d]!));
    return [moved(x!, shape, (position) => position.map((p, d) => Math.floor(p / factors[d]!)))];
  },
  GridSample: ([x, grid], { number }) => {
    if (number('align_corners') !== 0) throw new RangeError('corners of a grid');
    const [count, channels, height, width] = x!.shape as [number, number, number, number];
    const shape = [count, channels, ...grid!.shape.slice(1, 3)];
    const value = (i: number): number => {
      const [n, c, row, column] = positionOf(i, shape) as [number, number, number, number];
      const at = indexOf([n, row, column, 0], grid!.shape);
      const left = ((grid!.data[at]! + 1) * width - 1) / 2;
      const top = ((grid!.data[at + 1]! + 1) * height - 1) / 2;
      let total = 0;
      for (const y of [Math.floor(top), Math.floor(top) + 1])
        for (const k of [Math.floor(left), Math.floor(left) + 1]) {
          const share = (1 - Math.abs(top - y)) * (1 - Math.abs(left - k));
          const isInside = y >= 0 && y < height && k >= 0 && k < width;
          if (isInside) total += share * x!.data[indexOf([n, c, y, k], x!.shape)]!;
        }
      return total;
    };
    return [arrayOf('f32', shape, value)];
  },
  MatMul: ([a, b]) => {
    const [rows, inner] = a!.shape.slice(-2) as [number, number];
    const columns = b!.shape.at(-1)!;
    if (inner !== b!.shape.at(-2)) throw new RangeError('inner sizes of a product');
    const shape = [...a!.shape.slice(0, -2), rows, columns];
    const value = (i: number): number => {
      const [column, row, batch] = [
        i % columns,
        Math.floor(i / columns) % rows,
        Math.floor(i / columns / rows),
      ];
      let total = 0;
      for (let k = 0; k < inner; k++)
        total +=
          a!.data[(batch * rows + row) * inner + k]! * b!.data[(batch * inner + k) * columns + column]!;
      return total;
    };
    return [arrayOf('f32', shape, value)];
  },
};
