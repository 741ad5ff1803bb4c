// The contract with GPU.js where it runs in Node, and how it tells of falling back.
import { expect, test, vi } from 'vitest';
import { loadGpujs } from '../../src/backends/gpujs/host.ts';
import { hostContract } from './hostContract.ts';

hostContract('cpu');
hostContract('webasm');

test('GPU.js replaces a kernel that falls back, and keeps the reason', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { GPU } = await loadGpujs();
  const gpu = new GPU({ mode: 'webasm' });
  const shortcut = gpu.createKernel('function (a) { return a[this.thread.x]; }', {
    output: [2],
    argumentTypes: ['NumberTexture'],
    functions: [],
    precision: 'single',
    tactic: 'precision',
    pipeline: false,
    immutable: false,
    fixIntegerDivisionAccuracy: false,
  });
  await shortcut.kernel.build(new Float32Array(2));
  expect(shortcut.kernel.constructor.mode).toBe('cpu');
  expect(shortcut.kernel.fallbackReason).toContain('NumberTexture is not supported on the webasm backend');
  await gpu.destroy();
  warn.mockRestore();
});
