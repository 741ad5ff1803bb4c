// What tests of running graphs ask: the numbers of a tensor, and what a call fails with.
import type { Tensor } from '../src/index.ts';
import { read } from '../src/index.ts';

/** What a promise or function fails with. */
export const failureOf = async (run: () => unknown): Promise<Error> => {
  try {
    await run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

/** The elements of an evaluated tensor. */
export const numbers = async (t: Tensor): Promise<number[]> => Array.from(await read(t));
