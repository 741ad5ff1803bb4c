// Laws of resizing, and values worked out by hand from half-pixel centres.
import { flip, resize, resizedSize, resizePixels } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anySample, sampleOf } from '../samples.ts';

const seed = 20;
const row = (...values: number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [value, value, value]));
const greyRow = (data: Uint8Array): number[] => Array.from(data).filter((_, i) => i % 3 === 0);

describe('resize', () => {
  test('boxes stay in order, inside the image, and scale per axis', () => {
    fc.assert(
      fc.property(
        anySample,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        (sample, width, height) => {
          const resized = resize(sample, { width, height });
          expect(resized.pixels).toMatchObject({ width, height });
          for (const [i, { box, size, label }] of resized.annotations.entries()) {
            const before = sample.annotations[i]!;
            expect(label).toBe(before.label);
            expect(box[0]).toBeCloseTo((before.box[0] * width) / sample.width, 9);
            expect(box[3]).toBeCloseTo((before.box[3] * height) / sample.height, 9);
            expect(box[0]).toBeGreaterThanOrEqual(0);
            expect(box[2]).toBeLessThanOrEqual(width);
            expect(box[0]).toBeLessThan(box[2]);
            expect(size[1]).toBe(box[3] - box[1]);
          }
        },
      ),
      { seed },
    );
  });

  test('boxes that reach out of the image are clipped', () => {
    const { annotations } = resize(sampleOf(1, 10, 10, [[-3, 2, 14, 30]]), { scale: 2 });
    expect(annotations[0]?.box).toEqual([0, 4, 20, 20]);
  });

  test('a linear ramp doubled: half-pixel centres, edges repeated', () => {
    const doubled = resizePixels(
      { width: 3, height: 1, channels: 3, data: row(10, 50, 90) },
      { width: 6, height: 1 },
    );
    expect(greyRow(doubled.data)).toEqual([10, 20, 40, 60, 80, 90]);
  });

  test('halving averages pairs; both axes interpolate', () => {
    const image = { width: 2, height: 2, channels: 3, data: row(0, 100, 200, 40) } as const;
    expect(greyRow(resizePixels(image, { width: 1, height: 2 }).data)).toEqual([50, 120]);
    expect(greyRow(resizePixels(image, { width: 1, height: 1 }).data)).toEqual([85]);
  });

  test('the size rule: both sides respected, rounded half up', () => {
    const rule = { shortSide: 800, longSide: 1333 } as const;
    expect(resizedSize({ width: 640, height: 480 }, rule)).toEqual({ width: 1067, height: 800 });
    expect(resizedSize({ width: 500, height: 1000 }, rule)).toEqual({ width: 667, height: 1333 });
    expect(resizedSize({ width: 5, height: 3 }, { scale: 0.5 })).toEqual({ width: 3, height: 2 });
    expect(resizedSize({ width: 100, height: 1 }, { scale: 0.1 })).toEqual({ width: 10, height: 1 });
  });

  test.each([{ scale: 0 }, { scale: Number.NaN }, { width: 0, height: 4 }, { width: 2.5, height: 4 }])(
    'refuses %j',
    (target) => {
      expect(() => resize(sampleOf(1, 8, 8, []), target)).toThrow(/resize\(target\): needs a positive size/);
    },
  );

  test('commutes with mirroring, for boxes', () => {
    fc.assert(
      fc.property(anySample, (sample) => {
        const target = { width: 17, height: 9 };
        const one = flip(resize(sample, target)).annotations;
        const other = resize(flip(sample), target).annotations;
        for (const [i, { box }] of one.entries())
          for (const side of [0, 1, 2, 3] as const) expect(box[side]).toBeCloseTo(other[i]!.box[side], 9);
      }),
      { seed },
    );
  });
});
