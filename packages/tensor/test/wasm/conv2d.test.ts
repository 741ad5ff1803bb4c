// Convolutions and their gradients against plain loops in double precision, and against each other as adjoints.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emitConv2d } from '../../src/backends/wasm/kernels/conv2d.ts';
import { emitConv2dFilterGrad } from '../../src/backends/wasm/kernels/conv2dFilterGrad.ts';
import { emitConv2dInputGrad } from '../../src/backends/wasm/kernels/conv2dInputGrad.ts';
import type { Conv2dGeometry } from '../../src/backends/wasm/kernels/geometry.ts';
import { innerProduct, randomValues, runKernel, worstError } from './harness.ts';

interface Sizes {
  readonly images: number;
  readonly weights: number;
  readonly output: number;
}

function sizesOf(g: Conv2dGeometry): Sizes {
  return {
    images: g.batch * g.channels * g.height * g.width,
    weights: g.outChannels * (g.channels / g.groups) * g.kernelHeight * g.kernelWidth,
    output: g.batch * g.outChannels * g.outHeight * g.outWidth,
  };
}

/** Calls `visit` with the indices of every product (image element, weight, output element) of a convolution. */
function eachProduct(
  g: Conv2dGeometry,
  visit: (image: number, weight: number, output: number) => void,
): void {
  const channels = g.channels / g.groups;
  const outChannels = g.outChannels / g.groups;
  for (let n = 0; n < g.batch; n++)
    for (let o = 0; o < g.outChannels; o++)
      for (let y = 0; y < g.outHeight; y++)
        for (let x = 0; x < g.outWidth; x++)
          for (let c = 0; c < channels; c++)
            for (let r = 0; r < g.kernelHeight; r++)
              for (let s = 0; s < g.kernelWidth; s++) {
                const row = y * g.strideHeight - g.padTop + r * g.dilationHeight;
                const column = x * g.strideWidth - g.padLeft + s * g.dilationWidth;
                if (row < 0 || row >= g.height || column < 0 || column >= g.width) continue;
                const channel = Math.floor(o / outChannels) * channels + c;
                visit(
                  ((n * g.channels + channel) * g.height + row) * g.width + column,
                  ((o * channels + c) * g.kernelHeight + r) * g.kernelWidth + s,
                  ((n * g.outChannels + o) * g.outHeight + y) * g.outWidth + x,
                );
              }
}

type Kind = 'forward' | 'inputGrad' | 'filterGrad';

/** The result of one kind, its value with all inputs made positive, and the most terms of a sum. */
function reference(g: Conv2dGeometry, kind: Kind, a: Float32Array, b: Float32Array, length: number) {
  const expected = new Float64Array(length);
  const magnitudes = new Float64Array(length);
  const terms = new Int32Array(length);
  eachProduct(g, (image, weight, output) => {
    const [first, second, result] =
      kind === 'forward'
        ? [image, weight, output]
        : kind === 'inputGrad'
          ? [output, weight, image]
          : [image, output, weight];
    const product = (a[first] ?? 0) * (b[second] ?? 0);
    expected[result] = (expected[result] ?? 0) + product;
    magnitudes[result] = (magnitudes[result] ?? 0) + Math.abs(product);
    terms[result] = (terms[result] ?? 0) + 1;
  });
  return { expected, magnitudes, terms: terms.reduce((most, count) => Math.max(most, count), 1) };
}

const emitters = { forward: emitConv2d, inputGrad: emitConv2dInputGrad, filterGrad: emitConv2dFilterGrad };

function check(g: Conv2dGeometry, kind: Kind, seed: number): Float32Array {
  const sizes = sizesOf(g);
  const [first, second, result] =
    kind === 'forward'
      ? [sizes.images, sizes.weights, sizes.output]
      : kind === 'inputGrad'
        ? [sizes.output, sizes.weights, sizes.images]
        : [sizes.images, sizes.output, sizes.weights];
  // One array per role, so that the three kinds see the same images, weights and output gradients.
  const seeds = { forward: [1, 2], inputGrad: [3, 2], filterGrad: [1, 3] }[kind];
  const a = randomValues(first, seed + (seeds[0] ?? 0));
  const b = randomValues(second, seed + (seeds[1] ?? 0));
  const run = runKernel((module) => emitters[kind](module, g), [a, b], result);
  const { expected, magnitudes, terms } = reference(g, kind, a, b, result);
  expect(run.isOutsideUntouched, `${kind} wrote outside its output`).toBe(true);
  expect(worstError(run.output, expected, magnitudes, terms), kind).toBeLessThanOrEqual(1);
  return run.output;
}

function checkAll(g: Conv2dGeometry, seed: number): void {
  const sizes = sizesOf(g);
  const output = check(g, 'forward', seed);
  const inputGrad = check(g, 'inputGrad', seed);
  const filterGrad = check(g, 'filterGrad', seed);
  const images = randomValues(sizes.images, seed + 1);
  const weights = randomValues(sizes.weights, seed + 2);
  const outputGrad = randomValues(sizes.output, seed + 3);
  const inner = innerProduct(output, outputGrad);
  const scale = 1e-5 * (1 + Math.sqrt(sizes.output * sizes.weights));
  expect(Math.abs(inner - innerProduct(images, inputGrad))).toBeLessThan(scale);
  expect(Math.abs(inner - innerProduct(weights, filterGrad))).toBeLessThan(scale);
}

const base: Conv2dGeometry = {
  batch: 1,
  channels: 1,
  height: 1,
  width: 1,
  outChannels: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  outHeight: 1,
  outWidth: 1,
  strideHeight: 1,
  strideWidth: 1,
  padTop: 0,
  padLeft: 0,
  dilationHeight: 1,
  dilationWidth: 1,
  groups: 1,
};

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly out: number;
}

/** One dimension of a convolution with at least one output position. */
const axis: fc.Arbitrary<Axis> = fc
  .record({
    size: fc.integer({ min: 1, max: 14 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    before: fc.integer({ min: 0, max: 4 }),
    after: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ size, kernel, stride, dilation, before, after }) => {
    const room = size + before + after - dilation * (kernel - 1) - 1;
    return { size, kernel, stride, dilation, before, out: Math.floor(room / stride) + 1 };
  })
  .filter(({ out }) => out >= 1);

const geometry: fc.Arbitrary<Conv2dGeometry> = fc
  .record({
    rows: axis,
    columns: axis,
    batch: fc.integer({ min: 0, max: 5 }),
    groups: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 5 }),
    outChannels: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ rows, columns, batch, groups, channels, outChannels }) => ({
    batch,
    groups,
    channels: channels * groups,
    outChannels: outChannels * groups,
    height: rows.size,
    width: columns.size,
    kernelHeight: rows.kernel,
    kernelWidth: columns.kernel,
    outHeight: rows.out,
    outWidth: columns.out,
    strideHeight: rows.stride,
    strideWidth: columns.stride,
    padTop: rows.before,
    padLeft: columns.before,
    dilationHeight: rows.dilation,
    dilationWidth: columns.dilation,
  }));

const square = (size: number, out: number, kernel: number, stride: number, pad: number) => ({
  height: size,
  width: size,
  outHeight: out,
  outWidth: out,
  kernelHeight: kernel,
  kernelWidth: kernel,
  strideHeight: stride,
  strideWidth: stride,
  padTop: pad,
  padLeft: pad,
});

describe('conv2d kernels', () => {
  test('agree with double precision and are adjoint, for random geometries', () => {
    fc.assert(
      fc.property(geometry, fc.nat(1000), (g, seed) => checkAll(g, seed)),
      { numRuns: 150, seed: 20 },
    );
  });

  const layers: readonly (readonly [string, Conv2dGeometry])[] = [
    ['3x3 stride 2', { ...base, batch: 2, channels: 3, outChannels: 16, ...square(32, 16, 3, 2, 1) }],
    ['3x3 of small images', { ...base, batch: 4, channels: 48, outChannels: 20, ...square(4, 4, 3, 1, 1) }],
    ['3x3 of an odd batch', { ...base, batch: 7, channels: 5, outChannels: 6, ...square(6, 6, 3, 1, 1) }],
    ['one channel of an odd batch', { ...base, batch: 7, channels: 2, ...square(7, 7, 3, 1, 1) }],
    ['large images unpadded', { ...base, batch: 9, channels: 90, outChannels: 3, ...square(11, 9, 3, 1, 0) }],
    ['3x3 over two depth blocks', { ...base, channels: 40, outChannels: 7, ...square(20, 20, 3, 1, 1) }],
    ['1x1', { ...base, batch: 3, channels: 17, outChannels: 13, ...square(9, 9, 1, 1, 0) }],
    ['1x1 stride 2', { ...base, batch: 2, channels: 6, outChannels: 5, ...square(8, 4, 1, 2, 0) }],
    ['7x7 stride 2', { ...base, batch: 1, channels: 3, outChannels: 8, ...square(30, 15, 7, 2, 3) }],
    ['depthwise', { ...base, batch: 2, channels: 6, outChannels: 6, groups: 6, ...square(10, 10, 3, 1, 1) }],
    ['empty batch', { ...base, batch: 0, channels: 3, outChannels: 2, ...square(5, 5, 3, 1, 1) }],
  ];
  test.each(layers)('%s', (_name, g) => checkAll(g, 5));
});
