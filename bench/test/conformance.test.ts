// Conformance without a test runner: what it counts and what it tells.
import { createBackend } from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { runConformance } from '../src/device/conformance.ts';

test('a backend that computes rightly passes with every primitive', async () => {
  const lines: string[] = [];
  const { passed, failed } = await runConformance(
    'wasm',
    () => createBackend('wasm'),
    (line) => lines.push(line),
  );
  expect(failed).toBe(0);
  expect(passed).toBe(lines.length);
  expect(lines).toContain('ok conv2dFilterGrad');
});

test('a backend that does not start fails with every primitive, and the reason is told', async () => {
  const lines: string[] = [];
  const { passed, failed } = await runConformance(
    'none',
    () => Promise.reject(new Error('no adapter')),
    (line) => lines.push(line),
  );
  expect(passed).toBe(0);
  expect(failed).toBe(lines.length);
  expect(lines).toContain('FAIL conv2d: no adapter');
});
