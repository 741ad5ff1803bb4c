// Custom rules, products with second derivatives, and recomputation.
import {
  checkGrad,
  checkpoint,
  customVjp,
  grad,
  hessianVectorProduct,
  valueAndGrad,
} from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  compile,
  createBackend,
  exp,
  key,
  leaves,
  matmul,
  mul,
  normal,
  read,
  relu,
  sigmoid,
  square,
  sub,
  sum,
  tensor,
} from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { reference, valuesOf } from './values.ts';

describe('customVjp', () => {
  test('gradients go by the rule, not through the body', async () => {
    const straightThrough = customVjp(
      (x: Tensor) => mul(x, 0),
      (ct) => [ct],
    );
    const gradient = grad((x: Tensor) => sum(mul(straightThrough(x), 5)))(tensor([1, 2]));
    expect(await valuesOf(gradient)).toEqual([5, 5]);
  });

  test('the rule is differentiated for second order, through its inputs and through the value', async () => {
    const logistic = customVjp(
      (x: Tensor, scale: Tensor) => sigmoid(mul(x, scale)),
      (ct, [x, scale], y) => {
        const slope = mul(ct, mul(y, sub(1, y)));
        return [mul(slope, scale), mul(slope, x)];
      },
    );
    await checkGrad(logistic, [normal(key(1), [5]), normal(key(2), [5])], { backend: reference, order: 2 });
  });

  test('one tensor in two places gets both gradients, and null gives none', async () => {
    const weighted = customVjp(
      (a: Tensor, b: Tensor, _c: Tensor) => add(a, b),
      (ct) => [ct, mul(ct, 10), null],
    );
    expect(await valuesOf(grad((x: Tensor) => sum(weighted(x, x, x)))(tensor([1])))).toEqual([11]);
  });

  test('a rule of the wrong number or shape of cotangents is named', () => {
    const short = customVjp(
      (a: Tensor, b: Tensor) => mul(a, b),
      (ct) => [ct],
    );
    expect(() => grad((x: Tensor) => sum(short(x, x)))(tensor([1, 2]))).toThrow(
      'one cotangent (or null) per input',
    );
    const flat = customVjp(
      (a: Tensor) => square(a),
      (ct) => [sum(ct)],
    );
    expect(() => grad((x: Tensor) => sum(flat(x)))(tensor([1, 2]))).toThrow('got f32[] for f32[2]');
  });
});

describe('hessianVectorProduct', () => {
  test('equals the product with the second derivative of a quadratic form, over a tree', async () => {
    const matrix = tensor([
      [2, 1],
      [0, 3],
    ]);
    type Point = { readonly a: Tensor; readonly b: readonly Tensor[] };
    const form = ({ a, b }: Point): Tensor => sum(mul(a, matmul(matrix, b[0]!)));
    const x: Point = { a: tensor([[1], [2]]), b: [tensor([[3], [4]])] };
    const v: Point = { a: tensor([[1], [0]]), b: [tensor([[0], [1]])] };
    const product = hessianVectorProduct(form)(x, v);
    expect(await valuesOf(product.a)).toEqual([1, 3]);
    expect(await valuesOf(product.b[0]!)).toEqual([2, 1]);
  });

  test('directions of another structure are refused', () => {
    const product = hessianVectorProduct((x: Tensor) => sum(exp(x)));
    expect(() => product(tensor([1, 2]), tensor([1]))).toThrow(
      'a direction of shape [2] for every leaf of x',
    );
  });
});

describe('checkpoint', () => {
  type Layer = { readonly weight: Tensor; readonly bias: Tensor };
  const layers: readonly Layer[] = [1, 2, 3].map((seed) => ({
    weight: normal(key(seed), [6, 6]),
    bias: normal(key(seed + 10), [6]),
  }));
  const input = normal(key(20), [4, 6]);
  const block = ({ weight, bias }: Layer, x: Tensor): Tensor => sigmoid(add(matmul(relu(x), weight), bias));
  const lossThrough =
    (apply: (layer: Layer, x: Tensor) => Tensor) =>
    (params: readonly Layer[], x: Tensor): Tensor =>
      sum(square(params.reduce((y, layer) => apply(layer, y), x)));

  test('gives the gradients of the plain function, compiled or not', async () => {
    const plain = valueAndGrad(lossThrough(block));
    const saving = valueAndGrad(lossThrough(checkpoint(block)));
    const wanted = await Promise.all(leaves(plain(layers, input).grad).map(valuesOf));
    expect(await Promise.all(leaves(saving(layers, input).grad).map(valuesOf))).toEqual(wanted);
    const step = compile(saving, { backend: await createBackend('cpu', { precision: 'f64' }) });
    const { grad: compiled } = await step(layers, input);
    const found = await Promise.all(leaves(compiled).map(async (t) => [...(await read(t))]));
    expect(found).toEqual(wanted);
  });

  test('can be differentiated twice', async () => {
    const small = { weight: normal(key(1), [3, 3]), bias: normal(key(2), [3]) };
    const x = add(square(normal(key(3), [2, 3])), 0.1); // away from the kink of relu
    await checkGrad(checkpoint(block), [small, x], { backend: reference, order: 2 });
  });

  test('takes and returns trees with integers in them', async () => {
    const fn = (pair: { x: Tensor; count: Tensor }) => ({
      twice: mul(pair.x, 2),
      squares: [square(pair.x)],
      count: add(pair.count, 1),
    });
    const pair = { x: tensor([[1, 2, 3]]), count: tensor(Int32Array.of(4)) };
    const out = checkpoint(fn)(pair);
    expect(await valuesOf(out.count)).toEqual([5]);
    expect(await valuesOf(out.squares[0]!)).toEqual([1, 4, 9]);
    const gradient = grad((x: Tensor) => {
      const { twice, squares } = checkpoint(fn)({ ...pair, x });
      return add(sum(twice), sum(mul(squares[0]!, 10)));
    })(pair.x);
    expect(await valuesOf(gradient)).toEqual([22, 42, 62]);
  });

  test('the backward part uses no inner value of the forward part', () => {
    // the forward pass calls each block first; what it makes inside is what would have to be kept
    const inner = (wrap: (fn: typeof block) => typeof block): number => {
      const made: Tensor[] = [];
      const spied = (layer: Layer, x: Tensor): Tensor => {
        const rectified = relu(x);
        const product = matmul(rectified, layer.weight);
        made.push(rectified, product);
        return sigmoid(add(product, layer.bias));
      };
      const apply = wrap(spied);
      const { value, grad: gradients } = valueAndGrad((params: readonly Layer[]) =>
        lossThrough(apply)(params, input),
      )(layers);
      const forward = nodesBelow([value]);
      const kept = new Set(made.filter((t) => forward.has(t)));
      const backwardOnly = [...nodesBelow(leaves(gradients))].filter((t) => !forward.has(t));
      expect(kept.size).toBe(6);
      return new Set(backwardOnly.flatMap(inputsOf).filter((t) => kept.has(t))).size;
    };
    expect(inner((fn) => fn)).toBeGreaterThan(0);
    expect(inner(checkpoint)).toBe(0);
  });
});

const inputsOf = ({ source }: Tensor): readonly Tensor[] => (source.kind === 'apply' ? source.inputs : []);

const nodesBelow = (outputs: readonly Tensor[]): Set<Tensor> => {
  const seen = new Set<Tensor>();
  const stack = [...outputs];
  for (let t = stack.pop(); t !== undefined; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    stack.push(...inputsOf(t));
  }
  return seen;
};
