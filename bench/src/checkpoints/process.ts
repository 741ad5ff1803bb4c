// Reads one file of weights in a process of its own, whose memory tells what it took: options as an argument, the result as a message.
import { closeSync, fstatSync, openSync, read } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type ByteSource, loadCheckpoint, openWeights, resnet50Config } from '@autoassign/detector';
import { leavesWithPaths } from '@autoassign/tensor';
import { fileClasses } from './classes.ts';

/** What to read, and how far. */
export interface ReadOptions {
  readonly path: string;
  /** All arrays of the file, or parameters of the detector. */
  readonly how: 'arrays' | 'parameters';
}

/** What reading took, and what was found. */
export interface ReadResult {
  readonly milliseconds: number;
  /** Time of the processor, over all threads. */
  readonly cpuMilliseconds: number;
  /** Most memory that the process held beyond what it held before, in bytes. */
  readonly bytes: number;
  readonly arrays: number;
  /** The sum of all elements. */
  readonly sum: number;
}

const sourceOfFile = (path: string): ByteSource & { readonly close: () => void } => {
  const file = openSync(path, 'r');
  return {
    size: fstatSync(file).size,
    read: (from, to) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.allocUnsafeSlow(to - from);
        read(file, bytes, 0, bytes.length, from, (error, count) => {
          if (error === null) resolve(bytes.subarray(0, count));
          else reject(error);
        });
      }),
    close: () => closeSync(file),
  };
};

const kept: { values: ArrayLike<number>[] } = { values: [] };

const readAll = async ({ path, how }: ReadOptions): Promise<void> => {
  const source = sourceOfFile(path);
  if (how === 'arrays') {
    const file = await openWeights(source);
    for (const name of file.arrays.keys()) {
      const { data } = await file.read(name);
      if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) kept.values.push(data);
    }
  } else {
    const { params } = await loadCheckpoint(source, resnet50Config(fileClasses), { strict: true });
    for (const [, leaf] of leavesWithPaths(params))
      if (leaf.source.kind === 'constant') kept.values.push(leaf.source.data);
  }
  source.close();
};

const sumOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
};

const options = JSON.parse(process.argv[2]!) as ReadOptions;
const before = process.memoryUsage.rss();
const cpuBefore = process.cpuUsage();
const start = performance.now();
await readAll(options);
const milliseconds = performance.now() - start;
const cpu = process.cpuUsage(cpuBefore);
const bytes = process.resourceUsage().maxRSS * 1024 - before;
const result: ReadResult = {
  milliseconds,
  cpuMilliseconds: (cpu.user + cpu.system) / 1e3,
  bytes,
  arrays: kept.values.length,
  sum: kept.values.reduce((sum, values) => sum + sumOf(values), 0),
};
process.send!(result, () => process.exit(0));
