// Three training steps on a backend, compared with those of the reference.
import type { Backend } from '@autoassign/tensor';
import { createBackend, leavesWithPaths, read, release, scalar } from '@autoassign/tensor';
import { batchTensors, trainStep } from '../src/index.ts';
import { freshState, optimizer, squareBatch, tinyConfig } from './tiny.ts';

/** What three steps give. */
export interface ThreeSteps {
  readonly losses: readonly number[];
  /** By path, how far the parameters moved. */
  readonly changes: ReadonlyMap<string, Float32Array>;
  /** Buffers that are left when everything was released. */
  readonly buffersLeft: number;
}

/** Three steps of the tiny detector from the same start. */
export const threeSteps = async (backend: Backend): Promise<ThreeSteps> => {
  const before = backend.stats().buffers;
  const step = trainStep({ config: tinyConfig, optimizer, backend });
  const start = await freshState();
  let state = start;
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    const result = await step(state, batchTensors(squareBatch(i, 2)), scalar(2e-3));
    state = result.state;
    losses.push((await read(result.losses.total))[0]!);
    release([result.losses, result.gradientNorm]);
  }
  const first = new Map(leavesWithPaths(start.params));
  const changes = new Map<string, Float32Array>();
  for (const [path, leaf] of leavesWithPaths(state.params)) {
    const from = await read(first.get(path)!);
    changes.set(
      path,
      Float32Array.from(await read(leaf), (x, i) => x - from[i]!),
    );
  }
  release(state);
  step.destroy();
  return { losses, changes, buffersLeft: backend.stats().buffers - before };
};

/** The largest difference between the losses of two runs, and between their changes of a parameter, relative to the largest change. */
export const differences = (a: ThreeSteps, b: ThreeSteps): { loss: number; change: number } => {
  const loss = Math.max(...a.losses.map((x, i) => Math.abs(x - b.losses[i]!)));
  let change = 0;
  let largest = 0;
  for (const [path, moved] of a.changes)
    moved.forEach((x, i) => {
      change = Math.max(change, Math.abs(x - b.changes.get(path)![i]!));
      largest = Math.max(largest, Math.abs(x));
    });
  return { loss, change: change / largest };
};

/** The steps of the reference. */
export const referenceSteps = async (): Promise<ThreeSteps> => {
  const backend = await createBackend('cpu');
  const steps = await threeSteps(backend);
  await backend.destroy();
  return steps;
};
