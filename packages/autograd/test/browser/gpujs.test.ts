// The gradients of every primitive on GPU.js' two modes for a GPU. Shaders without a GPU take long to compile: one sample each.
import { createBackend } from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { gradientViolations, primitivesWithGradients } from '../gradientsOn.ts';

describe.each(['webgl2', 'webgpu'] as const)('gradients on gpujs %s', (mode) => {
  const backend = createBackend('gpujs', { mode });

  test.each(primitivesWithGradients)('%s', async (name) => {
    expect(await gradientViolations(name, await backend, 1)).toEqual([]);
  });
});
