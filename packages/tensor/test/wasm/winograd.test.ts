// Winograd convolutions and their gradients against plain loops in double precision, and against each other.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conv2dGeometry } from '../../src/backends/wasm/kernels/geometry.ts';
import { areLargeTilesFaster, isWinogradFaster } from '../../src/backends/wasm/kernels/winograd/choice.ts';
import { emitWinogradFilterGrad } from '../../src/backends/wasm/kernels/winograd/filterGrad.ts';

import {
  emitWinogradConv2d,
  emitWinogradInputGrad,
} from '../../src/backends/wasm/kernels/winograd/forward.ts';
import type { GradientTiles } from '../../src/backends/wasm/kernels/winograd/gradientTiles.ts';
import {
  gradientTilesFor,
  largeTiles,
  smallTiles,
} from '../../src/backends/wasm/kernels/winograd/gradientTiles.ts';
import { allowFusing } from '../backends.ts';
import type { Emitters } from './convolution.ts';
import {
  base,
  checkAll,
  checkExactly,
  checkForward,
  roundedThreefold,
  square,
  wholeNumbers,
} from './convolution.ts';

const emitters: Emitters = {
  forward: emitWinogradConv2d,
  inputGrad: emitWinogradInputGrad,
  filterGrad: emitWinogradFilterGrad,
};

/** The same with tiles of 4x4 in the convolution. */
const largeForward = (fma: boolean): Emitters => ({
  ...emitters,
  forward: (module, g) => emitWinogradConv2d(module, g, { tileSize: 4, fma }),
});

/** The same with given tiles of the filter gradient, wherever they pay. */
const withTiles = (tiles: GradientTiles): Emitters => ({
  ...emitters,
  filterGrad: (module, g) => emitWinogradFilterGrad(module, g, {}, tiles),
});

/** The least and most of a size. */
type Range = readonly [number, number];

const within = ([min, max]: Range): fc.Arbitrary<number> => fc.integer({ min, max });

/** One dimension of a convolution with at least one output position. */
const axis = (size: Range, pad: Range): fc.Arbitrary<{ size: number; before: number; out: number }> =>
  fc
    .record({ size: within(size), before: within(pad), after: within(pad) })
    .map(({ size, before, after }) => ({ size, before, out: size + before + after - 2 }))
    .filter(({ out }) => out >= 1);

const geometry = (size: Range, pad: Range, channels: Range): fc.Arbitrary<Conv2dGeometry> =>
  fc
    .record({
      rows: axis(size, pad),
      columns: axis(size, pad),
      batch: fc.integer({ min: 1, max: 5 }),
      channels: within(channels),
      outChannels: within(channels),
    })
    .map(({ rows, columns, batch, channels, outChannels }) => ({
      ...base,
      batch,
      channels,
      outChannels,
      kernelHeight: 3,
      kernelWidth: 3,
      height: rows.size,
      width: columns.size,
      outHeight: rows.out,
      outWidth: columns.out,
      padTop: rows.before,
      padLeft: columns.before,
    }));

describe('Winograd kernels', () => {
  // Halves and quarters of small integers lose nothing, so a wrong term cannot hide behind rounding.
  test.each([
    ['small', smallTiles],
    ['large', largeTiles],
  ])(
    'are exact for small integers, whatever the geometry: %s tiles of the filter gradient',
    (_name, tiles) => {
      fc.assert(
        fc.property(geometry([1, 15], [0, 4], [1, 13]), fc.nat(1000), (g, seed) =>
          checkExactly(withTiles(tiles), g, seed),
        ),
        { numRuns: 30, seed: 21 },
      );
    },
  );

  // Whole numbers that come out within a tenth of themselves have every term: the smallest is one.
  test.each([false, true])(
    'tiles of 4x4 give whole numbers for small integers, whatever the geometry: fused %s',
    (fma) => {
      if (fma) allowFusing();
      fc.assert(
        fc.property(geometry([1, 19], [0, 4], [1, 13]), fc.nat(1000), (g, seed) =>
          checkForward(largeForward(fma), g, seed, wholeNumbers),
        ),
        { numRuns: 20, seed: 23 },
      );
    },
  );

  // Their rounding is three times that of tiles of 2x2 (root mean square); the worst of many elements is held to as much.
  test('tiles of 4x4 agree with double precision to three times the bound, for random geometries worth choosing', () => {
    const chosen = geometry([6, 19], [0, 2], [8, 24]).filter(areLargeTilesFaster);
    fc.assert(
      fc.property(chosen, fc.nat(1000), (g, seed) =>
        checkForward(largeForward(false), g, seed, roundedThreefold),
      ),
      { numRuns: 15, seed: 24 },
    );
  });

  test.each<readonly [string, Partial<Conv2dGeometry>, boolean]>([
    ['a layer of the paper', square(100, 100, 3, 1, 1), true],
    ['images of whole tiles', square(8, 8, 3, 1, 1), true],
    ['mostly empty tiles', square(5, 5, 3, 1, 1), false],
    ['more filters than are read often', { ...square(28, 28, 3, 1, 1), channels: 512 }, false],
    ['stride 2', square(100, 50, 3, 2, 1), false],
  ])('tiles of 4x4 are chosen or not: %s', (_name, change, isChosen) => {
    const g = { ...base, batch: 2, channels: 256, outChannels: 256, ...change };
    expect(areLargeTilesFaster(g)).toBe(isChosen);
  });

  test('large tiles of the filter gradient are chosen for many positions that they cover well', () => {
    const sizes = [40, 16, 15, 8, 4, 2].map((size) => {
      const g = { ...base, batch: 4, channels: 8, outChannels: 8, ...square(size, size, 3, 1, 1) };
      return [size, gradientTilesFor(g).size];
    });
    expect(sizes).toEqual([
      [40, 3],
      [16, 2],
      [15, 3],
      [8, 2],
      [4, 2],
      [2, 2],
    ]);
  });

  // A tile's pixels and a filter's taps share their errors, so one tiny weight is not met on its own: the bound
  // holds where sums have several terms, and the kernels are chosen only there.
  test('agree with double precision and are adjoint, for random geometries worth choosing', () => {
    const chosen = geometry([4, 15], [0, 2], [8, 20]).filter(
      (g) => isWinogradFaster(g, 'output') && isWinogradFaster(g, 'images'),
    );
    fc.assert(
      fc.property(chosen, fc.nat(1000), (g, seed) => checkAll(emitters, g, seed)),
      { numRuns: 30, seed: 22 },
    );
  });

  const layers: readonly (readonly [string, Conv2dGeometry])[] = [
    ['several blocks of tiles', { ...base, channels: 9, outChannels: 6, ...square(34, 34, 3, 1, 1) }],
    ['two depth blocks', { ...base, batch: 2, channels: 260, outChannels: 5, ...square(6, 6, 3, 1, 1) }],
    [
      'small images of an odd batch',
      { ...base, batch: 11, channels: 16, outChannels: 20, ...square(8, 8, 3, 1, 1) },
    ],
    [
      'unpadded images in place',
      { ...base, batch: 4, channels: 6, outChannels: 7, ...square(10, 8, 3, 1, 0) },
    ],
    ['odd sizes', { ...base, batch: 3, channels: 5, outChannels: 6, ...square(13, 13, 3, 1, 1) }],
    [
      'more padding than the filter reaches',
      { ...base, channels: 3, outChannels: 4, ...square(5, 11, 3, 1, 4) },
    ],
    ['two blocks of large tiles', { ...base, channels: 9, outChannels: 10, ...square(51, 51, 3, 1, 1) }],
    ['one pixel', { ...base, channels: 8, outChannels: 8, ...square(1, 1, 3, 1, 1) }],
  ];
  test.each(layers)('%s', (_name, g) => checkAll(emitters, g, 5));

  const typical = { ...base, batch: 4, channels: 48, outChannels: 48, ...square(16, 16, 3, 1, 1) };
  test.each<readonly [string, Conv2dGeometry, boolean]>([
    ['a layer of the demo', typical, true],
    ['few channels', { ...typical, channels: 3 }, false],
    ['few tiles', { ...typical, batch: 1, ...square(4, 4, 3, 1, 1) }, false],
    [
      'few tiles for many filters',
      { ...typical, batch: 1, channels: 512, outChannels: 512, ...square(7, 7, 3, 1, 1) },
      false,
    ],
    ['single rows', { ...typical, height: 1, outHeight: 1 }, false],
    ['stride 2', { ...typical, ...square(16, 8, 3, 2, 1) }, false],
    ['dilation', { ...typical, dilationHeight: 2, padTop: 2 }, false],
    ['groups', { ...typical, groups: 2 }, false],
    ['1x1 filters', { ...typical, ...square(16, 16, 1, 1, 0) }, false],
    ['filters too many to hold', { ...typical, channels: 1024, outChannels: 512 }, false],
    ['an empty batch', { ...typical, batch: 0 }, false],
  ])('chosen or not: %s', (_name, g, isChosen) => {
    expect(isWinogradFaster(g, 'output')).toBe(isChosen);
    expect(isWinogradFaster(g, 'images')).toBe(isChosen);
  });
});
