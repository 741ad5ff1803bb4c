// What rules give at kinks, ties and singular points, where no difference quotient decides: PyTorch's choices.
import { backward, grad, vjp } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import { abs, div, max, maximum, minimum, mul, ones, pow, relu, sum, tensor } from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { numberOf, valuesOf } from './values.ts';

/** The gradients of the sum of fn at two vectors. */
const gradients = async (
  fn: (a: Tensor, b: Tensor) => Tensor,
  a: readonly number[],
  b: readonly number[],
): Promise<number[][]> => {
  const { value, pullback } = vjp(fn, tensor([...a]), tensor([...b]));
  const [da, db] = pullback(ones(value.shape));
  return [await valuesOf(da), await valuesOf(db)];
};

test('ties of maximum and minimum give half to each operand', async () => {
  expect(await gradients(maximum, [1, 2, 3], [1, 3, 2])).toEqual([
    [0.5, 0, 1],
    [0.5, 1, 0],
  ]);
  expect(await gradients(minimum, [1, 2, 3], [1, 3, 2])).toEqual([
    [0.5, 1, 0],
    [0.5, 0, 1],
  ]);
});

test('ties of a maximum over an axis share evenly', async () => {
  const x = tensor([
    [1, 2, 2],
    [-1, -1, -1],
  ]);
  expect(await valuesOf(grad((t: Tensor) => sum(max(t, 1)))(x))).toEqual([0, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3]);
});

test('the slopes of abs and relu at 0 are 0', async () => {
  const x = tensor([-2, 0, 3]);
  expect(await valuesOf(grad((t: Tensor) => sum(abs(t)))(x))).toEqual([-1, 0, 1]);
  expect(await valuesOf(grad((t: Tensor) => sum(relu(t)))(x))).toEqual([0, 0, 1]);
});

test('powers have finite slopes wherever one exists: x^0 at 0, x² at and below 0, 0^y', async () => {
  const base = [0, 0, -3, 0, 2];
  const exponent = [0, 2, 2, 1, 0];
  expect(await gradients(pow, base, exponent)).toEqual([
    [0, 0, -6, 1, 0],
    [0, 0, 0, 0, Math.log(2)],
  ]);
});

test('second derivatives of powers with a constant exponent are finite at 0', async () => {
  const second = (exponent: number): Promise<number> =>
    numberOf(grad(grad((t: Tensor) => pow(t, exponent)))(tensor(0)));
  expect(await second(0)).toBe(0);
  expect(await second(1)).toBe(0);
  expect(await second(2)).toBe(2);
  expect(await second(3)).toBe(0);
});

test('the quotient rule does not overflow before the quotient does', async () => {
  const { pullback } = vjp((a: Tensor, b: Tensor) => div(a, b), tensor(1e200), tensor(1e200));
  const [, db] = pullback(ones([]));
  expect(await numberOf(db)).toBe(-1e-200);
});

test('a wanted node below another wanted node gets what flows through both', async () => {
  const x = tensor(3);
  const y = mul(x, x);
  const gradients = backward({ outputs: [mul(y, x)], cotangents: [ones([])], wrt: [x, y] });
  expect(await Promise.all(gradients.map((gradient) => numberOf(gradient!)))).toEqual([27, 3]);
});
