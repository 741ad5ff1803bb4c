// The detector trains on WebGPU in Node as on the reference.
import { createBackend } from '@autoassign/tensor';
import { expect, test } from 'vitest';
import type { ThreeSteps } from '../trainedOn.ts';
import { differences, referenceSteps, threeSteps } from '../trainedOn.ts';

let reference: Promise<ThreeSteps> | undefined;

// with products of halves the change of a parameter is off by 1.3 % of the largest change
test.each([
  { precision: 'f32', mostLoss: 1e-5, mostChange: 1e-3 },
  { precision: 'emulated mixed', mostLoss: 3e-4, mostChange: 0.05 },
] as const)('three steps in $precision precision agree with the reference', async (given) => {
  const { precision, mostLoss, mostChange } = given;
  const backend = await createBackend('webgpu', { precision });
  const steps = await threeSteps(backend);
  reference ??= referenceSteps();
  const { loss, change } = differences(await reference, steps);
  expect(loss).toBeLessThan(mostLoss);
  expect(change).toBeLessThan(mostChange);
  expect(steps.buffersLeft).toBe(0);
  await backend.destroy();
});
