// Compositions against plain loops over numbers, and against laws they must obey.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.ts';
import * as t from '../src/index.ts';
import { drawFrom } from '../src/testing/draw.ts';
import { shape, tensorOf } from './arbitraries.ts';

const draw = drawFrom(5);

/** Random numbers as a tensor and as a list. */
const sample = (...shape: number[]): { x: Tensor; values: number[] } => {
  const { data } = draw.uniform(shape, -3, 3);
  return { x: t.tensor(data, { shape }), values: Array.from(data) };
};

const numbers = async (x: Tensor): Promise<number[]> => {
  const backend = await t.createBackend('cpu', { precision: 'f64' });
  return Array.from(await t.read(await t.evaluate(x, { backend })));
};

/** Expects values equal up to double rounding. */
const expectClose = async (actual: Tensor, expected: readonly number[], relative = 1e-12): Promise<void> => {
  const values = await numbers(actual);
  expect(values).toHaveLength(expected.length);
  for (const [i, value] of values.entries())
    expect(
      Math.abs(value - expected[i]!),
      `element ${i}: ${value} instead of ${expected[i]}`,
    ).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(expected[i]!)));
};

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('normalisation', () => {
  test('groupNorm is the normalisation of every group of channels of every image', async () => {
    const [images, channels, height, width, groups, epsilon] = [2, 6, 3, 5, 3, 1e-3] as const;
    const { x, values } = sample(images, channels, height, width);
    const [weight, bias] = [sample(channels), sample(channels)];
    const pixels = height * width;
    const groupSize = (channels / groups) * pixels;
    const expected = values.map((value, i) => {
      const start = Math.floor(i / groupSize) * groupSize;
      const group = values.slice(start, start + groupSize);
      const mean = meanOf(group);
      const variance = meanOf(group.map((v) => (v - mean) ** 2));
      const channel = Math.floor(i / pixels) % channels;
      return (
        ((value - mean) / Math.sqrt(variance + epsilon)) * weight.values[channel]! + bias.values[channel]!
      );
    });
    await expectClose(t.groupNorm(x, { weight: weight.x, bias: bias.x }, { groups, epsilon }), expected);
  });

  test('groupNorm does not change when a group is shifted and scaled', async () => {
    const { x } = sample(1, 4, 3, 3);
    const params = { weight: t.ones([4]), bias: t.zeros([4]) };
    const moved = t.add(t.mul(x, 7), 100);
    const [plain, after] = [x, moved].map((y) => t.groupNorm(y, params, { groups: 2, epsilon: 0 }));
    await expectClose(after!, await numbers(plain!), 1e-11);
  });

  test('frozenBatchNorm scales and shifts every channel by its stored statistics', async () => {
    const { x, values } = sample(2, 3, 2, 2);
    const [weight, bias, mean] = [sample(3), sample(3), sample(3)];
    const variance = [0.5, 1, 4];
    const params = { weight: weight.x, bias: bias.x, running_mean: mean.x, running_var: t.tensor(variance) };
    const expected = values.map((value, i) => {
      const c = Math.floor(i / 4) % 3;
      return (
        ((value - mean.values[c]!) / Math.sqrt(variance[c]! + 1e-5)) * weight.values[c]! + bias.values[c]!
      );
    });
    await expectClose(t.frozenBatchNorm(x, params), expected);
  });
});

describe('statistics', () => {
  test('mean and variance over axes are those of the elements there', async () => {
    const { x, values } = sample(3, 4);
    const rows = [0, 1, 2].map((r) => values.slice(4 * r, 4 * r + 4));
    await expectClose(t.mean(x, 1), rows.map(meanOf));
    await expectClose(
      t.variance(x, 1),
      rows.map((row) => meanOf(row.map((v) => (v - meanOf(row)) ** 2))),
    );
    await expectClose(t.mean(x), [meanOf(values)]);
    expect(t.variance(x, [0, 1], { keepDims: true }).shape).toEqual([1, 1]);
  });

  test('the mean and variance of nothing are NaN; the minimum of nothing is Infinity', async () => {
    expect(await numbers(t.mean(t.zeros([2, 0]), 1))).toEqual([Number.NaN, Number.NaN]);
    expect(await numbers(t.min(t.zeros([0])))).toEqual([Number.POSITIVE_INFINITY]);
  });

  test('min is the smallest element', async () => {
    const { x, values } = sample(5, 3);
    await expectClose(t.min(x), [Math.min(...values)]);
  });

  test('softmax is the share of each exponential, along any axis', async () => {
    const { x, values } = sample(3, 4);
    const powers = values.map(Math.exp);
    const rowSum = (r: number): number => powers.slice(4 * r, 4 * r + 4).reduce((a, b) => a + b);
    const columnSum = (c: number): number => powers[c]! + powers[4 + c]! + powers[8 + c]!;
    await expectClose(
      t.softmax(x),
      powers.map((p, i) => p / rowSum(Math.floor(i / 4))),
    );
    await expectClose(
      t.softmax(x, 0),
      powers.map((p, i) => p / columnSum(i % 4)),
    );
  });

  test('softmax and logSumExp do not overflow and do not change with a shift', async () => {
    const x = t.tensor([1000, 1001, 999]);
    const small = t.tensor([0, 1, -1]);
    await expectClose(t.softmax(x), await numbers(t.softmax(small)));
    await expectClose(t.logSumExp(x, 0), [1000 + Math.log(1 + Math.E + 1 / Math.E)]);
    await expectClose(t.logSumExp(t.neg(x), 0), [-1000 + Math.log(1 + Math.E + 1 / Math.E)]);
  });
});

describe('activations', () => {
  test('softplus and logSigmoid are exact where naive formulas overflow or vanish', async () => {
    const x = t.tensor([-800, -40, -1, 0, 1, 40, 800]);
    const softplus = [
      0,
      Math.exp(-40),
      Math.log1p(Math.exp(-1)),
      Math.LN2,
      1 + Math.log1p(Math.exp(-1)),
      40,
      800,
    ];
    await expectClose(t.softplus(x), softplus);
    await expectClose(
      t.logSigmoid(t.neg(x)),
      softplus.map((v) => -v),
    );
    const tiny = (await numbers(t.softplus(t.tensor([-40]))))[0]!;
    expect(tiny / Math.exp(-40)).toBeCloseTo(1, 12);
  });

  test('relu keeps NaN and gives no negative value', async () => {
    expect(await numbers(t.relu(t.tensor([-1, -0, 0, 2, Number.NaN])))).toEqual([0, 0, 0, 2, Number.NaN]);
  });

  test('clamp binds on the given sides and keeps NaN', async () => {
    const x = t.tensor([-5, -1, 0, 3, Number.NaN]);
    expect(await numbers(t.clamp(x, { min: -1, max: 2 }))).toEqual([-1, -1, 0, 2, Number.NaN]);
    expect(await numbers(t.clamp(x, { min: 0 }))).toEqual([0, 0, 0, 3, Number.NaN]);
    expect(await numbers(t.clamp(x, {}))).toEqual([-5, -1, 0, 3, Number.NaN]);
  });

  test('sign and the test for finite values', async () => {
    const x = t.tensor([-2, 0, 3, Number.NaN, Number.NEGATIVE_INFINITY]);
    expect(await numbers(t.sign(x))).toEqual([-1, 0, 1, 0, -1]);
    expect(await numbers(t.isFiniteValue(x))).toEqual([1, 1, 1, 0, 0]);
  });

  test('the truth tables of the logical functions', async () => {
    const [a, b] = [t.tensor([false, false, true, true]), t.tensor([false, true, false, true])];
    expect(await numbers(t.logicalAnd(a, b))).toEqual([0, 0, 0, 1]);
    expect(await numbers(t.logicalOr(a, b))).toEqual([0, 1, 1, 1]);
    expect(await numbers(t.logicalNot(a))).toEqual([1, 1, 0, 0]);
  });
});

/** A plain image function: the value at every output position of every plane. */
const perPlane = (
  values: readonly number[],
  [planes, height, width]: readonly [number, number, number],
  [outHeight, outWidth]: readonly [number, number],
  at: (pixel: (y: number, x: number) => number, y: number, x: number) => number,
): number[] =>
  Array.from({ length: planes * outHeight * outWidth }, (_, i) => {
    const plane = Math.floor(i / (outHeight * outWidth));
    const [y, x] = [Math.floor(i / outWidth) % outHeight, i % outWidth];
    return at((row, column) => values[(plane * height + row) * width + column]!, y, x);
  });

describe('images', () => {
  test('maxPool2d takes the largest pixel of the part of the window inside the image', async () => {
    const { x, values } = sample(2, 3, 7, 8);
    const pooled = t.maxPool2d(x, { window: 3, stride: 2, padding: 1 });
    expect(pooled.shape).toEqual([2, 3, 4, 4]);
    const expected = perPlane(values, [6, 7, 8], [4, 4], (pixel, oy, ox) => {
      const inside: number[] = [];
      for (let y = Math.max(0, 2 * oy - 1); y <= Math.min(6, 2 * oy + 1); y++)
        for (let i = Math.max(0, 2 * ox - 1); i <= Math.min(7, 2 * ox + 1); i++) inside.push(pixel(y, i));
      return Math.max(...inside);
    });
    await expectClose(pooled, expected);
  });

  test('a window that is the stride by default tiles the image', async () => {
    const pooled = t.maxPool2d(t.reshape(t.arange(16), [1, 1, 4, 4]), { window: 2 });
    expect(await numbers(pooled)).toEqual([5, 7, 13, 15]);
  });

  test.each([
    [
      [4, 5],
      [8, 10],
    ],
    [
      [4, 5],
      [7, 3],
    ],
    [
      [3, 7],
      [3, 7],
    ],
    [
      [1, 1],
      [3, 2],
    ],
    [
      [13, 11],
      [25, 21],
    ],
  ] as const)(
    'resizeNearest from [%s] to [%s] reads pixel floor(position * size / new size)',
    async (from, to) => {
      const { x, values } = sample(1, 2, ...from);
      const expected = perPlane(values, [2, ...from], to, (pixel, y, i) =>
        pixel(Math.floor((y * from[0]) / to[0]), Math.floor((i * from[1]) / to[1])),
      );
      await expectClose(t.resizeNearest(x, to), expected, 0);
    },
  );

  test('resizeBilinear interpolates between pixel centres and clamps to the border', async () => {
    const [from, to] = [
      [4, 5],
      [7, 8],
    ] as const;
    const { x, values } = sample(1, 2, ...from);
    const source = (i: number, size: number, count: number): number =>
      Math.min(Math.max(((i + 0.5) * size) / count - 0.5, 0), size - 1);
    const expected = perPlane(values, [2, ...from], to, (pixel, oy, ox) => {
      const [y, i] = [source(oy, from[0], to[0]), source(ox, from[1], to[1])];
      const [top, left] = [Math.floor(y), Math.floor(i)];
      const [bottom, right] = [Math.min(top + 1, from[0] - 1), Math.min(left + 1, from[1] - 1)];
      const [down, across] = [y - top, i - left];
      const upper = pixel(top, left) * (1 - across) + pixel(top, right) * across;
      const lower = pixel(bottom, left) * (1 - across) + pixel(bottom, right) * across;
      return upper * (1 - down) + lower * down;
    });
    await expectClose(t.resizeBilinear(x, to), expected);
  });

  test('resizing to the same size, or a constant image, changes nothing', async () => {
    const { x, values } = sample(1, 1, 3, 4);
    await expectClose(t.resizeBilinear(x, [3, 4]), values);
    await expectClose(t.resizeBilinear(t.full([1, 1, 2, 3], 2.5), [5, 4]), new Array<number>(20).fill(2.5));
  });
});

describe('laws of the primitives', () => {
  const dot = (a: Tensor, b: Tensor): Tensor => t.sum(t.mul(a, b));

  test('the three convolutions are adjoint: <conv(x, w), g> = <x, inputGrad(g, w)> = <w, filterGrad(x, g)>', async () => {
    const attrs = { stride: [2, 1], padding: [1, 0, 2, 1], dilation: [1, 2], groups: 2 } as const;
    const [x, w] = [sample(2, 4, 7, 8).x, sample(6, 2, 3, 3).x];
    const y = t.apply(t.primitives.conv2d, [x, w], attrs);
    const g = sample(...y.shape).x;
    const forward = (await numbers(dot(y, g)))[0]!;
    const toInput = t.apply(t.primitives.conv2dInputGrad, [g, w], { ...attrs, size: [7, 8] });
    const toFilter = t.apply(t.primitives.conv2dFilterGrad, [x, g], { ...attrs, kernel: [3, 3] });
    await expectClose(dot(x, toInput), [forward]);
    await expectClose(dot(w, toFilter), [forward]);
  });

  test('scatterAdd is the adjoint of gather: <gather(x), g> = <x, scatterAdd(g)>', async () => {
    const indices = t.tensor(Int32Array.of(4, 0, 4, 2, 1, 1), { shape: [2, 3] });
    const x = sample(2, 3, 5).x;
    const gathered = t.gather(x, indices, { axis: 2, batchDims: 1 });
    const g = sample(...gathered.shape).x;
    const scattered = t.scatterAdd(g, indices, 5, { axis: 2, batchDims: 1 });
    await expectClose(dot(x, scattered), await numbers(dot(gathered, g)));
  });

  test('topK gives the sorted start of every row, with the indices to gather it', async () => {
    const { x, values } = sample(3, 7);
    const best = t.topK(x, 4);
    const expected = [0, 1, 2].flatMap((r) =>
      values
        .slice(7 * r, 7 * r + 7)
        .sort((a, b) => b - a)
        .slice(0, 4),
    );
    await expectClose(best.values, expected, 0);
    await expectClose(t.gather(x, best.indices, { axis: 1, batchDims: 1 }), expected, 0);
  });

  test('moves undo each other and keep every bit, NaN and -0 included', async () => {
    const backend = await t.createBackend('cpu');
    const data = shape({ maxRank: 3, maxDim: 4 }).chain((of) => tensorOf(of, { special: true }));
    await fc.assert(
      fc.asyncProperty(data, async ({ data: values, spec }) => {
        const x = t.tensor(values, spec);
        const edges = spec.shape.map((_, d) => [d, 1] as const);
        const padded = t.pad(x, edges, 7);
        const moved = [
          t.transpose(t.transpose(x)),
          t.reshape(t.reshape(x, [-1]), spec.shape),
          t.slice(
            padded,
            edges.map(([before]) => before),
            spec.shape,
          ),
          ...spec.shape.map((n, d) =>
            t.slice(
              t.concat([x, x], d),
              spec.shape.map((_, e) => (e === d ? n : 0)),
              spec.shape,
            ),
          ),
        ];
        for (const result of await t.evaluate(moved, { backend }))
          expect(Array.from(await t.read(result))).toEqual(Array.from(values));
      }),
      { seed: 11 },
    );
  });

  test('matmul broadcasts leading dimensions and transposes either side', async () => {
    const [a, b] = [sample(2, 3, 4).x, sample(4, 5).x];
    const plain = await numbers(t.matmul(a, b));
    await expectClose(t.matmul(t.transpose(a, [0, 2, 1]), b, { transposeA: true }), plain);
    await expectClose(t.matmul(a, t.transpose(b), { transposeB: true }), plain);
    await expectClose(t.transpose(t.matmul(t.transpose(b), t.transpose(a, [0, 2, 1])), [0, 2, 1]), plain);
  });
});
