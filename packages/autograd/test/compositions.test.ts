// Gradients of the tensor package's compositions: against difference quotients, and finite where the values are.
import type { CheckGradOptions } from '@autoassign/autograd';
import { checkGrad, valueAndGrad } from '@autoassign/autograd';
import type { Shape, Tensor } from '@autoassign/tensor';
import {
  clamp,
  createBackend,
  evaluate,
  frozenBatchNorm,
  groupNorm,
  key,
  logSigmoid,
  logSumExp,
  maxPool2d,
  mean,
  min,
  normal,
  read,
  relu,
  reshape,
  resizeBilinear,
  resizeNearest,
  sigmoid,
  sign,
  softmax,
  softplus,
  square,
  sum,
  tensor,
  topK,
  variance,
} from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { reference } from './values.ts';

/** Values of either sign, at least 0.1 from each other and from 0. */
const apart = (shape: Shape): Tensor => {
  const count = shape.reduce((n, size) => n * size, 1);
  const order = Array.from({ length: count }, (_, i) => (i * 7) % count); // 7 divides no size used here
  return tensor(
    order.map((rank) => 0.2 * (rank - Math.floor(count / 2)) + 0.1),
    { shape },
  );
};
const random = (shape: Shape, seed = 1): Tensor => normal(key(seed), shape);
const positive = (shape: Shape, seed = 1): Tensor => softplus(random(shape, seed));

const image: Shape = [2, 4, 5, 6];
const cases: readonly (readonly [string, (...inputs: readonly Tensor[]) => Tensor, readonly Tensor[]])[] = [
  ['relu', (x) => relu(x!), [apart([17])]],
  ['softplus', (x) => softplus(x!), [apart([17])]],
  ['logSigmoid', (x) => logSigmoid(x!), [apart([17])]],
  ['square', (x) => square(x!), [apart([17])]],
  ['sign', (x) => sign(x!), [apart([17])]],
  ['clamp', (x) => clamp(x!, { min: -1, max: 1 }), [apart([17])]],
  ['mean', (x) => mean(x!, 1), [random([3, 5])]],
  ['variance', (x) => variance(x!, [0, 2]), [random([3, 2, 5])]],
  ['min', (x) => min(x!, 1), [apart([3, 5])]],
  ['logSumExp', (x) => logSumExp(x!, 0), [random([5, 3])]],
  ['softmax', (x) => softmax(x!, 1), [random([2, 5, 3])]],
  ['topK', (x) => topK(x!, 3).values, [apart([2, 8])]],
  [
    'groupNorm',
    (x, weight, bias) => groupNorm(x!, { weight: weight!, bias: bias! }, { groups: 2 }),
    [random(image), random([4], 2), random([4], 3)],
  ],
  [
    'frozenBatchNorm',
    (x, weight, bias, average, spread) =>
      frozenBatchNorm(x!, { weight: weight!, bias: bias!, running_mean: average!, running_var: spread! }),
    [random(image), random([4], 2), random([4], 3), random([4], 4), positive([4], 5)],
  ],
  ['maxPool2d', (x) => maxPool2d(x!, { window: 3, stride: 2, padding: 1 }), [apart(image)]],
  ['resizeNearest up', (x) => resizeNearest(x!, [10, 12]), [random(image)]],
  ['resizeNearest to odd sizes', (x) => resizeNearest(x!, [7, 4]), [random(image)]],
  ['resizeBilinear up', (x) => resizeBilinear(x!, [10, 11]), [random(image)]],
  ['resizeBilinear down', (x) => resizeBilinear(x!, [3, 4]), [random(image)]],
];

describe('derivatives of compositions, order 1 and 2', () => {
  const options: CheckGradOptions = { backend: reference, order: 2 };
  test.each(cases)('%s', async (_name, fn, inputs) => {
    expect(await checkGrad(fn, inputs, options)).toBeLessThan(1e-6);
  });
});

describe('values and gradients are finite in single precision at extreme inputs', async () => {
  const single = await createBackend('cpu');
  const large = [-1e30, 1e30, -100, 100, -20, 20, -1e-30, 1e-30, 0];
  const moderate = [-100, 100, -20, 20, -1e-30, 1e-30, 0, 0, 50];
  const extremes: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[]])[] = [
    ['sigmoid', sigmoid, large],
    ['relu', relu, large],
    ['softplus', softplus, large],
    ['logSigmoid', logSigmoid, large],
    ['clamp', (x) => clamp(x, { min: -1, max: 1 }), large],
    ['min', (x) => min(x), large],
    ['logSumExp', (x) => logSumExp(x, 0), large],
    ['softmax', (x) => softmax(x, 0), large],
    ['mean', (x) => mean(x), large],
    ['variance', (x) => variance(x), moderate],
    [
      'groupNorm of a constant image',
      (x) => groupNorm(reshape(x, [1, 1, 3, 3]), { weight: tensor([1]), bias: tensor([0]) }, { groups: 1 }),
      [100, 100, 100, 100, 100, 100, 100, 100, 100],
    ],
    [
      'groupNorm',
      (x) => groupNorm(reshape(x, [1, 1, 3, 3]), { weight: tensor([1]), bias: tensor([0]) }, { groups: 1 }),
      moderate,
    ],
    ['maxPool2d', (x) => maxPool2d(reshape(x, [1, 1, 3, 3]), { window: 2, stride: 1, padding: 1 }), large],
    ['resizeBilinear', (x) => resizeBilinear(reshape(x, [1, 1, 3, 3]), [5, 4]), large],
    ['resizeNearest', (x) => resizeNearest(reshape(x, [1, 1, 3, 3]), [5, 4]), large],
  ];
  test.each(extremes)('%s', async (_name, fn, inputs) => {
    const { value, grad } = valueAndGrad((x: Tensor) => sum(fn(x)))(tensor([...inputs]));
    const results = await evaluate([value, grad], { backend: single });
    for (const result of results)
      for (const number of await read(result)) expect(number).toSatisfy(Number.isFinite);
  });
});
