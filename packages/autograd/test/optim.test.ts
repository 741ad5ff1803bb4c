// Optimisers against their formulas written out in plain numbers, and the properties that training relies on.
import type { AdamOptions, SgdOptions, Transform } from '@autoassign/autograd';
import {
  adam,
  adamw,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  clipByValue,
  globalNorm,
  sgd,
  valueAndGrad,
} from '@autoassign/autograd';
import type { Tensor, Tree } from '@autoassign/tensor';
import {
  add,
  compile,
  createBackend,
  evaluate,
  leaves,
  leavesWithPaths,
  read,
  release,
  scalar,
  square,
  sub,
  sum,
  tensor,
} from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { numberOf, reference, valuesOf } from './values.ts';

type Params = { readonly conv: { readonly weight: Tensor }; readonly mu: Tensor };

/** Gradients of six steps for one element; any will do. */
const gradients = [0.5, -1.25, 0.03, 0, 2, -0.7];
const rates = [0.1, 0.2, 0.05, 0.1, 0.1, 0.01];
const start = { weight: 1.5, mu: -0.5 };
const decay = (path: string): number => (path === 'conv.weight' ? 0.02 : 0);
const scale = (path: string): number => (path === 'mu' ? 5 : 1);

/** The parameters after every step, with gradients g for conv.weight and 2 g for mu. */
const run = async (optimizer: Transform): Promise<number[][]> => {
  let params: Params = { conv: { weight: tensor([start.weight]) }, mu: tensor([start.mu]) };
  let state: Tree = optimizer.init(params);
  const history: number[][] = [];
  for (const [i, g] of gradients.entries()) {
    const grads: Params = { conv: { weight: tensor([g]) }, mu: tensor([2 * g]) };
    const result = optimizer.update({ grads, state, params, rate: scalar(rates[i]!) });
    params = await evaluate(applyUpdates(params, result.updates), { backend: reference });
    state = await evaluate(result.state, { backend: reference });
    history.push([(await valuesOf(params.conv.weight))[0]!, (await valuesOf(params.mu))[0]!]);
  }
  return history;
};

const expectClose = (found: readonly number[][], wanted: readonly number[][]): void => {
  expect(found.length).toBe(wanted.length);
  found.flat().forEach((x, i) => {
    expect(x).toBeCloseTo(wanted.flat()[i]!, 12);
  });
};

describe('sgd', () => {
  const formula =
    ({ momentum, decay: wd, times }: { momentum: number; decay: number; times: number }) =>
    (p0: number, factor: number): number[] => {
      let [p, v] = [p0, 0];
      return gradients.map((g, i) => {
        v = momentum * v + (factor * g + wd * p);
        p -= rates[i]! * times * v;
        return p;
      });
    };
  const wantedFor = (momentum: number): number[][] => {
    const weight = formula({ momentum, decay: 0.02, times: 1 })(start.weight, 1);
    const mu = formula({ momentum, decay: 0, times: 5 })(start.mu, 2);
    return weight.map((w, i) => [w, mu[i]!]);
  };
  const options = (momentum: number): SgdOptions => ({ momentum, weightDecay: decay, rateScale: scale });

  test('with momentum: v = m v + g + decay p, p - rate v', async () =>
    expectClose(await run(sgd(options(0.9))), wantedFor(0.9)));

  test('without momentum keeps no state', async () => {
    expectClose(await run(sgd(options(0))), wantedFor(0));
    expect(leaves(sgd().init({ w: tensor([1]) }))).toEqual([]);
  });
});

describe('adam and adamw', () => {
  const options: AdamOptions = {
    beta1: 0.8,
    beta2: 0.95,
    epsilon: 1e-3,
    weightDecay: decay,
    rateScale: scale,
  };
  const formula =
    ({ decoupled, decay: wd, times }: { decoupled: boolean; decay: number; times: number }) =>
    (p0: number, factor: number): number[] => {
      let [p, m, v] = [p0, 0, 0];
      return gradients.map((raw, i) => {
        const t = i + 1;
        const rate = rates[i]! * times;
        const g = factor * raw + (decoupled ? 0 : wd * p);
        if (decoupled) p -= rate * wd * p;
        m = 0.8 * m + 0.2 * g;
        v = 0.95 * v + 0.05 * g * g;
        p -= (rate * (m / (1 - 0.8 ** t))) / (Math.sqrt(v / (1 - 0.95 ** t)) + 1e-3);
        return p;
      });
    };
  const wantedFor = (decoupled: boolean): number[][] => {
    const weight = formula({ decoupled, decay: 0.02, times: 1 })(start.weight, 1);
    const mu = formula({ decoupled, decay: 0, times: 5 })(start.mu, 2);
    return weight.map((w, i) => [w, mu[i]!]);
  };

  test('adam adds the decay to the gradient', async () =>
    expectClose(await run(adam(options)), wantedFor(false)));

  test('adamw subtracts rate · decay · p from the parameter', async () =>
    expectClose(await run(adamw(options)), wantedFor(true)));

  test('in single precision the first step of the default betas is the rate, whatever the size of the gradient', async () => {
    const backend = await createBackend('cpu');
    const params = tensor([1, 1, 1]);
    const optimizer = adam();
    const { updates } = optimizer.update({
      grads: tensor([1e-4, -3, 1e5]),
      state: optimizer.init(params),
      params,
      rate: 0.125,
    });
    const [small, middle, large] = await read(await evaluate(updates, { backend }));
    expect(small).toBeCloseTo(-0.125, 4);
    expect(middle).toBeCloseTo(0.125, 7);
    expect(large).toBeCloseTo(-0.125, 7);
  });
});

describe('clipping', () => {
  const grads = { a: tensor([3, 0]), b: [tensor([[0, 4]])] };
  const clip = async (transform: Transform): Promise<number[]> => {
    const { updates } = transform.update({ grads, state: transform.init(grads), params: grads, rate: 1 });
    return [...(await valuesOf(updates.a)), ...(await valuesOf(updates.b[0]!))];
  };

  test('the global norm is that of all leaves together', async () =>
    expect(await numberOf(globalNorm(grads))).toBe(5));

  test('a norm above the limit is brought to it, one below is left alone', async () => {
    (await clip(clipByGlobalNorm(1))).forEach((x, i) => {
      expect(x).toBeCloseTo([0.6, 0, 0, 0.8][i]!, 6);
    });
    expect(await clip(clipByGlobalNorm(10))).toEqual([3, 0, 0, 4]);
  });

  test('by value every element is limited', async () =>
    expect(await clip(clipByValue(3.5))).toEqual([3, 0, 0, 3.5]));

  test('a chain hands the updates on and keeps one state per part', async () => {
    const optimizer = chain(clipByGlobalNorm(1), sgd({ momentum: 0.5 }));
    const state = optimizer.init(grads);
    expect(state.length).toBe(2);
    const first = optimizer.update({ grads, state, params: grads, rate: 0.1 });
    const second = optimizer.update({ grads, state: first.state, params: grads, rate: 0.1 });
    expect((await valuesOf(second.updates.a))[0]).toBeCloseTo(-0.1 * 1.5 * 0.6, 6);
  });
});

test('a compiled step with donated state trains, keeps the structure and holds the number of buffers', async () => {
  const backend = await createBackend('cpu', { precision: 'f64' });
  const optimizer = chain(clipByGlobalNorm(10), adamw({ weightDecay: 1e-4 }));
  const target = { w: tensor([1, -2]), b: [tensor(0.5)] };
  const loss = (params: typeof target): Tensor =>
    add(sum(square(sub(params.w, target.w))), square(sub(params.b[0]!, target.b[0]!)));
  const step = compile(
    (params: typeof target, state: ReturnType<typeof optimizer.init>, rate: Tensor) => {
      const { value, grad } = valueAndGrad(loss)(params);
      const result = optimizer.update({ grads: grad, state, params, rate });
      return { value, params: applyUpdates(params, result.updates), state: result.state };
    },
    { backend, donate: [0, 1] },
  );
  const begin = { w: tensor([0, 0]), b: [tensor(0)] };
  let current = await evaluate({ params: begin, state: optimizer.init(begin) }, { backend });
  const paths = leavesWithPaths(current).map(([path]) => path);
  const losses: number[] = [];
  const buffers: number[] = [];
  for (let i = 0; i < 150; i++) {
    const { value, ...next } = await step(current.params, current.state, scalar(0.05));
    current = next;
    losses.push((await read(value))[0]!);
    release(value);
    buffers.push(backend.stats().buffers);
  }
  expect(losses[0]).toBe(5.25);
  expect(losses.at(-1)).toBeLessThan(1e-2);
  expect(leavesWithPaths(current).map(([path]) => path)).toEqual(paths);
  expect(new Set(buffers.slice(1)).size).toBe(1);
});
