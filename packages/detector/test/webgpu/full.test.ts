// The small golden detector on WebGPU in Node and on GPU.js; only with the whole folder of golden files, since shaders compile for long.
import { createBackend } from '@autoassign/tensor';
import { expect, it } from 'vitest';
import { fullNames } from '../golden/fullCase.ts';
import { goldenDetectorOn } from '../golden/fullSuite.ts';

if (process.env.AUTOASSIGN_GOLDEN === undefined)
  it('has a golden detector to compare with, where the folder of them is named', () => {
    expect(fullNames()).toContain('h_small');
  });
else
  goldenDetectorOn('h_small', [
    { name: 'webgpu', create: () => createBackend('webgpu') },
    { name: 'gpujs webasm', create: () => createBackend('gpujs', { mode: 'webasm' }) },
    { name: 'gpujs cpu', create: () => createBackend('gpujs', { mode: 'cpu' }) },
  ]);
