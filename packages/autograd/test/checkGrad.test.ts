// The gradient checker itself: it must fail when a derivative is wrong, and say where.
import { checkGrad, customVjp, GradientError } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import {
  argMax,
  createBackend,
  evaluate,
  exp,
  less,
  mul,
  relu,
  select,
  stopGradient,
  sum,
  tensor,
} from '@autoassign/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a rule that is wrong by one part in ten thousand is caught, at every size of the function', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -12, max: 12 }), fc.nat(1000), async (exponent, seed) => {
      const size = 10 ** exponent;
      const wrong = customVjp(
        (x: Tensor) => mul(exp(x), size),
        (ct, _inputs, y) => [mul(ct, mul(y, 1.0001))],
      );
      await expect(checkGrad(wrong, [tensor([0.3, -0.2])], { seed })).rejects.toThrow(GradientError);
    }),
    { seed: 3, numRuns: 20 },
  );
});

test('the error names order, seed, direction and the argument at fault', async () => {
  const product = customVjp(
    (a: Tensor, b: Tensor) => mul(a, b),
    (ct, [a, b]) => [mul(ct, b), mul(ct, mul(a, 2))],
  );
  const fn = (params: { a: Tensor; b: Tensor }): Tensor => product(params.a, params.b);
  const args = [{ a: tensor([1, 2]), b: tensor([3, 4]) }] as const;
  await expect(checkGrad(fn, [...args], { seed: 42 })).rejects.toThrow(
    /^checkGrad\(order 1, seed 42, direction 0\): needs the slope .* at fault: 0\.b\. Check/,
  );
});

test('a rule whose own derivative is wrong passes order 1 and fails order 2', async () => {
  const frozen = customVjp(
    (x: Tensor) => exp(x),
    (ct, _inputs, y) => [mul(ct, stopGradient(y))],
  );
  const x = tensor([0.5]);
  await expect(checkGrad(frozen, [x])).resolves.toBeLessThan(1e-6);
  await expect(checkGrad(frozen, [x], { order: 2 })).rejects.toThrow('order 2');
});

test('NaN never passes', async () => {
  const broken = customVjp(
    (x: Tensor) => x,
    (ct) => [mul(ct, Number.NaN)],
  );
  await expect(checkGrad(broken, [tensor([1])])).rejects.toThrow(GradientError);
});

test('a kink within a step is found', async () => {
  await expect(checkGrad((x: Tensor) => relu(x), [tensor([0, 1])])).rejects.toThrow(GradientError);
});

test('integers and bools among the arguments are held fixed; functions without f32 output are refused', async () => {
  const choose = (condition: Tensor, x: Tensor): Tensor => select(condition, x, mul(x, x));
  await checkGrad(choose, [tensor([true, false]), tensor([1, 2])], { order: 2 });
  await expect(checkGrad((x: Tensor) => argMax(x, 0), [tensor([1, 2])])).rejects.toThrow(
    'checkGrad: needs a function with an f32 output, got outputs of dtype i32.',
  );
  await expect(checkGrad((x: Tensor) => less(x, 0), [tensor([1, 2])])).rejects.toThrow('bool');
});

test('arguments may be evaluated on another backend or not at all, and no storage is left behind', async () => {
  const single = await createBackend('cpu');
  const backend = await createBackend('cpu', { precision: 'f64' });
  const evaluated = await evaluate(exp(tensor([0.25, 0.5])), { backend: single });
  const { buffers } = backend.stats();
  await checkGrad((a: Tensor, b: Tensor) => sum(mul(a, exp(b))), [evaluated, exp(tensor([0.1, 0.2]))], {
    backend,
    order: 2,
  });
  expect(backend.stats().buffers).toBe(buffers);
});
