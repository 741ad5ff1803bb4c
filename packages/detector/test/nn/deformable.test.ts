// The deformable layer: what it is at first, which channels move which taps, and that it learns.
import { checkGrad } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import {
  conv2d,
  createBackend,
  evaluate,
  full,
  key,
  mul,
  normal,
  read,
  slice,
  sub,
  sum,
  tensor,
} from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { deformableConv, initDeformableConv } from '../../src/nn/deformable.ts';
import { fanOutNormal } from '../../src/nn/init.ts';

const backend = await createBackend('cpu', { precision: 'f64' });
const greatest = async (t: Tensor): Promise<number> =>
  Math.max(...Array.from(await read(await evaluate(t, { backend })), Math.abs));

const window = { stride: 2, padding: 1, groups: 2 };
const x = normal(key(1), [2, 4, 5, 6]);
const params = initDeformableConv(key(2), [6, 2, 3, 3], fanOutNormal, 2);

test('is half the convolution at first', async () => {
  const halved = mul(conv2d(x, params.weight, window), full([], 0.5));
  expect(await greatest(sub(deformableConv(params, x, window), halved))).toBeLessThan(1e-6);
});

test('the bias of the first 18 channels is y and x of every tap in turn, the rest are logits', async () => {
  // all taps one pixel down and two to the right, and as good as all of each
  const bias = Array.from({ length: 27 }, (_, i) => (i >= 18 ? 40 : i % 2 === 0 ? 1 : 2));
  const moved = { ...params, conv_offset: { ...params.conv_offset, bias: tensor(bias) } };
  const seen = conv2d(slice(x, [0, 0, 0, 1], [-1, -1, -1, -1]), params.weight, {
    ...window,
    padding: [0, 0, 2, 3],
  });
  expect(await greatest(sub(deformableConv(moved, x, window), seen))).toBeLessThan(1e-6);
});

test('gradients reach every parameter', async () => {
  const { conv_offset } = params;
  // away from whole offsets, where samples have kinks
  const start: [Tensor, Tensor, Tensor, Tensor] = [
    x,
    params.weight,
    normal(key(3), conv_offset.weight.shape, { deviation: 0.01 }),
    full([27], 0.4),
  ];
  await checkGrad(
    (image: Tensor, weight: Tensor, offsetWeight: Tensor, bias: Tensor) =>
      sum(deformableConv({ weight, conv_offset: { weight: offsetWeight, bias } }, image, window)),
    start,
    { backend, order: 1 },
  );
});
