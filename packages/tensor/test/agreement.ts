// Programs of sums of products on a backend, against the f64 reference.
import { expect } from 'vitest';
import { cpuBackend } from '../src/backends/cpu/index.ts';
import type { Backend, Tensor } from '../src/index.ts';
import { abs, compile, read } from '../src/index.ts';

/** What a program computes from its arguments. */
export type Build = (...args: Tensor[]) => Tensor;

/** Compares with the reference, within the bound of sums of so many terms, and gives the plan as text. */
export const agree = async (
  backend: Backend,
  build: Build,
  args: readonly Tensor[],
  terms: number,
): Promise<string> => {
  const program = compile(build, { backend, strict: true });
  const reference = compile(build, { backend: cpuBackend({ precision: 'f64' }) });
  const actual = await read(await program(...args));
  const expected = await read(await reference(...args));
  const magnitudes = await read(await reference(...args.map((arg) => abs(arg))));
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(4 * 2 ** -24 * Math.sqrt(terms) * magnitudes[i]!);
  });
  return program.describe();
};
