// Batches by worker threads: the same bits for any number of them, also resumed, and none is left when the reading ends.
import { type Batch, type BatchOptions, batches, type Dataset, flip } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { photographs } from './photographs.ts';

const seed = 13;
const running = vi.hoisted(() => ({ threads: 0, started: 0 }));

// Counts the threads that live: the only way to see one that is left behind.
vi.mock('node:worker_threads', async (original) => {
  const module = await original<typeof import('node:worker_threads')>();
  class Worker extends module.Worker {
    constructor(...args: ConstructorParameters<typeof module.Worker>) {
      super(...args);
      running.threads += 1;
      running.started += 1;
      this.on('exit', () => {
        running.threads -= 1;
      });
    }
  }
  return { ...module, Worker };
});

beforeEach(() => {
  running.started = 0;
});

const options = {
  batchSize: 3,
  seed: 4,
  epochs: 2,
  groupByAspect: true,
  normalization: { mean: [103, 116, 123], std: [57, 58, 59], order: 'bgr' },
  steps: [
    { type: 'resize', shortSide: [40, 52, 64], longSide: 100 },
    { type: 'flip' },
    { type: 'normalizeJitter', gain: { from: 0.8, to: 1.2 }, offset: { from: -1, to: 1 } },
  ],
} as const satisfies BatchOptions;

/** A copy of everything in a batch, also of memory that is only lent. */
const copyOf = (batch: Batch): unknown => ({
  ...batch,
  images: Buffer.from(Float32Array.from(batch.images).buffer).toString('base64'),
});

/** All batches as they were when they were given; those with memory of their own must still be so in the end. */
const collect = async (dataset: Dataset, more: Partial<BatchOptions> = {}): Promise<unknown[]> => {
  const all: Batch[] = [];
  const copies: unknown[] = [];
  for await (const batch of batches(dataset, { ...options, ...more })) {
    all.push(batch);
    copies.push(copyOf(batch));
  }
  if (more.memory === 'lent') return copies;
  expect(all.map(copyOf)).toEqual(copies);
  for (const { images } of all) expect(images.buffer).toBeInstanceOf(ArrayBuffer);
  expect(new Set(all.map(({ images }) => images.buffer)).size).toBe(all.length);
  return copies;
};

describe('the same batches, bit for bit', () => {
  test('for any number of threads, any prefetch and either memory, also where pictures cannot be read', async () => {
    const dataset = await photographs(11, { 2: 'cut', 7: 'missing', 8: 'other size' });
    const run = async (more: Partial<BatchOptions>): Promise<{ all: unknown[]; reported: string[] }> => {
      const reported: string[] = [];
      const report: BatchOptions['report'] = ({ kind, image }) => reported.push(`${image} ${kind}`);
      return { all: await collect(dataset, { ...more, report }), reported };
    };
    const here = await run({ workers: 0 });
    expect(here.all.length).toBe(10);
    expect(new Set(here.reported)).toEqual(
      new Set(['2.jpg damaged picture', '7.jpg missing picture', '8.jpg wrong size']),
    );
    expect(await run({ workers: 0, prefetch: 5, memory: 'lent' })).toEqual(here);
    expect(await run({ workers: 1, prefetch: 0 })).toEqual(here);
    expect(await run({ workers: 2, prefetch: 4, memory: 'lent' })).toEqual(here);
    expect(running).toEqual({ threads: 0, started: 3 });
  });

  test('with a mosaic, whose pictures come from the whole dataset, and a transform after the steps', async () => {
    const dataset = await photographs(7);
    const steps = [{ type: 'mosaic', size: 64, probability: 0.5 }, { type: 'flip' }] as const;
    const transform: BatchOptions['transform'] = (sample, key) => (key % 2 ? flip(sample) : sample);
    const here = await collect(dataset, { workers: 0, steps, transform });
    expect(await collect(dataset, { workers: 1, steps, transform })).toEqual(here);
    expect(await collect(dataset, { workers: 1, steps })).toEqual(
      await collect(dataset, { workers: 0, steps }),
    );
  });

  test('resumed from any epoch and position, also with shards', async () => {
    const dataset = await photographs(9, { 4: 'cut' });
    const shards = [undefined, { rank: 1, size: 2 }];
    const anyResumption = fc.tuple(fc.constantFrom(...shards), fc.nat(7), fc.constantFrom(0, 2));
    await fc.assert(
      fc.asyncProperty(anyResumption, async ([shard, from, prefetch]) => {
        const sharded = shard === undefined ? {} : { shard };
        const whole = (await collect(dataset, { workers: 0, ...sharded })) as Batch[];
        const { epoch, position } = whole[from % whole.length]!;
        const rest = { epoch, start: position, epochs: 2 - epoch, prefetch, workers: 1 };
        expect(await collect(dataset, { ...sharded, ...rest })).toEqual(whole.slice(from % whole.length));
      }),
      { seed, numRuns: 2 },
    );
  });
});

test.each([0, 1])('memory that is lent is a few pieces used in turn, %i threads', async (workers) => {
  const dataset = await photographs(9);
  const prefetch = 2;
  const stream = batches(dataset, { ...options, workers, memory: 'lent', prefetch, epochs: 6 });
  // by then each piece has held the largest batch
  const pieces = new Set<ArrayBufferLike>();
  for await (const { images, epoch } of stream) if (epoch > 2) pieces.add(images.buffer);
  // those prepared ahead and the one in use
  expect(pieces.size).toBeLessThanOrEqual(prefetch + 1);
});

describe('threads end', () => {
  const stream = async (more: Partial<BatchOptions> = {}): Promise<AsyncIterator<Batch>> =>
    batches(await photographs(9), { ...options, workers: 1, epochs: Number.POSITIVE_INFINITY, ...more })[
      Symbol.asyncIterator
    ]();

  test('on return, and none is started before the first batch is asked for', async () => {
    const iterator = await stream();
    expect(running.started).toBe(0);
    await iterator.next();
    expect(running.threads).toBe(1);
    await iterator.return?.();
    expect(running.threads).toBe(0);
  });

  test('at once when leaving before anything has been read', async () => {
    const iterator = await stream({ prefetch: 4 });
    const first = iterator.next();
    const leaving = iterator.return?.();
    await Promise.all([first, leaving]);
    expect(running.threads).toBe(0);
  });

  test('when the signal says so, with its reason', async () => {
    const controller = new AbortController();
    const iterator = await stream({ signal: controller.signal });
    await iterator.next();
    controller.abort(new Error('enough'));
    await expect(iterator.next()).rejects.toThrow('enough');
    expect(running.threads).toBe(0);
    await expect((await stream({ signal: controller.signal })).next()).rejects.toThrow('enough');
    expect(running.threads).toBe(0);
  });

  test('after an error', async () => {
    const dataset = await photographs(9, { 3: 'cut' });
    await expect(collect(dataset, { workers: 1, onProblem: 'strict' })).rejects.toThrow(
      /^decodeImage\(.*\/3\.jpg\): needs a complete image file/,
    );
    expect(running.threads).toBe(0);
  });
});

test('datasets without files are read by the calling thread, and the stream says so', async () => {
  const dataset = await photographs(3);
  expect(batches(dataset, { ...options, workers: 2 }).workers).toBe(2);
  expect(batches(dataset, options).workers).toBeGreaterThan(0);
  expect(batches(dataset, { ...options, transform: (sample) => sample }).workers).toBe(0);
  const { locate: _, ...withoutFiles } = dataset;
  expect(batches(withoutFiles, { ...options, workers: 2 }).workers).toBe(0);
  expect(await collect(withoutFiles, { workers: 2 })).toEqual(await collect(dataset, { workers: 0 }));
  expect(running.started).toBe(0);
});
