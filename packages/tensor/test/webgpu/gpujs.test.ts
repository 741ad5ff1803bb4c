// GPU.js' mode webgpu in Node, where the package `webgpu` stands in for a browser's.
import { expect, test } from 'vitest';
import { create, globals } from 'webgpu';
import { createBackend } from '../../src/index.ts';
import { hostContract } from '../gpujs/hostContract.ts';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });

hostContract('webgpu');

test('the best mode of a place with WebGPU is webgpu', async () => {
  const backend = await createBackend('gpujs');
  const program = await backend.compile({ specs: [], args: [], constants: [], steps: [], results: [] });
  expect(program.describe()).toContain('backend gpujs (webgpu): 0 steps');
  await backend.destroy();
});
