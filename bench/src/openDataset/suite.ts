// What opening large annotation files takes in time and memory: JSON.parse, this package, and its cache, each in its own process.
import { deepStrictEqual } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcess } from '../cpu/processes.ts';
import type { Row } from '../record.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { type FileSizes, type GeneratedFile, generateFile } from './generate.ts';
import type { ReadOptions, ReadResult } from './process.ts';

/** What to measure. */
export interface OpenDatasetOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly images: number;
  readonly objects: number;
  /** Whether to open a file of 2 GB as well, which JSON.parse cannot. */
  readonly large: boolean;
}

/** Of 2 GB; a real file has fewer images to its objects. */
const largeFile: Omit<FileSizes, 'seed'> = { format: 'objects365', images: 600_000, objects: 13_000_000 };

const program = new URL('./process.ts', import.meta.url);

/** A file while it is measured: it is read in processes of their own, and everything in it is compared. */
interface MeasuredFile extends GeneratedFile {
  readonly name: string;
  read(how: ReadOptions['how']): Promise<ReadResult>;
}

const withFile = async <Result>(
  sizes: FileSizes,
  measure: (file: MeasuredFile) => Promise<Result>,
): Promise<Result> => {
  const folder = mkdtempSync(join(tmpdir(), 'open-dataset-'));
  try {
    const path = join(folder, `${sizes.format}.json`);
    const generated = generateFile(path, sizes);
    const { format, images, objects } = sizes;
    const read = async (how: ReadOptions['how']): Promise<ReadResult> => {
      const result = await inProcess<ReadResult>(program, {
        path,
        format,
        images,
        how,
      } satisfies ReadOptions);
      deepStrictEqual(result.sums, generated.sums, `${how} of ${path}`);
      return result;
    };
    const size = `${(generated.bytes / 1e6).toFixed(0)} MB, ${objects} objects in ${images} images`;
    return await measure({ ...generated, name: `${format} of ${size}`, read });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const spread = (results: readonly ReadResult[]): Pick<Row, 'ours' | 'residentMiB' | 'cpuMilliseconds'> => ({
  ours: spreadOf(results.map(({ milliseconds }) => milliseconds)),
  residentMiB: Math.max(...results.map(({ residentMiB }) => residentMiB)),
  cpuMilliseconds: spreadOf(results.map(({ cpuMilliseconds }) => cpuMilliseconds)).median,
});

/** Rows of our readings of a file, beside others of the same rounds. */
const rowOf = (
  name: string,
  results: readonly ReadResult[],
  peers: Readonly<Record<string, readonly ReadResult[]>> = {},
): Row => {
  const own = spread(results);
  return {
    name,
    threads: 1,
    unit: 'ms',
    ...own,
    peers: Object.fromEntries(
      Object.entries(peers).map(([peer, theirs]) => {
        const { ours: times, ...memory } = spread(theirs);
        return [
          peer,
          { version: process.versions.v8, ...times, ...memory, ratio: times.median / own.ours.median },
        ];
      }),
    ),
  };
};

/** Two rows per file: opening it, and opening it again; each round measures all ways one after the other. */
export const openDatasetSuite = async (options: OpenDatasetOptions): Promise<Row[]> => {
  const { seed, rounds, images, objects, large } = options;
  const coco = await withFile({ format: 'coco', images, objects, seed }, async ({ name, read }) => {
    const [parsed, opened, again]: ReadResult[][] = [[], [], []];
    await read('open with cache');
    for (let round = 0; round < rounds; round++) {
      parsed!.push(await read('JSON.parse'));
      opened!.push(await read('open'));
      again!.push(await read('open with cache'));
    }
    return [
      rowOf(`${name}: open`, opened!, { 'JSON.parse': parsed! }),
      rowOf(`${name}: open again, from the cache`, again!, { 'open without cache': opened! }),
    ];
  });
  if (!large) return coco;
  const objects365 = await withFile({ ...largeFile, seed }, async ({ name, read }) => {
    // the first opening keeps what it read, which takes memory too
    const opened = [await read('open with cache')];
    const again = [await read('open with cache')];
    return [
      rowOf(`${name}: open, and keep the cache`, opened),
      rowOf(`${name}: open again, from the cache`, again, { 'open without cache': opened }),
    ];
  });
  return [...coco, ...objects365];
};

/** The rows as text, with memory and the others. */
export const openDatasetText = (rows: readonly Row[]): string =>
  rows
    .flatMap(({ name, ours, peers, ...rest }) => [
      `${name}: ${costs({ ...ours, ...rest })}`,
      ...Object.entries(peers).map(
        ([peer, theirs]) => `  ${peer}: ${costs(theirs)}: ${theirs.ratio.toFixed(2)} times ours`,
      ),
    ])
    .join('\n');

const costs = ({
  median,
  min,
  max,
  cpuMilliseconds = 0,
  residentMiB = 0,
}: Spread & Pick<Row, 'cpuMilliseconds' | 'residentMiB'>): string =>
  `${seconds(median)} (${seconds(min)} – ${seconds(max)}), processor ${seconds(cpuMilliseconds)}, ${residentMiB.toFixed(0)} MiB`;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;
