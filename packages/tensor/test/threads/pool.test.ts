// The thread pool: every task exactly once, errors instead of hangs, and no trace of it when it idles.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { StartWorker, WorkerThread } from '../../src/backends/wasm/threads/platform.ts';
import { startWorker } from '../../src/backends/wasm/threads/platform.ts';
import { UnsupportedError } from '../../src/index.ts';
import { countersAt, countingPool, countTasks, scratchAt } from './counting.ts';

const [arity, scratchStride] = [2, 64];

for (const threads of [2, 3])
  test(`a million small tasks run exactly once each on ${threads} threads`, async () => {
    const { pool, words, program } = countingPool(threads);
    const number = await pool.load(program);
    const expected = new Int32Array(1000);
    let total = 0;
    // many jobs of few tasks, where threads meet at the ends, and some of many
    for (let i = 0; total < 1e6; i++) {
      const count = i % 100 === 0 ? 1000 : 1 + ((i * 7919) % 37);
      pool.run({
        program: number,
        tasks: countTasks(count, i % 5),
        arity,
        scratch: scratchAt,
        scratchStride,
      });
      for (let task = 0; task < count; task++) expected[task]! += 1;
      total += count;
      if (words[countersAt / 4] !== i + 1) throw new Error(`job ${i} lost a task or ran one twice`);
    }
    expect(words.slice(countersAt / 4, countersAt / 4 + 1000)).toEqual(expected);
    await pool.close();
  });

test('workers take part, with scratch memory of their own', async () => {
  const { pool, words, program } = countingPool(3);
  const number = await pool.load(program);
  const turns = 3e6;
  pool.run({ program: number, tasks: countTasks(24, turns), arity, scratch: scratchAt, scratchStride });
  const perThread = [0, 1, 2].map((thread) => words[(scratchAt + thread * scratchStride) / 4]!);
  expect(perThread.reduce((sum, turnsOfThread) => sum + turnsOfThread)).toBe(24 * turns);
  expect(perThread.filter((turnsOfThread) => turnsOfThread > 0).length).toBeGreaterThan(1);
  expect(perThread.every((turnsOfThread) => turnsOfThread % turns === 0)).toBe(true);
  await pool.close();
});

/** A start that keeps hold of the workers. */
const kept = (): { readonly start: StartWorker; readonly workers: WorkerThread[] } => {
  const workers: WorkerThread[] = [];
  const start: StartWorker = (source, events) => {
    const worker = startWorker(source, events);
    workers.push(worker);
    return worker;
  };
  return { start, workers };
};

test('a worker that dies between jobs is an error of the next', async () => {
  const { start, workers } = kept();
  const { pool, program } = countingPool(2, start);
  const number = await pool.load(program);
  await workers[0]!.terminate();
  const run = (): void =>
    pool.run({ program: number, tasks: countTasks(2, 1), arity, scratch: scratchAt, scratchStride });
  expect(run).toThrow(UnsupportedError);
  expect(run).toThrow(
    "wasm: needs its 2 threads, got a worker died: it ended. Create a new backend; with 'threads: 1' it needs no workers.",
  );
  await expect(pool.load(program)).rejects.toThrow('a worker died');
  await pool.close();
});

test('a worker that stops in the middle of a task is an error, not a hang', async () => {
  // in this worker the function that tasks may call ends the thread
  const start: StartWorker = (source, events) =>
    startWorker(`Math.pow = () => process.exit();${source}`, events);
  const { pool, program } = countingPool(2, start, 200);
  const number = await pool.load(program);
  // this thread works long enough on its own task for the worker to take the other; a busy machine gets more tries
  const tasks = countTasks(2, 2e7, 2);
  expect(() => {
    for (let i = 0; i < 100; i++)
      pool.run({ program: number, tasks, arity, scratch: scratchAt, scratchStride });
  }).toThrow('wasm: needs its 2 threads, got a worker that stopped in the middle of its work.');
  await pool.close();
});

test('a task that fails in a worker is an error', async () => {
  const { pool, program } = countingPool(2);
  const number = await pool.load(program);
  const tasks = countTasks(2, 0, 1).map((value, i) => (i % 3 === 1 ? 0 : value));
  expect(() => pool.run({ program: number, tasks, arity, scratch: scratchAt, scratchStride })).toThrow(
    /unreachable|out of bounds|failed/,
  );
  await pool.close();
});

test('where no worker starts, the calling thread does everything', async () => {
  const { pool, words, program } = countingPool(3, () => {
    throw new Error('workers are forbidden here');
  });
  const number = await pool.load(program);
  pool.run({ program: number, tasks: countTasks(100, 1), arity, scratch: scratchAt, scratchStride });
  expect(words.slice(countersAt / 4, countersAt / 4 + 100).every((count) => count === 1)).toBe(true);
  expect(pool.threads()).toBe(1);
  expect(pool.shortage()).toBe('no worker could start: workers are forbidden here');
  await pool.close();
});

/** What a program prints that runs as a process of its own; it must end by itself, with status 0. */
const printed = async (program: string): Promise<string> => {
  const flags = ['--conditions=@autoassign/source', '--import', 'tsx', '--input-type=module', '-e', program];
  const options = { cwd: import.meta.dirname, timeout: 30_000 };
  return (await promisify(execFile)(process.execPath, flags, options)).stdout;
};

const productOnThreads = `
  import { createBackend, compile, matmul, ones, read } from '@autoassign/tensor';
  const a = ones([256, 256]);
  const multiply = async () => {
    const backend = await createBackend('wasm', { threads: 3 });
    const product = compile((x, y) => matmul(x, y), { backend });
    await read(await product(a, a));
    if (!product.describe().includes('3 threads')) throw new Error(product.describe());
    return { backend, product };
  };`;

test('an idle pool uses no processor time and lets the process end by itself', async () => {
  const milliseconds = await printed(`${productOnThreads}
    await multiply();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 1000);`);
  // three busy threads would use 900 ms on an idle machine; one that spins uses 300
  expect(Number(milliseconds)).toBeLessThan(60);
});

test('a process waits for what it destroys', async () => {
  // the answers to the first line may come before or after the workers end: both orders are met in twenty turns
  const program = `${productOnThreads}
    for (let i = 0; i < 20; i++) {
      const { backend, product } = await multiply();
      product.destroy();
      await backend.destroy();
    }
    console.log('destroyed');`;
  expect(await printed(program)).toBe('destroyed\n');
});
