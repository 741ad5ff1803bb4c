// The shaders that WebGPU is given, for review. No GPU is needed to write them.
import { expect, test } from 'vitest';
import type { ProductArithmetic } from '../src/backends/webgpu/kernel.ts';
import { prepare } from '../src/backends/webgpu/passes.ts';
import { kernelsOf } from '../src/backends/webgpu/program.ts';
import { linearize } from '../src/graph/graph.ts';
import { planBuffers } from '../src/graph/plan.ts';
import type { Spec, Tensor } from '../src/index.ts';
import { add, conv2d, exp, gather, log1p, matmul, max, maxPool2d, pow, relu, sum } from '../src/index.ts';

const argument = (shape: readonly number[], dtype: Spec['dtype'] = 'f32'): Tensor => ({
  shape,
  dtype,
  depth: 0,
  source: { kind: 'argument', index: 0, path: '' },
});

const limits = { maxStorageBuffersPerShaderStage: 8, maxComputeWorkgroupsPerDimension: 65535 };

/** The shaders of a function's graph, one after the other, each with its workgroups. */
const shadersOf = (
  args: readonly Tensor[],
  fn: (...args: Tensor[]) => Tensor,
  products?: ProductArithmetic,
): string => {
  const graph = linearize(
    [fn(...args)],
    args.map((given) => ({ tensor: given, donated: false })),
  );
  const plan = planBuffers(prepare(graph, 7, { halves: products !== undefined }));
  return kernelsOf(plan, limits, { products })
    .flatMap((kernel) => kernel?.dispatches ?? [])
    .map(({ code, workgroups }) => `// ${workgroups.join(' x ')} workgroups\n${code}`)
    .join('\n');
};

const cases: readonly (readonly [string, readonly Tensor[], (...args: Tensor[]) => Tensor])[] = [
  [
    'a loop over whole tensors, of any size',
    [argument([3, 5]), argument([3, 5])],
    (x, y) => relu(add(x!, y!)),
  ],
  ['a loop with a row operand', [argument([3, 5]), argument([5])], (x, bias) => exp(add(x!, bias!))],
  ['log1p and pow', [argument([4])], (x) => pow(log1p(x!), 1.5)],
  ['a short fold', [argument([3, 5])], (x) => max(x!, 1)],
  ['a long fold', [argument([2, 1000])], (x) => sum(exp(x!), 1)],
  ['a matrix product', [argument([40, 20]), argument([20, 48])], (a, b) => matmul(a!, b!)],
  [
    'a convolution with bias and rectifier, channels in whole strips',
    [argument([1, 16, 8, 8]), argument([32, 16, 3, 3]), argument([32, 1, 1])],
    (x, w, bias) => relu(add(conv2d(x!, w!, { padding: 1 }), bias!)),
  ],
  [
    'a strided convolution',
    [argument([1, 3, 9, 9]), argument([4, 3, 3, 3])],
    (x, w) => conv2d(x!, w!, { stride: 2 }),
  ],
  ['gather', [argument([4, 3]), argument([2], 'i32')], (x, at) => gather(x!, at!)],
  ['pooling', [argument([1, 1, 4, 4])], (x) => maxPool2d(x!, { window: 2 })],
];

test.each(cases)('%s', (_, args, fn) => {
  expect(shadersOf(args, fn)).toMatchSnapshot();
});

test.each(['half', 'emulated half'] as const)(
  'a value stored as halves between a loop and a product, %s',
  (products) => {
    const shaders = shadersOf(
      [argument([8, 12]), argument([12, 8])],
      (x, w) => matmul(exp(x!), w!),
      products,
    );
    expect(shaders).toMatchSnapshot();
  },
);
