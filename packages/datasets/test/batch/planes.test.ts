// Pixels in the memory of a batch: exactly what normalize gives, wherever the bytes lie and whatever was there before.
import { normalize } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteTables, writePlanes } from '../../src/batch/planes.ts';

const seed = 55;
const number = fc.double({ min: -300, max: 300, noNaN: true });
const three = fc.tuple(number, number, number);

test('planes equal normalize bit for bit', () => {
  const anyPicture = fc.record({
    width: fc.integer({ min: 1, max: 23 }),
    height: fc.integer({ min: 1, max: 7 }),
    offset: fc.nat(7),
    right: fc.nat(5),
    below: fc.nat(3),
    mean: three,
    std: three.map((std) => std.map((value) => (Math.abs(value) < 0.01 ? 1 : value)) as typeof std),
    order: fc.constantFrom('rgb' as const, 'bgr' as const),
    byteSeed: fc.nat(),
  });
  fc.assert(
    fc.property(anyPicture, ({ width, height, offset, right, below, byteSeed, ...normalization }) => {
      const bytes = Uint8Array.from(
        { length: offset + width * height * 3 },
        (_, i) => Math.imul(byteSeed + i, 0x9e3779b1) >>> 24,
      );
      const pixels = { width, height, channels: 3, data: bytes.subarray(offset) } as const;
      const padded = { width: width + right, height: height + below };
      const target = new Float32Array(3 * padded.width * padded.height).fill(Number.NaN);
      writePlanes(pixels, byteTables(normalization), padded, target);
      expect(target).toEqual(normalize(pixels, normalization, padded));
    }),
    { seed, numRuns: 300 },
  );
});

test('a place that is too small is refused', () => {
  const pixels = { width: 4, height: 3, channels: 3, data: new Uint8Array(36) } as const;
  const tables = byteTables({ mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' });
  const write = (width: number, height: number, length: number) => () =>
    writePlanes(pixels, tables, { width, height }, new Float32Array(length));
  expect(write(3, 4, 36)).toThrow(/needs room for 4x3, got 3x4/);
  expect(write(4, 3, 35)).toThrow(/an array of 35/);
});
