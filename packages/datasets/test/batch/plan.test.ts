// Laws of plans: shards together have exactly the epoch, and a million images take neither long nor much memory.
import { type Batch, batches, type Dataset, type PlanOptions, planBatches } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { annotationOf, datasetOf, sampleOf } from '../samples.ts';

const seed = 8;
const normalization = { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' } as const;

const manySamples = (count: number): Dataset =>
  datasetOf(
    Array.from({ length: count }, (_, i) => sampleOf(i, 40 + (i % 5), i % 3 ? 50 : 36, [[1, 2, 11, 12]])),
  );

const anyShards = fc.record({
  length: fc.integer({ min: 1, max: 40 }),
  size: fc.integer({ min: 1, max: 6 }),
  epoch: fc.integer({ min: 0, max: 9 }),
  batchSize: fc.integer({ min: 1, max: 5 }),
  groupByAspect: fc.boolean(),
});

describe('shards', () => {
  const textsOf = (plan: readonly number[][]): string[] => plan.map((batch) => batch.join());
  const shardsOf = (dataset: Dataset, options: PlanOptions, epoch: number, size: number): string[][] =>
    Array.from({ length: size }, (_, rank) =>
      textsOf(planBatches(dataset, { ...options, shard: { rank, size } }, epoch)),
    );

  test('in training: equally many for all, together the whole plan, repeated from its beginning where batches are missing', () => {
    fc.assert(
      fc.property(anyShards, ({ length, size, epoch, ...options }) => {
        const whole = textsOf(planBatches(manySamples(length), options, epoch));
        const shards = shardsOf(manySamples(length), options, epoch, size);
        const perRank = Math.ceil(whole.length / size);
        expect(shards.map((shard) => shard.length)).toEqual(new Array(size).fill(perRank));
        const inTurn = Array.from(
          { length: perRank * size },
          (_, i) => shards[i % size]![Math.floor(i / size)],
        );
        expect(inTurn).toEqual(inTurn.map((_, i) => whole[i % whole.length]));
      }),
      { seed },
    );
  });

  test('last: drop leaves out what is no multiple, so that no batch occurs twice', () => {
    fc.assert(
      fc.property(anyShards, ({ length, size, epoch, ...rest }) => {
        const options = { ...rest, last: 'drop' } as const;
        const whole = textsOf(planBatches(manySamples(length), options, epoch));
        const all = shardsOf(manySamples(length), options, epoch, size);
        const kept = whole.length - (whole.length % size);
        expect(new Set(all.map((shard) => shard.length)).size).toBe(1);
        expect(sorted(all.flat())).toEqual(sorted(whole.slice(0, kept)));
      }),
      { seed },
    );
  });

  test('for evaluation: each image exactly once', () => {
    fc.assert(
      fc.property(anyShards, ({ length, size, epoch, ...rest }) => {
        const options = { ...rest, purpose: 'evaluate' } as const;
        const all = shardsOf(manySamples(length), options, epoch, size);
        expect(sorted(all.flat())).toEqual(sorted(textsOf(planBatches(manySamples(length), options, epoch))));
        const counts = all.map((shard) => shard.length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
      { seed },
    );
  });

  test('resume exactly: the stream from any epoch and position is the tail of the whole stream', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyShards.chain((plan) => fc.record({ plan: fc.constant(plan), from: fc.nat(20) })),
        async ({ plan: { length, size, epoch, ...rest }, from }) => {
          const shard = { rank: length % size, size };
          const options = {
            ...rest,
            shard,
            epoch,
            epochs: 2,
            seed: 4,
            normalization,
            buckets: { mostShapes: 2 },
          };
          const whole = await collect(batches(manySamples(length), options));
          const first = whole[from % whole.length]!;
          const tail = await collect(
            batches(manySamples(length), {
              ...options,
              epoch: first.epoch,
              start: first.position,
              epochs: epoch + 2 - first.epoch,
            }),
          );
          expect(tail.map(bitsOf)).toEqual(whole.slice(from % whole.length).map(bitsOf));
        },
      ),
      { seed, numRuns: 12 },
    );
  });

  test.each([
    [{ rank: 2, size: 2 }, /shard\.rank to be below shard\.size = 2, got 2/],
    [{ rank: -1, size: 2 }, /shard\.rank to be an integer of at least 0/],
    [{ rank: 0, size: 0 }, /shard\.size to be an integer of at least 1/],
  ])('wrong shards are refused: %j', (shard, message) => {
    expect(() => batches(manySamples(3), { batchSize: 1, normalization, shard })).toThrow(message);
  });
});

const sorted = (texts: readonly string[]): string[] => [...texts].sort((a, b) => a.localeCompare(b));

const collect = async (stream: AsyncIterable<Batch>): Promise<Batch[]> => {
  const all: Batch[] = [];
  for await (const batch of stream) all.push(batch);
  return all;
};

/** A batch as something that is quickly compared. */
const bitsOf = ({ images, ...rest }: Batch): unknown => [Buffer.from(images.buffer).toString('base64'), rest];

describe('a million images', () => {
  const count = 1_000_000;
  const annotations = [annotationOf(1, [1, 2, 11, 12])];
  const huge: Dataset = {
    ...manySamples(1),
    length: count,
    record: (index) => ({
      id: index,
      file: `image-${index}.png`,
      width: 40 + (index % 60),
      height: 40 + (index % 48),
      annotations,
    }),
    at: async (index) => {
      const { width, height } = huge.record(index);
      const data = new Uint8Array(width * height * 3).fill(index % 256);
      return { ...huge.record(index), pixels: { width, height, channels: 3, data } };
    },
  };

  test('are planned in little time and memory, with buckets, and resumed in the middle of an epoch', async () => {
    const before = process.memoryUsage();
    const start = performance.now();
    const stream = batches(huge, { batchSize: 16, normalization, buckets: { mostShapes: 4 }, start: 40_000 });
    const seen: number[] = [];
    for await (const batch of stream) {
      seen.push(...batch.ids);
      if (batch.position === 40_002) break;
    }
    const after = process.memoryUsage();
    expect(new Set(seen).size).toBe(48);
    // about 0.5 s on an idle core; kept records would be 125 MB on the heap, kept batches 1 GB
    expect(performance.now() - start).toBeLessThan(5000);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(60e6);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(60e6);
  });
});
