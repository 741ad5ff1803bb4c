// grad, valueAndGrad and vjp over trees: closed forms, structure, errors.

import { grad, valueAndGrad, vjp } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  cast,
  exp,
  matmul,
  mul,
  neg,
  scalar,
  sigmoid,
  square,
  stopGradient,
  sum,
  tensor,
} from '@autoassign/tensor';
import { expect, test } from 'vitest';
import { numberOf, valuesOf } from './values.ts';

test('third derivative of exp(-x²) matches its closed form', async () => {
  const x = 0.7;
  const third = grad(grad(grad((t: Tensor) => exp(neg(mul(t, t))))));
  expect(await numberOf(third(scalar(x)))).toBeCloseTo((12 * x - 8 * x ** 3) * Math.exp(-x * x), 12);
});

test('a parameter used twice gets the sum of both uses, and tied leaves get a gradient each', async () => {
  const shared = tensor([1, 2]);
  const loss = ({ a, b }: { a: Tensor; b: Tensor }): Tensor => sum(add(mul(a, a), mul(b, 3)));
  const gradient = grad(loss)({ a: shared, b: shared });
  expect(await valuesOf(gradient.a)).toEqual([2, 4]);
  expect(await valuesOf(gradient.b)).toEqual([3, 3]);
});

test('unused parameters and parameters behind stopGradient get zeros of their shape', async () => {
  const params = { used: tensor([1, 2]), unused: tensor([[1, 2, 3]]), stopped: tensor([4, 5]) };
  const loss = (p: typeof params): Tensor => sum(mul(p.used, stopGradient(p.stopped)));
  const gradient = grad(loss)(params);
  expect(await valuesOf(gradient.used)).toEqual([4, 5]);
  expect(gradient.unused.shape).toEqual([1, 3]);
  expect(await valuesOf(gradient.unused)).toEqual([0, 0, 0]);
  expect(await valuesOf(gradient.stopped)).toEqual([0, 0]);
});

test('valueAndGrad keeps the structure, passes further arguments and carries aux', async () => {
  type Params = { readonly layers: readonly { readonly weight: Tensor }[] };
  const params: Params = { layers: [{ weight: tensor([1, 2]) }, { weight: tensor([3, 4]) }] };
  const loss = (p: Params, scale: number): { value: Tensor; aux: { readonly note: string } } => ({
    value: sum(mul(mul(p.layers[0]!.weight, p.layers[1]!.weight), scale)),
    aux: { note: 'kept' },
  });
  const { value, grad: gradient, aux } = valueAndGrad(loss, { hasAux: true })(params, 10);
  expect(aux).toEqual({ note: 'kept' });
  expect(await numberOf(value)).toBe(110);
  expect(await valuesOf(gradient.layers[0]!.weight)).toEqual([30, 40]);
  expect(await valuesOf(gradient.layers[1]!.weight)).toEqual([10, 20]);
});

test('vjp pulls a cotangent of a tree back to every argument', async () => {
  const product = (a: Tensor, b: Tensor): { c: Tensor; count: Tensor } => ({
    c: matmul(a, b),
    count: scalar(3, 'i32'),
  });
  const { value, pullback } = vjp(product, tensor([[1, 2]]), tensor([[3], [4]]));
  expect(await valuesOf(value.c)).toEqual([11]);
  const [da, db] = pullback({ c: tensor([[2]]), count: scalar(0, 'i32') });
  expect(await valuesOf(da)).toEqual([6, 8]);
  expect(await valuesOf(db)).toEqual([2, 4]);
});

test('a chain of 50,000 operations is differentiated without recursion', async () => {
  const scale = tensor([1 + 1e-5]);
  const chain = (x: Tensor): Tensor => {
    let y = x;
    for (let i = 0; i < 49_000; i++) y = mul(y, scale);
    return sum(y);
  };
  expect(await numberOf(grad(chain)(tensor([2])))).toBeCloseTo((1 + 1e-5) ** 49_000, 9);
});

test('differentiating does not walk the graph below the argument', async () => {
  const below = neg(tensor([1]));
  const closed: Tensor = {
    ...below,
    get source(): Tensor['source'] {
      throw new Error('walked below the argument');
    },
  };
  expect(grad((x: Tensor) => sum(sigmoid(x)))(closed).shape).toEqual([1]);
});

test('losses that are not a scalar f32 and leaves that are not f32 are refused by name', () => {
  expect(() => grad((x: Tensor) => square(x))(tensor([1, 2]))).toThrow(
    'grad: needs a scalar loss f32[], got f32[2]. Reduce it with sum or mean.',
  );
  expect(() => grad((x: Tensor) => cast(sum(x), 'i32'))(tensor([1, 2]))).toThrow('got i32[]');
  const params = { head: [{ count: tensor(Int32Array.of(1)) }] };
  expect(() => grad((p: typeof params) => sum(cast(p.head[0]!.count, 'f32')))(params)).toThrow(
    'grad(head.0.count): needs f32 leaves to differentiate by, got i32[1].',
  );
  const { pullback } = vjp((x: Tensor) => [x, square(x)], tensor([1, 2]));
  expect(() => pullback([tensor([1, 1])])).toThrow('vjp: needs a cotangent with the structure of the value');
  expect(() => pullback([tensor([1, 1]), tensor([1])])).toThrow('got f32[1] for f32[2]');
});

test('a loss that returns other than hasAux says is refused', () => {
  const x = tensor([1, 2]);
  const withAux = (t: Tensor) => ({ value: sum(t), aux: 'note' });
  const plain = (t: Tensor): Tensor => sum(t);
  // What the types forbid, as JavaScript may call it.
  expect(() => valueAndGrad(withAux as unknown as typeof plain)(x)).toThrow(
    'valueAndGrad: needs a loss that returns a tensor, got { value, aux }. Use valueAndGrad with { hasAux: true }.',
  );
  expect(() => grad(withAux as unknown as typeof plain)(x)).toThrow(
    'grad: needs a loss that returns a tensor',
  );
  expect(() => valueAndGrad(plain as unknown as typeof withAux, { hasAux: true })(x)).toThrow(
    'valueAndGrad: needs a loss that returns { value, aux }, as hasAux says, got f32[].',
  );
});
