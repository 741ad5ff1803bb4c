// A page without cross-origin isolation has no shared memory: it computes on one thread, and says so.
import { expect, test } from 'vitest';
import type { Tensor } from '../../src/index.ts';
import { compile, createBackend, full, matmul, read } from '../../src/index.ts';

test('without isolation there is one thread, and describe() says why', async () => {
  expect(globalThis.crossOriginIsolated).toBe(false);
  const backend = await createBackend('wasm', { threads: 2 });
  const product = compile((x: Tensor) => matmul(x, x), { backend });
  const result = await read(await product(full([200, 200], 1)));
  expect(result.every((value) => value === 200)).toBe(true);
  expect(product.describe()).toContain(', 1 thread (this page is not cross-origin isolated)\n');
  await backend.destroy();
});
