// Laws of buckets: every image fits, never too many shapes, more of them never pad more, near the least possible.
import { batches, chooseBuckets, DatasetError, type ImageSize, planBatches } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datasetOf, sampleOf } from '../samples.ts';

const seed = 5;
const normalization = { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' } as const;

interface Counted extends ImageSize {
  readonly count: number;
}

const side = fc.integer({ min: 1, max: 900 });
const sizes: fc.Arbitrary<Counted[]> = fc.array(
  fc.record({ width: side, height: side, count: fc.integer({ min: 1, max: 9 }) }),
  { minLength: 1, maxLength: 30 },
);
const multiple = fc.constantFrom(1, 8, 32, 64);

/** The padded area of all images, each in the smallest bucket that holds it; infinite when one fits none. */
const paddedArea = (buckets: readonly ImageSize[], images: readonly Counted[]): number =>
  images.reduce((sum, { width, height, count }) => {
    const areas = buckets
      .filter((bucket) => bucket.width >= width && bucket.height >= height)
      .map((bucket) => bucket.width * bucket.height);
    return sum + count * Math.min(...areas);
  }, 0);

/** The least padded area that any `most` buckets can have, by trying all of them. */
const leastArea = (images: readonly Counted[], most: number): number => {
  const widths = [...new Set(images.map(({ width }) => width))];
  const heights = [...new Set(images.map(({ height }) => height))];
  const candidates = widths.flatMap((width) => heights.map((height) => ({ width, height })));
  const least = (from: number, chosen: readonly ImageSize[]): number => {
    const rest =
      chosen.length === most
        ? []
        : candidates.slice(from).map((candidate, i) => least(from + i + 1, [...chosen, candidate]));
    return Math.min(paddedArea(chosen, images), ...rest);
  };
  return least(0, []);
};

describe('chosen buckets', () => {
  test('hold every image, are multiples, and not more than asked for', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 12 }), multiple, (images, most, step) => {
        const buckets = chooseBuckets(images, most, step);
        expect(buckets.length).toBeLessThanOrEqual(most);
        for (const { width, height } of buckets) expect([width % step, height % step]).toEqual([0, 0]);
        expect(paddedArea(buckets, images)).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
      { seed },
    );
  });

  test('pad less or as much with one bucket more, and nothing beyond the multiple with enough of them', () => {
    fc.assert(
      fc.property(sizes, multiple, (images, step) => {
        const areas = Array.from({ length: images.length }, (_, i) =>
          paddedArea(chooseBuckets(images, i + 1, step), images),
        );
        for (let i = 1; i < areas.length; i++) expect(areas[i]).toBeLessThanOrEqual(areas[i - 1]!);
        const up = (length: number): number => Math.ceil(length / step) * step;
        const own = images.reduce((sum, { width, height, count }) => sum + up(width) * up(height) * count, 0);
        expect(areas.at(-1)).toBe(own);
      }),
      { seed, numRuns: 50 },
    );
  });

  test('depend neither on the order of the images nor on how they are counted', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 6 }), (images, most) => {
        const oneByOne = images.flatMap(({ width, height, count }) =>
          Array.from({ length: count }, () => ({ width, height })),
        );
        expect(chooseBuckets(oneByOne.reverse(), most, 32)).toEqual(chooseBuckets(images, most, 32));
      }),
      { seed, numRuns: 50 },
    );
  });

  test('are near the best there are', () => {
    const few = fc.integer({ min: 1, max: 10 }).map((steps) => 32 * steps);
    const small = fc.array(fc.record({ width: few, height: few, count: fc.integer({ min: 1, max: 5 }) }), {
      minLength: 3,
      maxLength: 6,
    });
    const ratios: number[] = [];
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 3 }), (images, most) => {
        const ratio = paddedArea(chooseBuckets(images, most, 32), images) / leastArea(images, most);
        ratios.push(ratio);
        expect(ratio).toBeGreaterThanOrEqual(1);
        expect(ratio).toBeLessThan(1.3);
      }),
      { seed, numRuns: 60 },
    );
    expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeLessThan(1.01);
  });

  test.each([
    [{ most: 0, step: 32 }, /mostShapes to be a positive integer, got 0/],
    [{ most: 2, step: 0.5 }, /multiple to be a positive integer, got 0.5/],
  ])('wrong numbers are refused: %j', ({ most, step }, message) => {
    expect(() => chooseBuckets([{ width: 4, height: 4 }], most, step)).toThrow(message);
    expect(() => chooseBuckets([{ width: Number.NaN, height: 4 }], 1, 32)).toThrow(DatasetError);
  });
});

describe('batches in buckets', () => {
  const many = datasetOf(
    Array.from({ length: 40 }, (_, i) =>
      sampleOf(i, 33 + ((i * 29) % 170), 40 + ((i * 31) % 150), [[1, 2, 11, 12]]),
    ),
  );
  const shapesOf = async (options: Partial<Parameters<typeof batches>[1]>): Promise<Set<string>> => {
    const shapes = new Set<string>();
    for await (const batch of batches(many, { batchSize: 3, normalization, ...options }))
      shapes.add(batch.imageShape.slice(2).join());
    return shapes;
  };

  test('have at most as many shapes as asked for, over several epochs', async () => {
    expect((await shapesOf({ epochs: 3 })).size).toBeGreaterThan(8);
    for (const mostShapes of [1, 2, 4])
      expect((await shapesOf({ epochs: 3, buckets: { mostShapes } })).size).toBe(mostShapes);
  });

  test('may be given, and each image goes to the smallest that holds it', async () => {
    const buckets = { sizes: [[224, 192] as const, [96, 192] as const] };
    expect(await shapesOf({ buckets })).toEqual(new Set(['192,224', '192,96']));
    for (const batch of planBatches(many, { batchSize: 3, buckets }, 0)) {
      const areNarrow = batch.map((index) => many.record(index).width <= 96);
      expect(new Set(areNarrow).size).toBe(1);
    }
  });

  test('by batch are the smallest that hold what came out of steps that draw sizes', async () => {
    const sizes = [[224, 192] as const, [160, 160] as const, [96, 192] as const];
    const steps = [{ type: 'resize', shortSide: { from: 33, to: 150 }, longSide: 190 } as const];
    const found = new Set<string>();
    const options = { batchSize: 2, normalization, steps, buckets: { sizes }, bucketBy: 'batch' } as const;
    for await (const batch of batches(many, { ...options, sizeInBatch: () => ({ width: 1, height: 1 }) })) {
      const [height, width] = batch.imageShape.slice(2) as [number, number];
      const smallest = [[96, 192] as const, [160, 160] as const, [224, 192] as const].find((bucket) =>
        batch.sizes.every((size) => size.width <= bucket[0] && size.height <= bucket[1]),
      );
      expect([width, height]).toEqual(smallest);
      found.add(`${width}x${height}`);
    }
    expect(found.size).toBe(3);
    const small = {
      ...options,
      buckets: { sizes: [[96, 96] as const] },
      sizeInBatch: () => ({ width: 1, height: 1 }),
    };
    await expect(shapesOf(small)).rejects.toThrow(/needs an image of at most 96x96, got /);
  });

  test('count images as they come out of the transform', async () => {
    const halved = { buckets: { sizes: [[128, 96] as const] }, sizeInBatch: half } as const;
    await expect(shapesOf(halved)).rejects.toThrow(
      /^batches\(image-\d+\.png\): needs an image of at most 128x96, got \d+x\d+\. /,
    );
    const transform = (sample: ReturnType<typeof sampleOf>): ReturnType<typeof sampleOf> => {
      const { width, height } = half(sample);
      const pixels = { width, height, channels: 3, data: new Uint8Array(width * height * 3) } as const;
      return { ...sample, width, height, pixels };
    };
    expect(await shapesOf({ ...halved, transform })).toEqual(new Set(['96,128']));
  });

  test('are refused when an image fits none, or when they are no multiples', () => {
    const sized = (width: number): (() => unknown) => {
      return () => batches(many, { batchSize: 1, normalization, buckets: { sizes: [[width, 192]] } });
    };
    expect(sized(192)).toThrow(/needs an image of at most 192x192, got (19[3-9]|20\d)x\d+/);
    expect(sized(200)).toThrow(/multiples of padMultiple = 32, got 200x192/);
  });
});

const half = ({ width, height }: ImageSize): ImageSize => ({
  width: Math.ceil(width / 2),
  height: Math.ceil(height / 2),
});
