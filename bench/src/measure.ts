// Measuring: interleaved rounds over all tasks of a suite, medians and spread.
import { Bench } from 'tinybench';
import type { Row } from './record.ts';
import { spreadOf } from './spread.ts';

/** Something to time. */
export interface Task {
  readonly name: string;
  /** Floating point operations of one run, where that is meaningful. */
  readonly flops?: number;
  readonly run: () => Promise<unknown>;
  /** Throws when the result is wrong; called once, before anything is timed. */
  readonly check?: () => Promise<void>;
}

/** How long and how often each task runs. */
export interface MeasureOptions {
  /** Milliseconds per task and round. */
  readonly time: number;
  /** Passes over all tasks; more passes see more of a shared machine's moods. */
  readonly rounds: number;
}

/** One row per task. Every round times every task once, so that slow minutes hit all of them alike. */
export const measure = async (tasks: readonly Task[], options: MeasureOptions): Promise<Row[]> => {
  for (const task of tasks) await task.check?.();
  const samples = new Map<string, number[]>(tasks.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    const bench = new Bench({
      time: options.time,
      iterations: 3,
      warmupIterations: round === 0 ? 3 : 1,
      warmupTime: 0,
    });
    for (const { name, run } of tasks) bench.add(name, async () => void (await run()));
    for (const { name, result } of await bench.run()) {
      if (result.state !== 'completed')
        throw new Error(`${name}: ${result.state}`, { cause: 'error' in result ? result.error : undefined });
      samples.get(name)!.push(result.latency.p50);
    }
  }
  return tasks.map(({ name, flops }): Row => {
    const ours = spreadOf(samples.get(name)!);
    const rate = flops === undefined ? {} : { gigaflops: flops / ours.median / 1e6 };
    return { name, threads: 1, unit: 'ms', ours, ...rate, peers: {} };
  });
};
