// A few training steps of the tiny detector on any backend, and how far two such runs are apart.
import type { Backend } from '@autoassign/tensor';
import { createBackend, leavesWithPaths, read, scalar } from '@autoassign/tensor';
import { expect } from 'vitest';
import { batchTensors, trainStep } from '../src/index.ts';
import { freshState, optimizer, squareBatch, tinyConfig } from './tiny.ts';

/** What a run gives. */
interface FewSteps {
  readonly losses: readonly number[];
  /** What training added to every parameter, by path. */
  readonly changes: ReadonlyMap<string, Float64Array>;
}

const stepCount = 3;

/** Three steps on a backend, which is destroyed. */
const fewSteps = async (backend: Backend): Promise<FewSteps> => {
  const step = trainStep({ config: tinyConfig, optimizer, backend });
  let state = await freshState();
  const start = new Map<string, ArrayLike<number>>();
  for (const [path, leaf] of leavesWithPaths(state.params)) start.set(path, await read(leaf));
  const losses: number[] = [];
  for (let i = 0; i < stepCount; i++) {
    const result = await step(state, batchTensors(squareBatch(i, 2)), scalar(2e-3));
    state = result.state;
    losses.push((await read(result.losses.total))[0]!);
  }
  const changes = new Map<string, Float64Array>();
  for (const [path, leaf] of leavesWithPaths(state.params)) {
    const [before, after] = [start.get(path)!, await read(leaf)];
    changes.set(
      path,
      Float64Array.from(after, (x, i) => x - before[i]!),
    );
  }
  await backend.destroy();
  return { losses, changes };
};

const normOf = (values: Float64Array): number => Math.hypot(...values);

/**
 * Expects three training steps to be those of the reference: losses to 1e-5, and the changes of all parameters together to 1 % of their
 * length. AdamW's first steps are nearly the sign of the gradient, so where a gradient is smaller than its rounding single elements differ.
 */
export const expectTrainingOfReference = async (backend: Backend): Promise<void> => {
  const expected = await fewSteps(await createBackend('cpu'));
  const actual = await fewSteps(backend);
  actual.losses.forEach((loss, i) => {
    expect(Math.abs(loss / expected.losses[i]! - 1), `loss of step ${i + 1}`).toBeLessThan(1e-5);
  });
  const all = (run: FewSteps): Float64Array =>
    Float64Array.from([...run.changes.values()].flatMap((x) => [...x]));
  const [a, b] = [all(actual), all(expected)];
  expect(normOf(a.map((x, i) => x - b[i]!)) / normOf(b)).toBeLessThan(1e-2);
};
