// Laws of batching: every image once, the same order for the same seed, resuming gives the rest, bounded reading ahead.
import {
  type Batch,
  batches,
  type Dataset,
  flip,
  planBatches,
  resize,
  type Sample,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { annotationOf, datasetOf, sampleOf } from '../samples.ts';

const seed = 21;
const normalization = { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' } as const;

const manySamples = (count: number): Dataset =>
  datasetOf(
    Array.from({ length: count }, (_, i) =>
      sampleOf(i, i % 2 === 0 ? 40 : 34, i % 3 === 0 ? 33 : 48, [[1, 2, 11, 12]]),
    ),
  );

const collect = async (stream: AsyncIterable<Batch>): Promise<Batch[]> => {
  const all: Batch[] = [];
  for await (const batch of stream) all.push(batch);
  return all;
};

const idsOf = (all: readonly Batch[]): number[] => all.flatMap((batch) => batch.ids);
const anyPlan = fc.record({
  length: fc.integer({ min: 1, max: 40 }),
  batchSize: fc.integer({ min: 1, max: 7 }),
  planSeed: fc.integer({ min: 0, max: 1e6 }),
  epoch: fc.integer({ min: 0, max: 50 }),
  groupByAspect: fc.boolean(),
});

describe('order', () => {
  test('each image exactly once in an epoch, and the same order for the same seed and epoch', () => {
    fc.assert(
      fc.property(anyPlan, ({ length, batchSize, planSeed, epoch, groupByAspect }) => {
        const options = { batchSize, seed: planSeed, groupByAspect };
        const plan = planBatches(manySamples(length), options, epoch);
        expect(plan.flat().sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        expect(planBatches(manySamples(length), options, epoch)).toEqual(plan);
      }),
      { seed },
    );
  });

  test('batches do not mix landscape and portrait when grouped', () => {
    const dataset = manySamples(30);
    for (const batch of planBatches(dataset, { batchSize: 4, groupByAspect: true }, 0)) {
      const portraits = batch.map((i) => dataset.record(i).height > dataset.record(i).width);
      expect(new Set(portraits).size).toBe(1);
    }
  });

  test('other seeds and other epochs give other orders; without shuffling it is the order of the dataset', () => {
    const order = (planSeed: number, epoch: number, shuffle = true): string =>
      planBatches(manySamples(30), { batchSize: 3, seed: planSeed, shuffle }, epoch).flat().join();
    expect(new Set([order(0, 0), order(0, 1), order(1, 0), order(1, 1)]).size).toBe(4);
    expect(order(0, 0, false)).toBe(Array.from({ length: 30 }, (_, i) => i).join());
  });

  test('every position is equally likely for every image', () => {
    const counts = new Array<number>(25).fill(0);
    for (let epoch = 0; epoch < 2000; epoch++) {
      const order = planBatches(manySamples(5), { batchSize: 5, seed: 3 }, epoch).flat();
      for (const [position, index] of order.entries()) counts[position * 5 + index]! += 1;
    }
    // 400 expected in each of 25 cells: the statistic has 16 degrees of freedom, above 39.3 once in a thousand.
    const statistic = counts.reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
    expect(statistic).toBeLessThan(39.3);
  });

  test('resuming gives the rest of the epoch and then the same epochs, bit for bit', async () => {
    const options = { batchSize: 4, seed: 5, epochs: 2, normalization } as const;
    const whole = await collect(batches(manySamples(10), options));
    expect(whole.map((batch) => [batch.epoch, batch.position])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    for (const [skip, batch] of whole.entries()) {
      const { epoch, position } = batch;
      const rest = batches(manySamples(10), { ...options, epoch, start: position, epochs: 2 - epoch });
      expect(await collect(rest)).toEqual(whole.slice(skip));
    }
  });

  test('last: drop leaves out what does not fill a batch', () => {
    const plan = planBatches(manySamples(10), { batchSize: 4, last: 'drop' }, 0);
    expect(plan.map((batch) => batch.length)).toEqual([4, 4]);
  });
});

describe('choice of images', () => {
  const good = sampleOf(0, 40, 40, [[0, 0, 9, 9]]);
  const object = annotationOf(1, [0, 0, 9, 9]);
  const useless: readonly Sample[] = [
    sampleOf(1, 40, 40, []),
    { ...good, id: 2, annotations: [{ ...object, isCrowd: true }] },
    { ...good, id: 3, annotations: [{ ...object, isIgnored: true }] },
    { ...good, id: 4, annotations: [annotationOf(1, [0, 0, 0.9, 9])] },
    { ...good, id: 5, annotations: [{ ...object, area: 0 }] },
    sampleOf(6, 40, 31, [[0, 0, 9, 9]]),
  ];

  test('training leaves out images without usable objects and tiny ones; evaluation takes all', async () => {
    const dataset = datasetOf([...useless, good]);
    const trained = await collect(batches(dataset, { batchSize: 2, normalization }));
    expect(idsOf(trained)).toEqual([0]);
    const evaluated = await collect(batches(dataset, { batchSize: 3, purpose: 'evaluate', normalization }));
    expect(idsOf(evaluated)).toEqual([1, 2, 3, 4, 5, 6, 0]);
  });

  test('unusable objects are no targets', async () => {
    const mixed = { ...good, annotations: [{ ...object, isCrowd: true }, annotationOf(2, [1, 2, 3, 4], 2)] };
    const [batch] = await collect(batches(datasetOf([mixed]), { batchSize: 1, normalization }));
    expect([...batch!.valid]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect([...batch!.boxes.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(batch!.labels[0]).toBe(2);
  });
});

describe('content', () => {
  test('images are padded to a common multiple with zeros, objects to a bucket with a mask', async () => {
    const boxes = Array.from({ length: 9 }, (_, i) => [i, 0, i + 5, 6] as const);
    const samples = [sampleOf(1, 40, 40, boxes), sampleOf(2, 70, 33, boxes.slice(0, 2))];
    const options = { batchSize: 2, shuffle: false, normalization } as const;
    const [batch] = await collect(batches(datasetOf(samples), options));
    expect(batch!.imageShape).toEqual([2, 3, 64, 96]);
    expect(batch!.objects).toBe(16);
    expect(batch!.valid.reduce((sum, bit) => sum + bit)).toBe(11);
    expect([...batch!.boxes.subarray(16 * 4, 17 * 4)]).toEqual([0, 0, 5, 6]);
    const pixel = (image: number, y: number, x: number): number =>
      batch!.images[((image * 3 + 2) * 64 + y) * 96 + x]!;
    expect([pixel(0, 39, 39), pixel(0, 39, 40), pixel(0, 40, 39)]).toEqual([1, 0, 0]);
    expect([pixel(1, 32, 69), pixel(1, 32, 70), pixel(1, 33, 69)]).toEqual([2, 0, 0]);
  });

  test('sizes, originals and scales lead from batch boxes back to the original image', async () => {
    const sample = sampleOf(1, 50, 40, [[5, 10, 25, 30]]);
    const transform = (s: Sample): Sample => resize(s, { width: 75, height: 80 });
    const [batch] = await collect(batches(datasetOf([sample]), { batchSize: 1, normalization, transform }));
    expect(batch!.sizes).toEqual([{ width: 75, height: 80 }]);
    expect(batch!.originals).toEqual([{ width: 50, height: 40 }]);
    const [[scaleX, scaleY] = [0, 0]] = batch!.scales;
    const [x1 = 0, y1 = 0] = batch!.boxes;
    expect([x1 / scaleX, y1 / scaleY]).toEqual([5, 10]);
  });

  test('the key of a transform depends on seed, epoch and image, not on the batch', async () => {
    const keysOf = async (
      batchSize: number,
      epoch: number,
      planSeed: number,
    ): Promise<Map<number, number>> => {
      const keys = new Map<number, number>();
      const transform = (sample: Sample, key: number): Sample => {
        keys.set(sample.id, key);
        return key % 2 ? flip(sample) : sample;
      };
      await collect(batches(manySamples(12), { batchSize, epoch, seed: planSeed, normalization, transform }));
      return new Map([...keys].sort(([a], [b]) => a - b));
    };
    const keys = await keysOf(3, 1, 8);
    expect(await keysOf(5, 1, 8)).toEqual(keys);
    expect(new Set(keys.values()).size).toBe(12);
    expect(await keysOf(3, 2, 8)).not.toEqual(keys);
    expect(await keysOf(3, 1, 9)).not.toEqual(keys);
  });

  test('maxObjects fixes the shape, and an image with more is refused by name', async () => {
    const sample = sampleOf(4, 40, 40, [
      [0, 0, 5, 5],
      [5, 5, 9, 9],
    ]);
    const one = (maxObjects: number): Promise<Batch[]> =>
      collect(batches(datasetOf([sample]), { batchSize: 1, normalization, maxObjects }));
    expect((await one(3))[0]?.objects).toBe(3);
    await expect(one(1)).rejects.toThrow(/batches\(image-4\.png\): .* maxObjects = 1 .*, got 2/);
  });
});

describe('reading ahead', () => {
  const counting = (count: number, failing = -1): { dataset: Dataset; reads: () => number } => {
    const samples = Array.from({ length: count }, (_, i) => sampleOf(i, 40, 40, [[0, 0, 9, 9]]));
    let reads = 0;
    const dataset = datasetOf(samples, async (index) => {
      reads += 1;
      if (index === failing) throw new Error(`image ${index} is damaged`);
      return samples[index]!;
    });
    return { dataset, reads: () => reads };
  };

  test.each([0, 1, 3])('never more than %i batches beyond the one in use', async (prefetch) => {
    const { dataset, reads } = counting(20);
    let used = 0;
    for await (const batch of batches(dataset, { batchSize: 2, prefetch, normalization })) {
      used += batch.ids.length;
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(reads()).toBe(Math.min(20, used + prefetch * 2));
    }
    expect(used).toBe(20);
  });

  test('nothing is read before the first batch is asked for, and nothing more after leaving', async () => {
    const { dataset, reads } = counting(20);
    const stream = batches(dataset, { batchSize: 1, prefetch: 2, normalization });
    expect(reads()).toBe(0);
    for await (const batch of stream) if (batch.position === 3) break;
    const atLeaving = reads();
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(reads()).toBe(atLeaving);
    expect(atLeaving).toBeLessThanOrEqual(6);
  });

  test('a failure arrives at its own batch', async () => {
    const { dataset } = counting(10, 4);
    const seen: number[] = [];
    const onProblem = 'strict';
    const options = { batchSize: 1, shuffle: false, prefetch: 4, normalization, onProblem } as const;
    const reading = async (): Promise<void> => {
      for await (const batch of batches(dataset, options)) seen.push(...batch.ids);
    };
    await expect(reading()).rejects.toThrow('image 4 is damaged');
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('an endless stream goes on', async () => {
    const { dataset } = counting(3);
    const stream = batches(dataset, { batchSize: 2, epochs: Number.POSITIVE_INFINITY, normalization });
    for await (const batch of stream) if (batch.epoch === 7) return;
    expect.unreachable('the stream ended');
  });
});

test.each([
  [{ batchSize: 0 }, /batchSize to be an integer of at least 1, got 0/],
  [{ batchSize: 2.5 }, /batchSize/],
  [{ batchSize: 1, start: -1 }, /start to be an integer of at least 0, got -1/],
  [{ batchSize: 1, padMultiple: 0 }, /padMultiple/],
  [{ batchSize: 1, epochs: Number.NaN }, /epochs/],
])('wrong options are refused at the call: %j', (options, message) => {
  expect(() => batches(manySamples(3), { normalization, ...options })).toThrow(message);
});
