// Convolutions and their gradients against plain loops in double precision, and against each other as adjoints.

import fc from 'fast-check';
import { describe, test } from 'vitest';
import { emitConv2d } from '../../src/backends/wasm/kernels/conv2d.ts';
import { emitConv2dFilterGrad } from '../../src/backends/wasm/kernels/conv2dFilterGrad.ts';
import { emitConv2dInputGrad } from '../../src/backends/wasm/kernels/conv2dInputGrad.ts';
import type { Conv2dGeometry } from '../../src/backends/wasm/kernels/geometry.ts';
import { base, checkAll, square } from './convolution.ts';

const emitters = { forward: emitConv2d, inputGrad: emitConv2dInputGrad, filterGrad: emitConv2dFilterGrad };

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

describe('conv2d kernels', () => {
  test('agree with double precision and are adjoint, for random geometries', () => {
    fc.assert(
      fc.property(geometry, fc.nat(1000), (g, seed) => checkAll(emitters, g, seed)),
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
    [
      '16 groups of four',
      { ...base, batch: 2, channels: 64, outChannels: 64, groups: 16, ...square(13, 13, 3, 1, 1) },
    ],
    ['empty batch', { ...base, batch: 0, channels: 3, outChannels: 2, ...square(5, 5, 3, 1, 1) }],
  ];
  test.each(layers)('%s', (_name, g) => checkAll(emitters, g, 5));
});
