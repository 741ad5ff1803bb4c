// The number of threads never shows in a result.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitStep } from '../../src/backends/wasm/split.ts';
import type { Attrs, Backend, Primitive, PrimitiveName, Tensor, WindowAttrs } from '../../src/index.ts';
import {
  apply,
  compile,
  createBackend,
  exp,
  matmul,
  mul,
  primitives,
  read,
  sum,
  tensor,
} from '../../src/index.ts';
import type { Sample } from '../../src/testing/sample.ts';
import { leavesOf, outputOf } from '../../src/testing/sample.ts';
import { samplesOf } from '../../src/testing/samples.ts';
import { dividedWasm } from '../backends.ts';
import { randomValues } from '../wasm/harness.ts';

type Build = (args: readonly Tensor[]) => Tensor;

/** The bits of what a function gives on a backend. */
const bitsOn = async (backend: Backend, build: Build, args: readonly Tensor[]): Promise<string> => {
  const program = compile(build, { backend });
  const data = await read(await program(args));
  program.destroy();
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
};

const sameOn = async (backends: readonly Backend[], build: Build, args: readonly Tensor[]): Promise<void> => {
  const [first, ...others] = backends;
  const expected = await bitsOn(first!, build, args);
  for (const other of others) expect(await bitsOn(other, build, args)).toBe(expected);
};

/** Gives the body a choice: backends of 1, 2 and 3 threads without or with fused multiply-add. */
const withThreads = async (
  body: (backends: (fma: boolean) => readonly Backend[]) => Promise<void>,
): Promise<void> => {
  const [plain, fused] = [false, true].map((fma) =>
    [1, 2, 3].map((threads) => dividedWasm(threads, { fma })),
  );
  await body((fma) => (fma ? fused! : plain!));
  await Promise.all([...plain!, ...fused!].map((backend) => backend.destroy()));
};

test.each([false, true])('every sample of every primitive gives the same bits, fma %s', async (fma) => {
  await withThreads(async (backends) => {
    for (const name of Object.keys(primitives) as PrimitiveName[])
      for (const sample of samplesOf(name) as readonly Sample<Attrs>[])
        await sameOn(
          backends(fma),
          (leaves) => outputOf(primitives[name] as Primitive, sample, leaves),
          leavesOf(sample),
        );
  });
});

const random = (seed: number, ...shape: number[]): Tensor =>
  tensor(
    randomValues(
      shape.reduce((product, extent) => product * extent, 1),
      seed,
    ),
    { shape },
  );

/** Convolutions whose depth takes several blocks, so that a tile cut in two would round differently. */
const convolutions = fc.oneof(
  fc.record({
    batch: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1, 3, 31, 40),
    outChannels: fc.constantFrom(1, 5, 33),
    size: fc.integer({ min: 1, max: 30 }),
    kernel: fc.constantFrom(1, 3, 5),
    stride: fc.constantFrom(1, 2),
    dilation: fc.constantFrom(1, 2),
    seed: fc.nat(),
  }),
  // those that Winograd's kernels take
  fc.record({
    batch: fc.integer({ min: 2, max: 9 }),
    channels: fc.constantFrom(8, 19, 270),
    outChannels: fc.constantFrom(8, 19),
    size: fc.integer({ min: 3, max: 26 }),
    kernel: fc.constant(3),
    stride: fc.constant(1),
    dilation: fc.constant(1),
    seed: fc.nat(),
  }),
);

describe('the same bits on 1, 2 and 3 threads', () => {
  test('convolutions and both gradients of random sizes', async () => {
    await withThreads((backends) =>
      fc.assert(
        fc.asyncProperty(convolutions, fc.boolean(), async (c, fma) => {
          const padding = ((c.kernel - 1) * c.dilation) / 2;
          const attrs: WindowAttrs = {
            stride: [c.stride, c.stride],
            padding: [padding, padding, padding, padding],
            dilation: [c.dilation, c.dilation],
            groups: 1,
          };
          const out = Math.floor((c.size - 1) / c.stride) + 1;
          const x = random(c.seed, c.batch, c.channels, c.size, c.size);
          const weight = random(c.seed + 1, c.outChannels, c.channels, c.kernel, c.kernel);
          const grad = random(c.seed + 2, c.batch, c.outChannels, out, out);
          const { conv2d, conv2dInputGrad, conv2dFilterGrad } = primitives;
          const inputGrad = { ...attrs, size: [c.size, c.size] as const };
          const filterGrad = { ...attrs, kernel: [c.kernel, c.kernel] as const };
          await sameOn(backends(fma), (args) => apply(conv2d, args, attrs), [x, weight]);
          await sameOn(backends(fma), (args) => apply(conv2dInputGrad, args, inputGrad), [grad, weight]);
          await sameOn(backends(fma), (args) => apply(conv2dFilterGrad, args, filterGrad), [x, grad]);
        }),
        { seed: 20260, numRuns: 80 },
      ),
    );
  });

  test('matrix products of random sizes', async () => {
    const sizes = fc.record({
      batch: fc.constantFrom(1, 1, 3, 8),
      m: fc.integer({ min: 1, max: 70 }),
      k: fc.integer({ min: 1, max: 600 }),
      n: fc.integer({ min: 1, max: 70 }),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    });
    await withThreads((backends) =>
      fc.assert(
        fc.asyncProperty(sizes, fc.boolean(), async ({ batch, m, k, n, ...options }, fma) => {
          const a = options.transposeA ? random(1, batch, k, m) : random(1, batch, m, k);
          const b = options.transposeB ? random(2, batch, n, k) : random(2, batch, k, n);
          await sameOn(backends(fma), ([x, y]) => matmul(x!, y!, options), [a, b]);
        }),
        { seed: 20261, numRuns: 40 },
      ),
    );
  });

  test('reductions and elementwise loops of random sizes', async () => {
    const extent = fc.integer({ min: 1, max: 40 });
    const cases = fc.record({
      shape: fc.tuple(extent, extent, extent),
      axes: fc.subarray([0, 1, 2]),
    });
    await withThreads((backends) =>
      fc.assert(
        fc.asyncProperty(cases, fc.boolean(), async ({ shape, axes }, fma) => {
          await sameOn(backends(fma), ([x, y]) => sum(exp(mul(x!, y!)), axes), [
            random(3, ...shape),
            random(4, shape[2]),
          ]);
        }),
        { seed: 20262, numRuns: 60 },
      ),
    );
  });
});

test('work of less than 100 microseconds is not divided, and a second of it is', () => {
  const least = { products: 1.25e6, elements: 1e5 };
  const parts = (size: number, threads: number): number | undefined =>
    splitStep(
      {
        op: primitives.matmul as Primitive,
        inputs: [0, 1].map(() => ({ shape: [size, size], dtype: 'f32' as const })),
        output: { shape: [size, size], dtype: 'f32' },
        attrs: { transposeA: false, transposeB: false },
      },
      { threads, least },
    )?.length;
  expect(parts(100, 2)).toBeUndefined();
  expect(parts(1024, 1)).toBeUndefined();
  expect(parts(1024, 2)).toBe(4);
});

test('describe() tells the number of threads', async () => {
  for (const [threads, text] of [
    [1, ', 1 thread\n'],
    [3, ', 3 threads\n'],
  ] as const) {
    const backend = await createBackend('wasm', { threads });
    const product = compile((x: Tensor) => matmul(x, x), { backend });
    await product(random(5, 4, 4));
    expect(product.describe()).toContain(text);
    await backend.destroy();
  }
});

test('a destroyed backend refuses to run divided work', async () => {
  const backend = dividedWasm(2);
  const product = compile((x: Tensor) => matmul(x, x), { backend });
  await product(random(7, 64, 64));
  await backend.destroy();
  await expect(product(random(7, 64, 64))).rejects.toThrow(/destroyed/);
});
