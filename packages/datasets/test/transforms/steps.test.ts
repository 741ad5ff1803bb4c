// Laws of lists of steps: the key decides everything, samples are left as they were, boxes stay inside.
import {
  applySteps,
  companionIndices,
  flip,
  type Normalization,
  normalizationFor,
  normalize,
  resize,
  type Sample,
  type TransformStep,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anySample, sampleOf } from '../samples.ts';
import { anyKey, someKeys as keys } from './anySteps.ts';

const seed = 32;

describe('what the key decides', () => {
  const sample = sampleOf(
    7,
    12,
    9,
    [[1, 2, 6, 8]],
    Uint8Array.from({ length: 324 }, (_, i) => i),
  );

  test('sizes: one, some, or all of a range', () => {
    const widths = (shortSide: number | number[] | { from: number; to: number }): Set<number> =>
      new Set(
        keys.map((key) => applySteps([{ type: 'resize', shortSide, longSide: 99 }], sample, key).height),
      );
    expect(widths(6)).toEqual(new Set([6]));
    expect(widths([4, 6])).toEqual(new Set([4, 6]));
    expect(widths({ from: 4, to: 6 })).toEqual(new Set([4, 5, 6]));
  });

  test('mirror images: always, never, or about half of them', () => {
    const mirrored = (probability?: number): number =>
      keys.filter((key) => {
        const step: TransformStep =
          probability === undefined ? { type: 'flip' } : { type: 'flip', probability };
        return applySteps([step], sample, key).annotations[0]!.box[0] === 6;
      }).length;
    expect([mirrored(0), mirrored(1)]).toEqual([0, keys.length]);
    expect(mirrored()).toBeGreaterThan(keys.length / 4);
    expect(mirrored()).toBeLessThan((keys.length * 3) / 4);
  });

  test('steps one after the other are the functions one after the other', () => {
    const steps = [
      { type: 'resize', shortSide: 6, longSide: 99 },
      { type: 'flip', probability: 1, axis: 'vertical' },
    ] as const;
    const target = { shortSide: 6, longSide: 99 };
    expect(applySteps(steps, sample, 3)).toEqual(flip(resize(sample, target), 'vertical'));
  });

  test('smaller pictures stay as they are when they are not to be enlarged', () => {
    const fitted = (side: number): Sample =>
      applySteps([{ type: 'resize', shortSide: side, longSide: side, enlarge: false }], sample, 0);
    expect(fitted(12)).toBe(sample);
    expect(fitted(8)).toMatchObject({ width: 8, height: 6 });
  });
});

describe('jitter of the normalisation', () => {
  const normalization: Normalization = { mean: [120, 110, 100], std: [60, 50, 40], order: 'bgr' };
  const steps = [
    { type: 'flip' },
    { type: 'normalizeJitter', gain: { from: 0.85, to: 1.15 }, offset: { from: -0.2, to: 0.2 } },
  ] as const;

  test('is one gain per picture and one offset per channel, within their ranges', () => {
    fc.assert(
      fc.property(anySample, anyKey, (sample, key) => {
        const plain = normalize(sample.pixels, normalization);
        const varied = normalize(sample.pixels, normalizationFor(steps, normalization, key));
        const { gain, offsets } = gainAndOffsets(normalization, normalizationFor(steps, normalization, key));
        expect(gain).toBeGreaterThanOrEqual(0.85);
        expect(gain).toBeLessThanOrEqual(1.15);
        for (const offset of offsets) expect(Math.abs(offset)).toBeLessThanOrEqual(0.2 + 1e-9);
        const plane = sample.width * sample.height;
        const expected = plain.map((value, i) => value * gain + offsets[Math.floor(i / plane)]!);
        expect(largestDifference(varied, expected)).toBeLessThan(1e-5);
      }),
      { seed, numRuns: 20 },
    );
  });

  test('differs between keys, and is nothing without such a step', () => {
    const found = new Set(keys.map((key) => normalizationFor(steps, normalization, key).mean.join()));
    expect(found.size).toBe(keys.length);
    expect(normalizationFor([{ type: 'flip' }], normalization, 1)).toBe(normalization);
  });
});

const largestDifference = (one: Float32Array, other: Float32Array): number =>
  one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);

/** What turns the first normalisation into the second, worked out from where bytes 0 and 255 go. */
const gainAndOffsets = (
  plain: Normalization,
  varied: Normalization,
): { readonly gain: number; readonly offsets: readonly number[] } => {
  const gain = plain.std[0] / varied.std[0];
  const at = ({ mean, std }: Normalization, c: 0 | 1 | 2, byte: number): number => (byte - mean[c]) / std[c];
  const offsets = ([0, 1, 2] as const).map((c) => at(varied, c, 255) - gain * at(plain, c, 255));
  return { gain, offsets };
};

describe('companions', () => {
  const steps = [{ type: 'mosaic', size: 20, probability: 0.5 }] as const;

  test('three indices of the dataset, or none where the key makes no mosaic', () => {
    const counts = keys.map((key) => {
      const indices = companionIndices(steps, key, 5);
      for (const index of indices) expect([0, 1, 2, 3, 4]).toContain(index);
      return indices.length;
    });
    expect(new Set(counts)).toEqual(new Set([0, 3]));
    expect(companionIndices([{ type: 'flip' }], 1, 5)).toEqual([]);
  });

  test('missing ones and second mosaics are errors', () => {
    const sample = sampleOf(1, 4, 4, []);
    const always = { type: 'mosaic', size: 20 } as const;
    expect(() => applySteps([always], sample, 1)).toThrow(
      /applySteps\(image-1\.png\): needs 3 companions for its mosaic, got 0/,
    );
    expect(() => companionIndices([always, always], 1, 4)).toThrow(/needs at most one mosaic, got 2/);
  });
});
