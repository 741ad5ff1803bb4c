// The number of threads never shows in a result.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitStep } from '../../src/backends/wasm/split.ts';
import type { Attrs, Backend, Primitive, PrimitiveName, Spec, Tensor, WindowAttrs } from '../../src/index.ts';
import {
  apply,
  argMax,
  compile,
  concat,
  createBackend,
  exp,
  gather,
  matmul,
  mul,
  pad,
  primitives,
  read,
  scatterAdd,
  sizeOf,
  sum,
  tensor,
} from '../../src/index.ts';
import type { Sample } from '../../src/testing/sample.ts';
import { leavesOf, outputOf } from '../../src/testing/sample.ts';
import { samplesOf } from '../../src/testing/samples.ts';
import { dividedWasm } from '../backends.ts';
import { random } from '../randomTensor.ts';
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
  // those that Winograd's kernels take; a single image is divided by rows of tiles and channels
  fc.record({
    batch: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 9 })),
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
        { seed: 20260, numRuns: 30 },
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
        { seed: 20262, numRuns: 40 },
      ),
    );
  });

  test('moves, look-ups and their adjoints of random sizes', async () => {
    const extent = fc.integer({ min: 1, max: 9 });
    const cases = fc.record({
      shape: fc.tuple(extent, extent, extent),
      axis: fc.integer({ min: 0, max: 2 }),
      count: fc.integer({ min: 1, max: 12 }),
      isBatched: fc.boolean(),
      seed: fc.nat(1000),
    });
    await withThreads((backends) =>
      fc.assert(
        fc.asyncProperty(cases, async ({ shape, axis, count, isBatched, seed }) => {
          const x = random(seed, ...shape);
          const batchDims = isBatched && axis > 0 ? 1 : 0;
          const places = [...shape.slice(0, batchDims), count];
          const at = tensor(
            Int32Array.from(randomValues(sizeOf(places), seed), (v) =>
              Math.floor(((v + 1) / 2) * shape[axis]!),
            ),
            { shape: places },
          );
          const same = (build: Build, args: readonly Tensor[]): Promise<void> =>
            sameOn(backends(false), build, args);
          const found = shape.map((size, d) => (d === axis ? count : size));
          await same(([a, i]) => gather(a!, i!, { axis, batchDims }), [x, at]);
          await same(
            ([updates, i]) => scatterAdd(updates!, i!, shape[axis]!, { axis, batchDims }),
            [random(seed + 1, ...found), at],
          );
          await same(([a]) => argMax(a!, axis), [x]);
          await same(([a, b]) => concat([a!, b!, a!], axis), [x, random(seed + 2, ...found)]);
          await same(
            ([a]) =>
              pad(
                a!,
                shape.map((_, d) => (d === axis ? [1, count] : [0, 0])),
              ),
            [x],
          );
        }),
        { seed: 20266, numRuns: 40 },
      ),
    );
  });
});

test('what is divided, and what stays whole', () => {
  const spec = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
  const indices = (...shape: number[]): Spec => ({ shape, dtype: 'i32' });
  const partsOf = (name: PrimitiveName, inputs: readonly Spec[], attrs: Attrs): number => {
    const op = primitives[name] as Primitive;
    const step = { op, inputs, attrs, output: op.infer(inputs, attrs) };
    return splitStep(step, { threads: 2, least: { products: 1, elements: 60 } })?.length ?? 1;
  };
  expect({
    'concat along rows': partsOf('concat', [spec(9, 8), spec(9, 2)], { axis: 1 }),
    'concat of rows': partsOf('concat', [spec(9, 8), spec(2, 8)], { axis: 0 }),
    'pad of rows': partsOf('pad', [spec(3, 30)], { before: [0, 1], afterwards: [0, 0], value: 1 }),
    'pad with rows': partsOf('pad', [spec(3, 30)], { before: [1, 0], afterwards: [0, 0], value: 1 }),
    'gather of rows': partsOf('gather', [spec(5, 30), indices(7)], { axis: 0, batch: 0 }),
    'gather of one row': partsOf('gather', [spec(5, 90), indices()], { axis: 0, batch: 0 }),
    'scatterAdd in batches': partsOf('scatterAdd', [spec(9, 7), indices(9, 7)], {
      axis: 1,
      batch: 1,
      size: 5,
    }),
    'scatterAdd of rows': partsOf('scatterAdd', [spec(7, 90), indices(7)], { axis: 0, batch: 0, size: 5 }),
    'argMax of rows': partsOf('argMax', [spec(9, 8)], { axis: 1 }),
    'argMax across rows': partsOf('argMax', [spec(9, 8)], { axis: 0 }),
    'too few elements': partsOf('argMax', [spec(9, 6)], { axis: 1 }),
  }).toEqual({
    'concat along rows': 4,
    'concat of rows': 1,
    'pad of rows': 3,
    'pad with rows': 1,
    'gather of rows': 4,
    'gather of one row': 1,
    'scatterAdd in batches': 4,
    'scatterAdd of rows': 1,
    'argMax of rows': 4,
    'argMax across rows': 1,
    'too few elements': 1,
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
  expect(parts(160, 2)).toBe(4);
  expect(parts(1024, 2)).toBe(16);
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
