// What a benchmark run leaves behind: machine, versions, commit, seed, load, and one row per measured task.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Spread } from './spread.ts';

/** One measured task. */
export interface Row {
  readonly name: string;
  readonly threads: number;
  readonly unit: 'ms';
  readonly ours: Spread;
  /** Billions of floating point operations per second at the median, where the task has a count. */
  readonly gigaflops?: number;
  /** The same task by other libraries. */
  readonly peers: Readonly<Record<string, PeerSpread>>;
  /** Libraries that took no part, and why. */
  readonly absent?: Readonly<Record<string, string>>;
  /** What one run takes of the device, where the suite tells. */
  readonly device?: DeviceUsage;
  /** Most memory the process held at any time, in MiB, where the task had a process of its own. */
  readonly residentMiB?: number;
  /** Median time of the processor over all threads, which a busy machine changes less than the clock's. */
  readonly cpuMilliseconds?: number;
  /** Most memory that reading a file took beyond what the process held before, by the size of the file. */
  readonly memoryBySize?: number;
  /** Where the time goes, or what it is made of, where the suite tells. */
  readonly parts?: readonly Part[];
}

/** What one run takes of a device. */
export interface DeviceUsage {
  /** Kernels started. */
  readonly launches: number;
  /** The median time by launches. */
  readonly microsecondsPerLaunch: number;
  /** Most bytes held at any time, inputs and results among them. */
  readonly peakBytes?: number;
}

/** A part of a row's time. */
export interface Part {
  readonly name: string;
  readonly milliseconds: number;
  readonly gigaflops?: number;
}

/** Times of another library. */
interface PeerSpread extends Spread {
  readonly version: string;
  /** Theirs / ours, of medians: above 1, ours is faster. */
  readonly ratio: number;
  /** What to know when reading the numbers. */
  readonly note?: string;
  readonly device?: DeviceUsage;
  readonly residentMiB?: number;
  readonly cpuMilliseconds?: number;
}

/** A benchmark run. */
export interface BenchRun {
  readonly suite: string;
  readonly date: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number };
  readonly runtime: { readonly node: string; readonly v8: string; readonly platform: string };
  readonly commit: string;
  readonly seed: number;
  /** Whether ours used fused multiply-add; absent where the suite does not choose. */
  readonly fma?: boolean;
  /** What the GPU calls itself; absent where none is used. */
  readonly adapter?: string;
  /** Load averages over 1, 5 and 15 minutes when the run began and ended. */
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly rows: readonly Row[];
  /** Tasks at which ours failed, and how; absent where a failure ends the run. */
  readonly failed?: Readonly<Record<string, string>>;
}

/** The commit of this working tree, and whether it has changes. */
export const commitOf = (): string => {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '-uno', '--', '.', ':!bench/results') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
};

/** Everything about a run but its rows; call it before measuring. The commit is the working tree's unless it is given. */
export const describeRun = (
  suite: string,
  seed: number,
  commit: string = commitOf(),
): Omit<BenchRun, 'rows' | 'load'> => ({
  suite,
  date: new Date().toISOString().slice(0, 10),
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  },
  runtime: {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
  },
  commit,
  seed,
});

/** Load averages now, to two digits. */
export const loadNow = (): readonly number[] => loadavg().map((x) => Math.round(x * 100) / 100);

/** Rows as a table for a terminal. */
export const tableOf = (rows: readonly Row[]): string => {
  const cells = rows.map(({ name, ours, gigaflops }) => [
    name,
    ours.median.toFixed(3),
    ours.min.toFixed(3),
    ours.max.toFixed(3),
    gigaflops === undefined ? '' : gigaflops.toFixed(1),
  ]);
  const lines = [['task', 'median ms', 'min', 'max', 'GFLOP/s'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((c) => Math.max(...lines.map((line) => line[c]!.length)));
  return lines
    .map((line) =>
      line.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  '),
    )
    .join('\n');
};
