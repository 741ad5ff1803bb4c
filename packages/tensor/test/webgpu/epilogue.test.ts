// Loops over the result of a convolution on WebGPU: part of its kernel, with the values of the reference.
import { expect, test } from 'vitest';
import type { Tensor } from '../../src/index.ts';
import { add, compile, conv2d, createBackend, mul, read, relu, reshape } from '../../src/index.ts';
import { random } from '../randomTensor.ts';

type Build = (...args: Tensor[]) => Tensor;

const block =
  (kernel: number): Build =>
  (x, w, scale, shift) => {
    const normed = add(
      mul(conv2d(x!, w!, { padding: (kernel - 1) / 2 }), reshape(scale!, [-1, 1, 1])),
      reshape(shift!, [-1, 1, 1]),
    );
    return relu(add(normed, x!)); // the image itself is the residual, which 1x1 kernels read four by four
  };

test.each([1, 3])('norm, residual and rectifier after a convolution with a side of %d', async (kernel) => {
  const args = [random(1, 2, 16, 6, 8), random(2, 16, 16, kernel, kernel), random(3, 16), random(4, 16)];
  const [backend, reference] = [await createBackend('webgpu'), await createBackend('cpu')];
  const program = compile(block(kernel), { backend });
  const actual = await read(await program(...args));
  const expected = await read(await compile(block(kernel), { backend: reference })(...args));
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-5);
  });
  expect(program.describe().split('\n').slice(2)).toHaveLength(1);
  await backend.destroy();
});
