// The gradients of every primitive on GPU.js, where it runs in Node.
import { createBackend } from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { gradientViolations, primitivesWithGradients } from './gradientsOn.ts';

describe.each(['cpu', 'webasm'] as const)('gradients on gpujs %s', (mode) => {
  const backend = createBackend('gpujs', { mode });

  test.each(primitivesWithGradients)('%s', async (name) => {
    expect(await gradientViolations(name, await backend)).toEqual([]);
  });
});
