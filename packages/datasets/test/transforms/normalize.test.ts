// Normalisation: planes, padding, and the usual pairs of mean and deviation.
import { caffeNormalization, normalize, paddedSize, torchvisionNormalization } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';

describe('normalize', () => {
  const pixels = { width: 2, height: 1, channels: 3, data: Uint8Array.of(10, 20, 30, 40, 50, 60) } as const;

  test('planes in the order of the network, means in the same order', () => {
    const rgb = normalize(pixels, { mean: [10, 20, 30], std: [1, 2, 5], order: 'rgb' });
    expect([...rgb]).toEqual([0, 30, 0, 15, 0, 6]);
    const bgr = normalize(pixels, { mean: [30, 20, 10], std: [5, 2, 1], order: 'bgr' });
    expect([...bgr]).toEqual([0, 6, 0, 15, 0, 30]);
  });

  test('padding at the right and the bottom is 0 after normalisation', () => {
    const settings = { mean: [5, 5, 5], std: [1, 1, 1], order: 'rgb' } as const;
    const padded = normalize(pixels, settings, { width: 3, height: 2 });
    expect([...padded.subarray(0, 6)]).toEqual([5, 35, 0, 0, 0, 0]);
    expect(() => normalize(pixels, settings, { width: 1, height: 2 })).toThrow(/needs room for 2x1, got 1x2/);
  });

  test('padded sizes are the next multiples', () => {
    expect(paddedSize({ width: 64, height: 65 }, 32)).toEqual({ width: 64, height: 96 });
  });
});

test('the usual pairs: BGR bytes less their mean, and RGB in deviations of ImageNet', () => {
  const pixels = { width: 1, height: 1, channels: 3, data: Uint8Array.of(124, 116, 104) } as const;
  expect([...normalize(pixels, caffeNormalization)]).toEqual(
    [104 - 102.9801, 116 - 115.9465, 124 - 122.7717].map(Math.fround),
  );
  const ofShares = [124 / 255, 116 / 255, 104 / 255];
  for (const [c, value] of normalize(pixels, torchvisionNormalization).entries())
    expect(value).toBeCloseTo((ofShares[c]! - [0.485, 0.456, 0.406][c]!) / [0.229, 0.224, 0.225][c]!, 6);
});
