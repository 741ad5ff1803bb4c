// The texts that GPU.js is given, for review.
import { expect, test } from 'vitest';
import type { GpujsMode } from '../../src/backends/gpujs/modes.ts';
import { traitsOf } from '../../src/backends/gpujs/modes.ts';
import { prepare } from '../../src/backends/gpujs/passes.ts';
import { kernelOf } from '../../src/backends/gpujs/program.ts';
import { linearize } from '../../src/graph/graph.ts';
import type { Spec, Tensor } from '../../src/index.ts';
import {
  add,
  conv2d,
  exp,
  gather,
  log1p,
  matmul,
  max,
  maxPool2d,
  mul,
  pow,
  relu,
  sum,
  tensor,
} from '../../src/index.ts';

const argument = (shape: readonly number[], dtype: Spec['dtype'] = 'f32'): Tensor => ({
  shape,
  dtype,
  depth: 0,
  source: { kind: 'argument', index: 0, path: '' },
});

/** The kernels of a function's graph, one after the other. */
const sourcesOf = (
  mode: GpujsMode,
  args: readonly Tensor[],
  fn: (...args: readonly Tensor[]) => Tensor,
  leastProducts?: number,
): string => {
  const graph = prepare(
    linearize(
      [fn(...args)],
      args.map((given) => ({ tensor: given, donated: false })),
    ),
    traitsOf[mode],
    leastProducts,
  );
  return graph.steps
    .map((step) => {
      const source = kernelOf(graph, step, mode);
      return source === undefined ? `${step.op.name}: none` : [...source.functions, source.text].join('\n');
    })
    .join('\n\n');
};

test('a loop of floats, with the mathematics of the host and without', () => {
  const args = [argument([3, 5]), argument([5])];
  const fn = (x: Tensor, bias: Tensor): Tensor => exp(relu(add(x, bias)));
  expect(sourcesOf('cpu', args, fn as never)).toMatchSnapshot();
  expect(sourcesOf('webgl2', args, fn as never)).toMatchSnapshot();
});

test('integers in halves', () => {
  const args = [argument([4], 'i32'), argument([4], 'i32')];
  expect(sourcesOf('webgpu', args, ((a: Tensor, b: Tensor) => add(mul(a, b), 1)) as never)).toMatchSnapshot();
});

test('reductions', () => {
  expect(sourcesOf('webgl2', [argument([2, 300])], ((x: Tensor) => sum(x, 1)) as never)).toMatchSnapshot();
  expect(
    sourcesOf('webgl2', [argument([2, 3, 4])], ((x: Tensor) => max(x, [0, 2])) as never),
  ).toMatchSnapshot();
});

test('powers and logarithms', () => {
  expect(
    sourcesOf('webgpu', [argument([4])], ((x: Tensor) => pow(log1p(x), 2.5)) as never),
  ).toMatchSnapshot();
});

test('products', () => {
  const matrices = [argument([3, 40]), argument([40, 100])];
  expect(sourcesOf('webgl2', matrices, ((a: Tensor, b: Tensor) => matmul(a, b)) as never)).toMatchSnapshot();
  const images = [argument([1, 2, 5, 5]), argument([3, 2, 3, 3])];
  const conv = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { stride: 2, padding: 1 });
  expect(sourcesOf('webgl2', images, conv as never)).toMatchSnapshot();
});

test('products on texels', () => {
  const matrices = [argument([3, 40]), argument([40, 10])];
  const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);
  expect(sourcesOf('webgl2', matrices, product as never, 1)).toMatchSnapshot();
  const images = [argument([1, 2, 5, 5]), argument([3, 2, 3, 3])];
  const conv = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { stride: 2, padding: 1 });
  expect(sourcesOf('webgl2', images, conv as never, 1)).toMatchSnapshot();
});

test('positions that are data', () => {
  const indices = tensor(new Int32Array([2, 0]));
  expect(
    sourcesOf('webgl2', [argument([3, 2])], ((x: Tensor) => gather(x, indices)) as never),
  ).toMatchSnapshot();
  const pool = (x: Tensor): Tensor => maxPool2d(x, { window: 2 });
  expect(sourcesOf('webgl2', [argument([1, 1, 4, 4])], pool as never)).toMatchSnapshot();
});
