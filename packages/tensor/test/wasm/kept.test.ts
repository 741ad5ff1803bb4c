// Filters in the layout of the kernels are made once per buffer, not once per run, and never outlive their use.
import { expect, test } from 'vitest';
import type { Backend, Tensor } from '../../src/index.ts';
import {
  add,
  compile,
  conv2d,
  createBackend,
  evaluate,
  exp,
  matmul,
  mul,
  read,
  release,
  relu,
  reshape,
  sum,
  tensor,
} from '../../src/index.ts';
import { random } from '../randomTensor.ts';

const images = random(1, 2, 16, 12, 12);
const convolve = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1 });

/** The kernels that a call runs. */
const launchesOf = async (backend: Backend, call: () => Promise<Tensor>): Promise<number> => {
  const before = backend.stats().launches;
  release(await call());
  return backend.stats().launches - before;
};

const valuesOn = async (
  name: 'cpu' | 'wasm',
  fn: (...args: Tensor[]) => Tensor,
  args: Tensor[],
): Promise<number[]> => {
  const backend = await createBackend(name);
  return [...(await read(await compile(fn, { backend })(...args)))];
};

const expectClose = (got: ArrayLike<number>, expected: readonly number[]): void => {
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(1e-4);
  });
};

test('panels are made again only for other filters', async () => {
  const backend = await createBackend('wasm');
  const program = compile(convolve, { backend });
  const [x, w, other] = await evaluate([images, random(2, 8, 16, 3, 3), random(3, 8, 16, 3, 3)], { backend });
  const first = await launchesOf(backend, () => program(x!, w!));
  expect(await launchesOf(backend, () => program(x!, w!))).toBe(first - 1);
  expect(program.describe()).toMatch(/[1-9]\d* bytes of filters kept from run to run/);
  expect(await launchesOf(backend, () => program(x!, other!))).toBe(first);
  expectClose(
    await read(await program(x!, other!)),
    await valuesOn('cpu', convolve, [images, random(3, 8, 16, 3, 3)]),
  );
  expectClose(
    await read(await program(x!, w!)),
    await valuesOn('cpu', convolve, [images, random(2, 8, 16, 3, 3)]),
  );
});

test('programs share them, and the last one gives them back', async () => {
  const backend = await createBackend('wasm');
  const small = random(4, 1, 16, 10, 10);
  const [x, y, w] = await evaluate([images, small, random(2, 8, 16, 3, 3)], { backend });
  const [one, two] = [compile(convolve, { backend }), compile(convolve, { backend })];
  const first = await launchesOf(backend, () => one(x!, w!));
  expect(await launchesOf(backend, () => two(y!, w!))).toBe(first - 1);
  one.destroy();
  await Promise.resolve();
  expectClose(
    await read(await two(y!, w!)),
    await valuesOn('cpu', convolve, [small, random(2, 8, 16, 3, 3)]),
  );
  two.destroy();
});

test('filters computed from parameters are kept with all that they are made of', async () => {
  const scaled = (x: Tensor, w: Tensor, scale: Tensor): Tensor =>
    convolve(x, mul(w, reshape(add(scale, 1), [-1, 1, 1, 1])));
  const backend = await createBackend('wasm');
  const program = compile(scaled, { backend });
  const given = [images, random(2, 8, 16, 3, 3), random(5, 8)];
  const args = await evaluate(given, { backend });
  const first = await launchesOf(backend, () => program(args[0]!, args[1]!, args[2]!));
  expect(first).toBeGreaterThan(2);
  expect(await launchesOf(backend, () => program(args[0]!, args[1]!, args[2]!))).toBe(1);
  expectClose(await read(await program(args[0]!, args[1]!, args[2]!)), await valuesOn('cpu', scaled, given));
});

test('what kept filters share with other steps is computed in every run', async () => {
  const build = (x: Tensor, w: Tensor, z: Tensor): [Tensor, Tensor] => {
    const strength = exp(sum(w, [1, 2, 3], { keepDims: true })); // read by the filters and by the second result
    return [convolve(x, mul(w, strength)), add(strength, z)];
  };
  const backend = await createBackend('wasm');
  const program = compile(build, { backend });
  const [x, w] = await evaluate([images, random(2, 8, 16, 3, 3)], { backend });
  for (const seed of [7, 8, 9]) {
    const z = random(seed, 8, 1, 1, 1);
    const both = (await program(x!, w!, z)) as [Tensor, Tensor];
    for (const which of [0, 1] as const) {
      const expected = await valuesOn('cpu', (...args) => build(args[0]!, args[1]!, args[2]!)[which], [
        images,
        random(2, 8, 16, 3, 3),
        z,
      ]);
      const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      expectClose(
        Array.from(await read(both[which]), (value) => value / scale),
        expected.map((value) => value / scale),
      );
    }
    // another program writes over the memory of this one's intermediate values
    const square = random(seed, 64, 64);
    release(await evaluate(matmul(matmul(square, square), square), { backend }));
  }
});

test('donated filters are never kept', async () => {
  const step = (x: Tensor, w: Tensor): [Tensor, Tensor] => [convolve(x, w), mul(w, 0.5)];
  const backend = await createBackend('wasm');
  const program = compile(step, { backend, donate: [1] });
  const [x] = await evaluate([images], { backend });
  let [w] = await evaluate([random(2, 8, 16, 3, 3)], { backend });
  for (let turn = 0; turn < 3; turn++) {
    const filters = tensor(Float32Array.from(await read(w!)), { shape: [8, 16, 3, 3] });
    const [y, next] = (await program(x!, w!)) as [Tensor, Tensor];
    expectClose(await read(y), await valuesOn('cpu', convolve, [images, filters]));
    w = next;
  }
});

test('frozen norms become part of filters that stay, and of none that a training step changes', async () => {
  const layer = (x: Tensor, w: Tensor, scale: Tensor, shift: Tensor): Tensor =>
    relu(add(mul(convolve(x, w), reshape(scale, [-1, 1, 1])), reshape(shift, [-1, 1, 1])));
  const given = [images, random(2, 8, 16, 3, 3), random(5, 8), random(6, 8)];
  const expected = await valuesOn('cpu', layer as (...args: Tensor[]) => Tensor, given);
  for (const [donate, kernels] of [
    [[], 1],
    [[1], 2],
  ] as const) {
    const backend = await createBackend('wasm');
    const program = compile(layer, { backend, donate });
    const run = async (): Promise<Tensor> => {
      const [x, w, scale, shift] = await evaluate(given, { backend });
      return program(x!, w!, scale!, shift!);
    };
    expectClose(await read(await run()), expected);
    const [x, w, scale, shift] = await evaluate(given, { backend });
    if (donate.length === 0) await launchesOf(backend, () => program(x!, w!, scale!, shift!));
    expect(await launchesOf(backend, () => program(x!, w!, scale!, shift!))).toBe(kernels);
  }
});
