// A module of tasks that count how often each of them ran, in a memory shared with worker threads.

import { forRange } from '../../src/backends/wasm/assembler/control.ts';
import { moduleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import { i32 } from '../../src/backends/wasm/assembler/scalar.ts';
import { controlWords } from '../../src/backends/wasm/threads/control.ts';
import type { StartWorker } from '../../src/backends/wasm/threads/platform.ts';
import { startWorker } from '../../src/backends/wasm/threads/platform.ts';
import type { Pool, TaskProgram } from '../../src/backends/wasm/threads/pool.ts';
import { openPool } from '../../src/backends/wasm/threads/pool.ts';

/** The counters lie behind the control block; scratch memory behind them. */
export const countersAt: number = 4 * controlWords;
/** Where the scratch memory of the first thread begins; each thread has 64 bytes. */
export const scratchAt: number = countersAt + 4 * 1024;

/** What a test of the pool works with. */
export interface CountingPool {
  readonly pool: Pool;
  readonly words: Int32Array;
  readonly program: TaskProgram;
}

/**
 * A pool and its program: function 0 (address, turns, scratch) adds 1 to the word at the address after so many idle
 * turns, function 1 traps, function 2 is function 0 with a call of Math.pow before. A task owns its word: two threads that run the same task are seen in the sum.
 */
export function countingPool(
  threads: number,
  start: StartWorker = startWorker,
  patienceMilliseconds = 30_000,
): CountingPool {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
  const builder = moduleBuilder({ shared: true, maximumPages: 16 });
  const power = builder.importFunction('math', 'pow', { params: ['f64', 'f64'], result: 'f64' });
  const params = ['i32', 'i32', 'i32'] as const;
  builder.define({ exportName: 'count', params, result: 'void' }, ([at, turns, scratch], local) => [
    forRange(local('i32'), 0, turns, 1, [i32.store(scratch, i32.add(i32.load(scratch), 1))]),
    i32.store(at, i32.add(i32.load(at), 1)),
  ]);
  builder.define({ exportName: 'trap', params, result: 'void' }, ([at]) => [i32.store(i32.add(at, -4), 0)]);
  builder.define({ exportName: 'call', params, result: 'void' }, ([at, turns, scratch], local) => [
    local('f64').set(power.call(1, 1)),
    forRange(local('i32'), 0, turns, 1, [i32.store(scratch, i32.add(i32.load(scratch), 1))]),
    i32.store(at, i32.add(i32.load(at), 1)),
  ]);
  const module = new WebAssembly.Module(builder.toBytes());
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, math: { pow: Math.pow } });
  const functions = ['count', 'trap', 'call'];
  const local = functions.map((name) => exports[name] as (...args: number[]) => void);
  const pool = openPool({ memory, control: 0, threads, start, patienceMilliseconds });
  return { pool, words: new Int32Array(memory.buffer), program: { module, functions, local } };
}

/** The tasks of a job: `count` of them, each on its own word, with the given number of idle turns. */
export function countTasks(count: number, turns: number, func = 0): Int32Array {
  return Int32Array.from({ length: 3 * count }, (_, i) =>
    i % 3 === 0 ? func : i % 3 === 1 ? countersAt + 4 * ((i - 1) / 3) : turns,
  );
}
