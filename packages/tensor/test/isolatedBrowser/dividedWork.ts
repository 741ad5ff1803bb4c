// Work that is divided between threads, and who did it: the same in a page and in a worker of it.
import type { Tensor } from '../../src/index.ts';
import { compile, conv2d, createBackend, matmul, read, tensor } from '../../src/index.ts';
import { countingPool, countTasks, scratchAt } from '../threads/counting.ts';
import { randomValues } from '../wasm/harness.ts';

/** What came of the work, as it can be sent between threads. */
export interface Outcome {
  /** The bits of all results. */
  readonly bits: readonly Int32Array[];
  /** The line of `describe()` that tells of the backend. */
  readonly heads: readonly string[];
}

const random = (seed: number, ...shape: number[]): Tensor =>
  tensor(
    randomValues(
      shape.reduce((product, extent) => product * extent, 1),
      seed,
    ),
    { shape },
  );

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

/** Turns of work that each of two threads did of one job. */
export const turnsPerThread = async (): Promise<readonly number[]> => {
  const { pool, words, program } = countingPool(2);
  const number = await pool.load(program);
  pool.run({
    program: number,
    tasks: countTasks(40, 3e6),
    arity: 2,
    scratch: scratchAt,
    scratchStride: 64,
  });
  const turns = [0, 1].map((thread) => words[(scratchAt + 64 * thread) / 4]!);
  await pool.close();
  return turns;
};
