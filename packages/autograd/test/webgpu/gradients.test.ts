// The gradients of every primitive on WebGPU in Node.
import { createBackend } from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { gradientViolations, primitivesWithGradients } from '../gradientsOn.ts';

describe('gradients on webgpu', () => {
  const backend = createBackend('webgpu');

  test.each(primitivesWithGradients)('%s', async (name) => {
    expect(await gradientViolations(name, await backend, 2)).toEqual([]);
  });
});
