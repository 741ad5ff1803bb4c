// Work that is divided between threads, and who did it: the same in a page and in a worker of it.
import type { Tensor } from '../../src/index.ts';
import { compile, conv2d, createBackend, matmul, read } from '../../src/index.ts';
import { random } from '../randomTensor.ts';
import { countingPool, countTasks, scratchAt } from '../threads/counting.ts';

/** What came of the work, as it can be sent between threads. */
export interface Outcome {
  /** The bits of all results. */
  readonly bits: readonly Int32Array[];
  /** The line of `describe()` that tells of the backend. */
  readonly heads: readonly string[];
}

/** A matrix product and a convolution, each large enough to be worth more than one thread. */
export const compute = async (threads: number): Promise<Outcome> => {
  const backend = await createBackend('wasm', { threads });
  const product = compile((x: Tensor, y: Tensor) => matmul(x, y), { backend });
  const convolution = compile((x: Tensor, w: Tensor) => conv2d(x, w, { stride: 2, padding: 1 }), { backend });
  const results = [
    await read(await product(random(1, 203, 190), random(2, 190, 170))),
    await read(await convolution(random(3, 4, 16, 64, 64), random(4, 16, 16, 3, 3))),
  ];
  const heads = [product, convolution].map((program) => /^backend .*$/m.exec(program.describe())![0]);
  await backend.destroy();
  return { bits: results.map(({ buffer }) => new Int32Array(buffer)), heads };
};

/** How a job was shared: turns of work that each of two threads did in so many runs of it. */
export interface Shares {
  readonly turns: readonly number[];
  readonly runs: number;
}

/** Turns of one run of the job. */
export const turnsPerRun = 40 * 5e5;

/** Who did how much of a job, run until both threads had a part in it: a busy machine may need more than one run, and gets fifty. */
export const sharesOfThreads = async (): Promise<Shares> => {
  const { pool, words, program } = countingPool(2);
  const number = await pool.load(program);
  const job = { program: number, arity: 2, scratch: scratchAt, scratchStride: 64 };
  const turnsSoFar = (): number[] => [0, 1].map((thread) => words[(scratchAt + 64 * thread) / 4]!);
  let runs = 0;
  while (runs < 50 && turnsSoFar().includes(0)) {
    pool.run({ ...job, tasks: countTasks(40, turnsPerRun / 40) });
    runs++;
  }
  const turns = turnsSoFar();
  await pool.close();
  return { turns, runs };
};
