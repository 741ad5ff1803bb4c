// Fused multiply-add: on where the engine has relaxed SIMD, an error where it has not.
import { setFlagsFromString } from 'node:v8';
import { expect, test } from 'vitest';
import { createBackend, evaluate, matmul, read, tensor } from '../../src/index.ts';

test('fma multiplies and adds in one rounding once the engine has relaxed SIMD', async () => {
  setFlagsFromString('--experimental-wasm-relaxed-simd'); // Node 20; newer engines have it by default
  const backend = await createBackend('wasm', { fma: true });
  // (1 + e)(1 - e) - 1 = -e^2: the product rounds to 1 unless it is kept exact
  const e = 2 ** -13;
  const product = matmul(tensor([[1, 1 + e]]), tensor([[-1], [1 - e]]));
  const [value] = await read(await evaluate(product, { backend }));
  expect([-(e ** 2), 0]).toContain(value);
  await backend.destroy();
});
