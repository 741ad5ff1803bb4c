// The detector trains on GPU.js' two modes for a GPU as on the reference.
import { createBackend } from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { differences, referenceSteps, threeSteps } from '../trainedOn.ts';

test.each(['webgl2', 'webgpu'] as const)('three steps on gpujs %s agree with the reference', async (mode) => {
  const backend = await createBackend('gpujs', { mode });
  const steps = await threeSteps(backend);
  const { loss, change } = differences(await referenceSteps(), steps);
  expect(loss).toBeLessThan(1e-5);
  expect(change).toBeLessThan(1e-3);
  expect(steps.buffersLeft).toBe(0);
  await backend.destroy();
});
