// Loops over the result of a convolution: part of the convolution where they can be, and the same values everywhere.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Backend, Tensor } from '../../src/index.ts';
import {
  add,
  apply,
  compile,
  conv2d,
  createBackend,
  lessEqual,
  mul,
  primitives,
  read,
  relu,
  reshape,
  select,
} from '../../src/index.ts';
import { dividedWasm } from '../backends.ts';
import { random } from '../randomTensor.ts';

type Build = (...args: Tensor[]) => Tensor;

const valuesOn = async (backend: Backend, build: Build, args: readonly Tensor[]): Promise<number[]> =>
  Array.from(await read(await compile(build, { backend })(...args)));

const largest = (values: readonly number[]): number =>
  values.reduce((most, x) => Math.max(most, Math.abs(x)), 1);

/** Expects the reference's values on one thread, and the same bits on more. */
const expectRight = async (build: Build, args: readonly Tensor[]): Promise<void> => {
  const expected = await valuesOn(await createBackend('cpu'), build, args);
  const got = await valuesOn(await createBackend('wasm'), build, args);
  const tolerance = 2e-5 * largest(expected);
  expected.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(tolerance);
  });
  for (const threads of [2, 3]) {
    const divided = dividedWasm(threads);
    expect(await valuesOn(divided, build, args)).toEqual(got);
    await divided.destroy();
  }
};

/** The steps of the program, as text. */
const stepsOf = async (build: Build, args: readonly Tensor[]): Promise<string[]> => {
  const program = compile(build, { backend: await createBackend('wasm') });
  await program(...args);
  return program.describe().split('\n').slice(2);
};

const layers = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  channels: fc.constantFrom(3, 8, 12, 30),
  outChannels: fc.constantFrom(4, 8, 18),
  groups: fc.constantFrom(1, 1, 1, 2),
  height: fc.integer({ min: 1, max: 14 }),
  width: fc.integer({ min: 1, max: 14 }),
  kernel: fc.constantFrom(1, 3),
  stride: fc.constantFrom(1, 1, 2),
  seed: fc.nat(1e6),
});

test('norm, residual and rectifier after a convolution, for random layers', async () => {
  await fc.assert(
    fc.asyncProperty(
      layers,
      async ({ batch, channels, outChannels, groups, kernel, stride, seed, ...size }) => {
        const given = channels % groups === 0 ? channels : channels + 1;
        const padding = (kernel - 1) / 2;
        const x = random(seed, batch, given, size.height, size.width);
        const weight = random(seed + 1, outChannels, given / groups, kernel, kernel);
        const convolve = (a: Tensor, w: Tensor): Tensor => conv2d(a, w, { stride, padding, groups });
        const residual = random(seed + 2, ...convolve(x, weight).shape);
        const [scale, shift] = [random(seed + 3, outChannels), random(seed + 4, outChannels)];
        const build: Build = (a, w, s, t, r) => {
          const normed = add(mul(convolve(a!, w!), reshape(s!, [-1, 1, 1])), reshape(t!, [-1, 1, 1]));
          return relu(add(normed, r!));
        };
        await expectRight(build, [x, weight, scale, shift, residual]);
      },
    ),
    { seed: 31, numRuns: 25 },
  );
});

test('the mask of a rectifier after an input gradient, for random layers', async () => {
  await fc.assert(
    fc.asyncProperty(
      layers,
      async ({ batch, channels, outChannels, groups, kernel, stride, seed, height, width }) => {
        const given = channels % groups === 0 ? channels : channels + 1;
        const padding = (kernel - 1) / 2;
        const x = random(seed, batch, given, height, width);
        const weight = random(seed + 1, outChannels, given / groups, kernel, kernel);
        const ct = random(seed + 2, ...conv2d(x, weight, { stride, padding, groups }).shape);
        const attrs = {
          stride: [stride, stride],
          padding: [padding, padding, padding, padding],
          dilation: [1, 1],
          groups,
          size: [height, width],
        } as const;
        const build: Build = (c, w, y) =>
          select(lessEqual(y!, 0), 0, apply(primitives.conv2dInputGrad, [c!, w!], attrs));
        await expectRight(build, [ct, weight, x]);
      },
    ),
    { seed: 32, numRuns: 25 },
  );
});

const layer = (size: number, kernel: number): readonly [Build, readonly Tensor[]] => [
  (x, w, bias, other) =>
    relu(add(add(conv2d(x!, w!, { padding: (kernel - 1) / 2 }), reshape(bias!, [-1, 1, 1])), other!)),
  [random(1, 2, 16, size, size), random(2, 8, 16, kernel, kernel), random(3, 8), random(4, 2, 8, size, size)],
];

test.each([
  ['1x1', 7, 1],
  ['3x3 by tiles', 12, 3],
])('one step holds a layer of %s filters', async (_name, size, kernel) => {
  const steps = await stepsOf(...layer(size, kernel));
  expect(steps.filter((step) => step.includes('loop'))).toEqual([]);
  expect(steps.filter((step) => step.includes('conv2d'))).toHaveLength(1);
});

test('a loop of its own where tiles reach over the edge, and where others read the result too', async () => {
  const odd = await stepsOf(...layer(13, 3));
  expect(odd.filter((step) => step.includes('loop'))).toHaveLength(1);
  const shared: Build = (x, w, v) => {
    const y = conv2d(x!, w!);
    return add(relu(y), conv2d(y, v!));
  };
  const inputs = [random(1, 1, 4, 5, 5), random(2, 4, 4, 1, 1), random(3, 4, 4, 1, 1)];
  await expectRight(shared, inputs);
});

test('depths of several blocks finish with the last', async () => {
  await expectRight(...layer(6, 1));
  const deep: Build = (x, w, b) => relu(add(conv2d(x!, w!, { padding: 1 }), reshape(b!, [-1, 1, 1])));
  await expectRight(deep, [random(1, 1, 300, 8, 8), random(2, 8, 300, 3, 3), random(3, 8)]);
});
