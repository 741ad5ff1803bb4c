// The detector trains on GPU.js, where it runs in Node, as on the reference.
import { createBackend } from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { differences, referenceSteps, threeSteps } from '../trainedOn.ts';

test.each(['cpu', 'webasm'] as const)('three steps on gpujs %s agree with the reference', async (mode) => {
  const backend = await createBackend('gpujs', { mode });
  const steps = await threeSteps(backend);
  const { loss, change } = differences(await referenceSteps(), steps);
  expect(loss).toBeLessThan(1e-6);
  expect(change).toBeLessThan(1e-4);
  expect(steps.buffersLeft).toBe(0);
  await backend.destroy();
});
