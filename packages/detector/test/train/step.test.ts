// The compiled training step: it learns, it frees what it used, and it keeps the last good state.
import { multiStep } from '@autoassign/autograd';
import type { Backend } from '@autoassign/tensor';
import { createBackend, leaves, leavesWithPaths, read, release, scalar } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import { batchTensors } from '../../src/batch.ts';
import { trainStep } from '../../src/train/step.ts';
import { freshState, optimizer, squareBatch, tinyConfig } from '../tiny.ts';

const rate = multiStep({ rate: 5e-3, milestones: [] });
const numberOf = async (t: Parameters<typeof read>[0]): Promise<number> => (await read(t))[0]!;

describe.each(['cpu', 'wasm'] as const)('training step on %s', (name) => {
  it('learns one image by heart, and holds live buffers and bytes constant', async () => {
    const backend: Backend = await createBackend(name);
    const step = trainStep({ config: tinyConfig, optimizer, backend });
    const batch = batchTensors(squareBatch(0));
    let state = await freshState();
    const losses: number[] = [];
    const held: unknown[] = [];
    for (let i = 0; i < 50; i++) {
      const result = await step(state, batch, scalar(rate(i)));
      state = result.state;
      losses.push(await numberOf(result.losses.total));
      release([...leaves(result.losses), result.gradientNorm]);
      const { buffers, bytes } = backend.stats();
      held.push({ buffers, bytes });
    }
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    expect(new Set(held.map((entry) => JSON.stringify(entry))).size).toBe(1);
    expect(backend.stats().buffers).toBe(leaves(state).length);
    expect(await numberOf(state.step)).toBe(50);
    expect(await numberOf(state.failedAt)).toBe(-1);
    release(state);
    await backend.destroy();
  }, 20_000);

  it('keeps the state, but for the mark, when the loss is not finite, and in all steps after that', async () => {
    const backend = await createBackend(name);
    const step = trainStep({ config: tinyConfig, optimizer, backend });
    const good = squareBatch(0);
    const bad = { ...squareBatch(1), images: squareBatch(1).images.fill(Number.NaN, 5, 6) };
    let { state } = await step(await freshState(), batchTensors(good), scalar(1e-3));
    const before = await Promise.all(leaves([state.params, state.optimizer, state.step]).map(read));
    for (const batch of [bad, good]) ({ state } = await step(state, batchTensors(batch), scalar(1e-3)));
    const after = await Promise.all(leaves([state.params, state.optimizer, state.step]).map(read));
    expect(after).toEqual(before);
    expect(await numberOf(state.failedAt)).toBe(1);
    await backend.destroy();
  });
});

it('changes every trained parameter', async () => {
  const backend = await createBackend('wasm');
  const step = trainStep({ config: tinyConfig, optimizer, backend });
  const fresh = await freshState();
  const { state } = await step(fresh, batchTensors(squareBatch(0)), scalar(1e-3));
  const before = new Map(leavesWithPaths(fresh.params));
  for (const [path, leaf] of leavesWithPaths(state.params))
    expect([path, await read(leaf)]).not.toEqual([path, await read(before.get(path)!)]);
  await backend.destroy();
});

it('tells what each of its steps cost when asked to, none of them in TypeScript on wasm', async () => {
  const backend = await createBackend('wasm');
  const step = trainStep({ config: tinyConfig, optimizer, backend, profile: true });
  await step(await freshState(), batchTensors(squareBatch(0)), scalar(1e-3));
  const profile = step.profile();
  expect(profile.map(({ op }) => op)).toEqual(
    expect.arrayContaining(['conv2d', 'conv2dInputGrad', 'conv2dFilterGrad']),
  );
  expect(profile.filter(({ tier }) => tier !== 'tuned')).toEqual([]);
  expect(profile.filter(({ calls }) => calls !== 1)).toEqual([]);
  await backend.destroy();
});
