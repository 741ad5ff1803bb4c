// Bilinear interpolation against its definition (every byte equal) and against OpenCV's (at most one level apart).
import { readFileSync } from 'node:fs';
import { type ImageSize, type Pixels, resizePixels } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differencesOf } from '../platform/differences.ts';
import { resizedByDefinition, resizedLikeOpenCv } from './resizeReferences.ts';

const seed = 33;
const anySide = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 70 }));
const anySize: fc.Arbitrary<ImageSize> = fc.record({ width: anySide, height: anySide });

/** Noise: neighbours differ as much as they can, and so do ways to interpolate. */
const anyPixels: fc.Arbitrary<Pixels> = fc
  .tuple(anySize, fc.integer({ min: 1, max: 2 ** 31 }))
  .map(([size, state]) => noise(size, state));

const noise = ({ width, height }: ImageSize, state: number): Pixels => {
  let bits = state;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    bits = (Math.imul(bits, 1664525) + 1013904223) | 0;
    return bits >>> 24;
  });
  return { width, height, channels: 3, data };
};

test('every byte is that of the definition, whatever the sizes', () => {
  fc.assert(
    fc.property(anyPixels, anySize, (pixels, size) => {
      const before = pixels.data.slice();
      const resized = resizePixels(pixels, size);
      expect(resized).toMatchObject({ ...size, channels: 3 });
      expect(Buffer.compare(resized.data, resizedByDefinition(pixels, size))).toBe(0);
      expect(Buffer.compare(pixels.data, before)).toBe(0);
    }),
    { seed, numRuns: 150 },
  );
});

test('one colour stays one colour, and nothing leaves the range between the darkest and the brightest', () => {
  fc.assert(
    fc.property(anyPixels, anySize, fc.nat({ max: 255 }), (pixels, size, byte) => {
      const plain = { ...pixels, data: pixels.data.slice().fill(byte) };
      expect(resizePixels(plain, size).data.every((value) => value === byte)).toBe(true);
      const half = { ...pixels, data: pixels.data.map((value) => 100 + (value % 50)) };
      expect(resizePixels(half, size).data.every((value) => value >= 100 && value < 150)).toBe(true);
    }),
    { seed, numRuns: 30 },
  );
});

interface OpenCvCase {
  readonly width: number;
  readonly height: number;
  readonly data: string;
  readonly to: ImageSize;
  readonly resized: string;
}

describe('OpenCV', () => {
  const fixture = new URL('../fixtures/resize/opencv.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { readonly cases: readonly OpenCvCase[] };

  test.each(cases)('its arithmetic is ours of this test: $width x $height to $to', (each) => {
    const pixels = { ...each, channels: 3, data: Buffer.from(each.data, 'base64') } as const;
    const expected = Buffer.from(each.resized, 'base64');
    expect(Buffer.compare(resizedLikeOpenCv(pixels, each.to), expected)).toBe(0);
    expect(differencesOf(resizePixels(pixels, each.to).data, expected).largest).toBeLessThanOrEqual(1);
  });

  test('no byte of noise differs by more than 1, whatever the sizes', () => {
    fc.assert(
      fc.property(anyPixels, anySize, (pixels, size) => {
        const { largest } = differencesOf(resizePixels(pixels, size).data, resizedLikeOpenCv(pixels, size));
        expect(largest).toBeLessThanOrEqual(1);
      }),
      { seed, numRuns: 100 },
    );
  });

  test.each([
    { to: { width: 213, height: 160 }, mean: 0.13 },
    { to: { width: 100, height: 75 }, mean: 0.13 },
    { to: { width: 64, height: 48 }, mean: 0 },
  ])('128x96 noise to $to: one byte in 8 differs by 1, none when halved', ({ to, mean }) => {
    const pixels = noise({ width: 128, height: 96 }, 5);
    const found = differencesOf(resizePixels(pixels, to).data, resizedLikeOpenCv(pixels, to));
    expect(found.mean).toBeLessThanOrEqual(mean);
    expect(found.mean).toBeGreaterThanOrEqual(mean * 0.7);
  });
});
