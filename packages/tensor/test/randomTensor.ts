// Tensors of random numbers that depend on a seed only.
import type { Tensor } from '../src/index.ts';
import { tensor } from '../src/index.ts';
import { randomValues } from './wasm/harness.ts';

/** A constant of the given shape, of numbers between -1 and 1. */
export const random = (seed: number, ...shape: readonly number[]): Tensor =>
  tensor(
    randomValues(
      shape.reduce((product, extent) => product * extent, 1),
      seed,
    ),
    { shape },
  );
