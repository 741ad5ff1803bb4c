// The detector trains on WebGPU in Node as on the reference.
import { createBackend } from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { differences, referenceSteps, threeSteps } from '../trainedOn.ts';

test('three steps on webgpu agree with the reference', async () => {
  const backend = await createBackend('webgpu');
  const steps = await threeSteps(backend);
  const { loss, change } = differences(await referenceSteps(), steps);
  expect(loss).toBeLessThan(1e-5);
  expect(change).toBeLessThan(1e-3);
  expect(steps.buffersLeft).toBe(0);
  await backend.destroy();
});

test('three steps with products of halves stay near those of the reference', async () => {
  const backend = await createBackend('webgpu', { precision: 'emulated mixed' });
  const steps = await threeSteps(backend);
  const { loss, change } = differences(await referenceSteps(), steps);
  expect(loss).toBeLessThan(3e-4);
  expect(change).toBeLessThan(0.05);
  await backend.destroy();
});
