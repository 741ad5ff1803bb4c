// How fast batches are made of photographs, against sharp alone, which decodes and resizes the same files and does nothing else.
import { availableParallelism } from 'node:os';
import { type BatchOptions, batches, type Dataset, resizedSize } from '@autoassign/datasets';
import sharp from 'sharp';
import type { Row } from '../record.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { photographs } from './photographs.ts';

/** What the suite measures. */
export interface BatchesOptions {
  readonly seed: number;
  readonly rounds: number;
  /** A folder of pictures; made ones when there is none. */
  readonly images: string | undefined;
}

/** A way to make batches, in milliseconds per picture. */
export interface BatchesRow extends Row {
  readonly picturesPerSecond: number;
  /** Time of all processors per picture: what is left when others use the machine as well. */
  readonly processor: Spread;
  /** Bytes of the process after a quarter of the pictures of the last round, and after all of them. */
  readonly resident: readonly [quarter: number, end: number];
}

/** Milliseconds per picture in one round. */
interface Measured {
  readonly wall: number;
  readonly processor: number;
  /** As in `BatchesRow`, where it is ours. */
  readonly resident?: BatchesRow['resident'];
}

interface Way {
  readonly name: string;
  readonly threads: number;
  readonly run: () => Promise<Measured>;
}

const picturesMade = 200;
const target = { shortSide: 800, longSide: 1333 };
const batchSize = 2;
const prefetch = 2;

/** Rows of every way of ours, with those of sharp as peers; every round takes each way once, through all pictures. */
export const batchesSuite = async ({ seed, rounds, images }: BatchesOptions): Promise<BatchesRow[]> => {
  const { dataset, remove } = await photographs(seed, picturesMade, images);
  try {
    const cores = availableParallelism();
    const peers = [1, cores].map((inFlight) => sharpAlone(dataset, inFlight));
    const counts = [...new Set([0, 1, cores])];
    const ways = counts.flatMap((workers) =>
      (['own', 'lent'] as const).map((memory) => ourWay(dataset, { workers, memory })),
    );
    const measured = new Map<Way, Measured[]>([...peers, ...ways].map((way) => [way, []]));
    for (let round = 0; round < rounds; round++)
      for (const [way, samples] of measured) samples.push(await way.run());
    const theirs = peers.map((peer) => ({
      peer,
      wall: spreadOf(measured.get(peer)!.map(({ wall }) => wall)),
    }));
    const theirProcessor = peers.map((peer) =>
      spreadOf(measured.get(peer)!.map(({ processor }) => processor)),
    );
    return ways.map((way): BatchesRow => {
      const samples = measured.get(way)!;
      const ours = spreadOf(samples.map(({ wall }) => wall));
      return {
        name: way.name,
        threads: way.threads,
        unit: 'ms',
        ours,
        peers: Object.fromEntries(
          theirs.map(({ peer, wall }, i) => [
            peer.name,
            {
              ...wall,
              version: sharp.versions.sharp!,
              ratio: wall.median / ours.median,
              note: `without normalisation; ${theirProcessor[i]!.median.toFixed(2)} ms of processor time per picture`,
            },
          ]),
        ),
        picturesPerSecond: 1000 / ours.median,
        processor: spreadOf(samples.map(({ processor }) => processor)),
        resident: samples.at(-1)!.resident!,
      };
    });
  } finally {
    await remove();
  }
};

/** Sharp's own decoding and resizing to bytes, so many files at the same time. */
const sharpAlone = (dataset: Dataset, inFlight: number): Way => {
  const one = async (index: number): Promise<void> => {
    const size = resizedSize(dataset.record(index), target);
    await sharp(dataset.locate!(index))
      .resize({ ...size, fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
  };
  const run = async (): Promise<Measured> => {
    const clock = startClock();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < dataset.length) await one(next++);
    };
    await Promise.all(Array.from({ length: inFlight }, work));
    return clock(dataset.length);
  };
  return { name: `sharp, ${inFlight} in flight`, threads: inFlight, run };
};

/** Our batches, from the first one on: neither the start of the threads counts nor what was prepared meanwhile. */
const ourWay = (dataset: Dataset, options: Required<Pick<BatchOptions, 'workers' | 'memory'>>): Way => {
  const run = async (): Promise<Measured> => {
    const stream = batches(dataset, {
      ...options,
      batchSize,
      prefetch,
      steps: [{ type: 'resize', ...target }],
      normalization: { mean: [102.9801, 115.9465, 122.7717], std: [1, 1, 1], order: 'bgr' },
      onProblem: 'strict',
    });
    let clock: ReturnType<typeof startClock> | undefined;
    let quarter = 0;
    for await (const { images, position } of stream) {
      clock ??= startClock();
      if (position === Math.floor(stream.batchesPerEpoch / 4)) quarter = process.memoryUsage().rss;
      if (!Number.isFinite(images.at(-1))) throw new Error('batches: needs finite numbers.');
    }
    const measured = clock!(dataset.length - (1 + prefetch) * batchSize);
    return { ...measured, resident: [quarter, process.memoryUsage().rss] };
  };
  const { workers, memory } = options;
  return { name: `batches, ${workers} workers, ${memory} memory`, threads: workers, run };
};

/** A clock that tells milliseconds per picture since it was started. */
const startClock = (): ((pictures: number) => Measured) => {
  const used = process.cpuUsage();
  const start = performance.now();
  return (pictures) => {
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(used);
    return { wall: wall / pictures, processor: (user + system) / 1000 / pictures };
  };
};

/** Rows as a table for a terminal. */
export const batchesText = (rows: readonly BatchesRow[]): string => {
  const peers = Object.entries(rows[0]?.peers ?? {}).map(
    ([name, { median, min, max, note }]) =>
      `${name}: ${(1000 / median).toFixed(1)} pictures/s (${min.toFixed(2)} to ${max.toFixed(2)} ms), ${note}`,
  );
  const ours = rows.map(
    ({ name, picturesPerSecond, ours: { min, max }, processor, peers: all, resident }) => {
      const ratios = Object.entries(all).map(([peer, { ratio }]) => `${ratio.toFixed(2)} of ${peer}`);
      const [first, last] = resident.map((bytes) => Math.round(bytes / 2 ** 20));
      return `${name}: ${picturesPerSecond.toFixed(1)} pictures/s (${min.toFixed(2)} to ${max.toFixed(2)} ms), ${processor.median.toFixed(2)} ms of processor time, ${ratios.join(', ')}, ${first} to ${last} MiB`;
    },
  );
  return [...peers, ...ours].join('\n');
};
