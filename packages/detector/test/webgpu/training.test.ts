// Training on WebGPU in Node: the same steps as on the reference.
import { createBackend } from '@autoassign/tensor';
import { test } from 'vitest';
import { expectTrainingOfReference } from '../fewSteps.ts';

test('three training steps of the tiny detector', async () => {
  await expectTrainingOfReference(await createBackend('webgpu'));
});
