// Crops: sizes as asked, objects kept or lost as stated, and the minimum overlap of SSD's.
import { applySteps, type Box, crop, type Sample, type TransformStep } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anySample, sampleOf } from '../samples.ts';
import { anyKey, someKeys } from './anySteps.ts';

const seed = 37;
const ramp = (width: number, height: number): Uint8Array =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.floor(i / 3) % 256);

describe('a region', () => {
  const sample = sampleOf(
    1,
    10,
    8,
    [
      [0, 0, 10, 8],
      [1, 1, 3.5, 4],
      [8, 6, 10, 8],
    ],
    ramp(10, 8),
  );

  test('has its pixels, and the boxes that are seen', () => {
    const cropped = crop(sample, { left: 3, top: 2, width: 4, height: 3 });
    expect(cropped.pixels.data.filter((_, i) => i % 3 === 0)).toEqual(
      Uint8Array.of(23, 24, 25, 26, 33, 34, 35, 36, 43, 44, 45, 46),
    );
    // Half a column of the second object is seen, nothing of the third.
    expect(cropped.annotations).toMatchObject([
      { id: 100, box: [0, 0, 4, 3], size: [4, 3], area: 12, isTruncated: true },
    ]);
  });

  test('that is all of the picture changes nothing', () => {
    const whole = crop(sample, { left: 0, top: 0, width: 10, height: 8 });
    expect(whole).toEqual(sample);
  });

  test('can be put back: boxes that were not cut are where they were', () => {
    fc.assert(
      fc.property(anySample, fc.nat({ max: 2 }), fc.nat({ max: 2 }), (any, left, top) => {
        const region = { left, top, width: any.width - left, height: any.height - top };
        for (const { id, box, isTruncated } of crop(any, region).annotations) {
          const before = any.annotations.find((annotation) => annotation.id === id)!.box;
          const back: Box = [box[0] + left, box[1] + top, box[2] + left, box[3] + top];
          for (const side of isTruncated ? ([2, 3] as const) : ([0, 1, 2, 3] as const))
            expect(back[side]).toBeCloseTo(before[side], 9);
        }
      }),
      { seed, numRuns: 50 },
    );
  });

  test.each([
    { left: -1, top: 0, width: 4, height: 4 },
    { left: 0, top: 0, width: 11, height: 4 },
    { left: 0, top: 6, width: 4, height: 3 },
    { left: 0, top: 0, width: 0, height: 4 },
    { left: 0.5, top: 0, width: 4, height: 4 },
  ])('outside the picture is an error: %j', (region) => {
    expect(() => crop(sample, region)).toThrow(
      /crop\(image-1\.png\): needs a region of whole pixels within 10x8/,
    );
  });
});

describe('the step crop', () => {
  const cropped = (sample: Sample, step: Partial<TransformStep>, key: number): Sample =>
    applySteps(
      [{ type: 'crop', width: 6, height: { from: 3, to: 5 }, ...step } as TransformStep],
      sample,
      key,
    );

  test('gives the sizes that were asked for, and no more than the picture has', () => {
    const sample = sampleOf(1, 10, 8, []);
    const sizes = someKeys.map((key) => cropped(sample, {}, key)).map(({ width, height }) => [width, height]);
    expect(new Set(sizes.map(([width]) => width))).toEqual(new Set([6]));
    expect(new Set(sizes.map(([, height]) => height))).toEqual(new Set([3, 4, 5]));
    expect(cropped(sampleOf(1, 4, 2, []), {}, 1)).toMatchObject({ width: 4, height: 2 });
  });

  test('leaves a picture whole that would lose all objects, unless that is allowed', () => {
    const sample = sampleOf(1, 10, 8, [[0, 0, 1, 1]]);
    const kept = someKeys.map((key) => cropped(sample, {}, key));
    expect(kept.every(({ annotations }) => annotations.length === 1)).toBe(true);
    expect(kept.some(({ width }) => width === 10)).toBe(true);
    const emptied = someKeys.map((key) => cropped(sample, { allowEmpty: true }, key));
    expect(emptied.every(({ width }) => width === 6)).toBe(true);
    expect(emptied.some(({ annotations }) => annotations.length === 0)).toBe(true);
  });
});

describe('the step minimumIouCrop', () => {
  const iou = ([a1, b1, a2, b2]: Box, [c1, d1, c2, d2]: Box): number => {
    const across = Math.max(Math.min(a2, c2) - Math.max(a1, c1), 0);
    const down = Math.max(Math.min(b2, d2) - Math.max(b1, d1), 0);
    return (across * down) / ((a2 - a1) * (b2 - b1) + (c2 - c1) * (d2 - d1) - across * down);
  };

  /** The sample with pixels that say where they are. */
  const located = (sample: Sample): Sample => {
    const { width, height } = sample;
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return i % 3 === 0 ? pixel % width : Math.floor(pixel / width);
    });
    return { ...sample, pixels: { width, height, channels: 3, data } };
  };
  const regionOf = ({ width, height, pixels: { data } }: Sample): Box => {
    const [left, top] = data;
    return [left!, top!, left! + width, top! + height];
  };

  test('overlaps every object by the wanted share, at most twice as long as wide', () => {
    const boxes: Box[] = [
      [4, 4, 40, 40],
      [10, 2, 44, 36],
    ];
    const sample = located(sampleOf(1, 48, 40, boxes));
    const cuts = (minimum: number): Box[] => {
      const step = { type: 'minimumIouCrop', minimumIous: [minimum], smallest: 0.2 } as const;
      const found = someKeys.map((key) => applySteps([step], sample, key));
      return found.filter(({ width, height }) => width < 48 || height < 40).map(regionOf);
    };
    const least = (region: Box): number => Math.min(...boxes.map((box) => iou(region, box)));
    for (const [x1, y1, x2, y2] of cuts(0)) {
      expect(x2 - x1).toBeLessThanOrEqual(2 * (y2 - y1) + 2);
      expect(y2 - y1).toBeLessThanOrEqual(2 * (x2 - x1) + 2);
    }
    // One time in three the picture stays whole, one time in three no overlap is asked for.
    const shares = cuts(0.6).map(least);
    expect(shares.length).toBeLessThan(someKeys.length - 4);
    const free =
      cuts(0)
        .map(least)
        .filter((share) => share >= 0.6).length / cuts(0).length;
    expect(shares.filter((share) => share >= 0.6).length / shares.length).toBeGreaterThan(0.4 + free / 2);
  });

  test('keeps exactly the objects whose centre is inside, clipped, and one at least', () => {
    fc.assert(
      fc.property(anySample.map(located), anyKey, (sample, key) => {
        const cropped = applySteps([{ type: 'minimumIouCrop' }], sample, key);
        const [left, top, right, bottom] = regionOf(cropped);
        const isCentred = ([x1, y1, x2, y2]: Box): boolean =>
          x1 + x2 > 2 * left && x1 + x2 < 2 * right && y1 + y2 > 2 * top && y1 + y2 < 2 * bottom;
        // Boxes of the test are at least a pixel wide; cut ones may be thinner.
        const expected = sample.annotations
          .filter(({ box }) => isCentred(box))
          .map(({ id, box }) => ({
            id,
            box: [
              Math.max(box[0] - left, 0),
              Math.max(box[1] - top, 0),
              Math.min(box[2], right) - left,
              Math.min(box[3], bottom) - top,
            ],
          }));
        const kept = expected.filter(
          ({ id, box: [x1, y1, x2, y2] }) =>
            (x2! - x1! >= 1 && y2! - y1! >= 1) ||
            cropped.annotations.some((annotation) => annotation.id === id),
        );
        expect(cropped.annotations.map(({ id, box }) => ({ id, box }))).toEqual(kept);
        if (sample.annotations.length > 0) expect(expected.length).toBeGreaterThan(0);
      }),
      { seed, numRuns: 60 },
    );
  });
});
