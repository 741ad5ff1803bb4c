// Products of halves on WebGPU: their numbers by emulation, their shaders on a device that validates all and computes nothing.
import { expect, test } from 'vitest';
import { cpuBackend } from '../../src/backends/cpu/index.ts';
import { webgpuBackend } from '../../src/backends/webgpu/index.ts';
import type { Tensor } from '../../src/index.ts';
import { abs, add, compile, conv2d, createBackend, matmul, read, relu, tensor } from '../../src/index.ts';
import type { WindowAttrs } from '../../src/ops/conv.ts';
import { conv2dFilterGradOp, conv2dInputGradOp } from '../../src/ops/conv.ts';
import { apply } from '../../src/tensor.ts';
import { failureOf } from '../outcomes.ts';
import { random } from '../randomTensor.ts';
import { randomValues } from '../wasm/harness.ts';
import { small, smallTraining } from './smallTraining.ts';

/** The nearest number of half precision, of two as near the even one. */
const toHalf = (x: number): number => {
  if (x === 0) return x;
  const spacing = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x)))) - 10);
  const below = Math.floor(x / spacing);
  const rest = x / spacing - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  return (below + (isUp ? 1 : 0)) * spacing;
};

const rounded = async (x: Tensor): Promise<Tensor> =>
  tensor([...(await read(x))].map(toHalf), { shape: x.shape });

const window: WindowAttrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
const block = (x: Tensor, w: Tensor): Tensor => relu(add(conv2d(x, w, { padding: 1 }), 0.25));

/** Numbers around 2^-14, where halves become subnormal. */
const tiny = (rows: number, columns: number): Tensor =>
  tensor(
    [...randomValues(rows * columns, 9)].map((x) => x * 2 ** -13),
    { shape: [rows, columns] },
  );

/** Products large enough for a device's matrix units, and such whose tiles have edges. */
const cases: readonly (readonly [string, number, (a: Tensor, b: Tensor) => Tensor, Tensor, Tensor])[] = [
  ['matmul', 40, (a, b) => matmul(a, b), random(1, 70, 40), random(2, 40, 65)],
  [
    'matmul of transposed matrices',
    36,
    (a, b) => matmul(a, b, { transposeA: true, transposeB: true }),
    random(1, 36, 64),
    random(2, 68, 36),
  ],
  [
    'matmul of numbers that are subnormal as halves',
    8,
    (a, b) => matmul(a, b),
    tiny(33, 8),
    random(2, 8, 33),
  ],
  ['convolution', 9 * 16 + 1, block, random(3, 2, 16, 8, 6), random(4, 34, 16, 3, 3)],
  [
    'input gradient',
    9 * 34,
    (ct, w) => apply(conv2dInputGradOp, [ct, w], { ...window, size: [7, 6] }),
    random(5, 2, 34, 7, 6),
    random(6, 34, 32, 3, 3),
  ],
  [
    'filter gradient',
    2 * 42,
    (x, ct) => apply(conv2dFilterGradOp, [x, ct], { ...window, kernel: [3, 3] }),
    random(7, 2, 16, 7, 6),
    random(8, 2, 34, 7, 6),
  ],
];

test.each(cases)('%s: the sums of the reference, over rounded operands', async (_, terms, build, a, b) => {
  const backend = await createBackend('webgpu', { precision: 'emulated mixed' });
  const reference = compile(build, { backend: cpuBackend({ precision: 'f64' }) });
  const actual = await read(await compile(build, { backend })(a, b));
  const [left, right] = [await rounded(a), await rounded(b)];
  const expected = await read(await reference(left, right));
  const magnitudes = await read(await reference(abs(left), abs(right)));
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(4 * 2 ** -24 * Math.sqrt(terms) * magnitudes[i]!);
  });
  await backend.destroy();
});

test('half precision is refused where the adapter has none', async () => {
  const failure = await failureOf(() => createBackend('webgpu', { precision: 'mixed' }));
  expect(failure.message).toMatch(
    /^createBackend\(webgpu\): needs the feature shader-f16 \(precision mixed\), got the adapter .* without it\. /,
  );
});

interface Dawn {
  create(options: readonly string[]): GPU;
}

/** What a device of Dawn that validates shaders and computes nothing is given, as if its adapter had matrix units, or without hidden features. */
const validator = async (hidden: readonly string[]): Promise<{ gpu: GPU; shaders: string[] }> => {
  const { create } = (await import('webgpu')) as Dawn;
  const source = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const shaders: string[] = [];
  const units = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await source.requestAdapter(options))!;
    const { vendor, architecture, device, description } = adapter.info;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const opened = await adapter.requestDevice(descriptor);
      const make = opened.createShaderModule.bind(opened);
      opened.createShaderModule = (given) => {
        shaders.push(given.code);
        return make(given);
      };
      return opened;
    };
    const info = { vendor, architecture, device, description, subgroupMatrixConfigs: [units] };
    const features = new Set([...adapter.features].filter((name) => !hidden.includes(name)));
    return { info, features, limits: adapter.limits, requestDevice };
  };
  return { gpu: { requestAdapter } as unknown as GPU, shaders };
};

test.each([
  { way: 'matrix units', hidden: [], expected: 'subgroupMatrixMultiplyAccumulate' },
  { way: 'threads', hidden: ['chromium-experimental-subgroup-matrix'], expected: 'array<vec4h' },
])('shaders of halves are valid for $way', async ({ hidden, expected }) => {
  const { gpu, shaders } = await validator(hidden);
  const backend = await webgpuBackend({ gpu, precision: 'mixed' });
  for (const [, , build, a, b] of cases) await compile(build, { backend })(a, b);
  expect(shaders.filter((code) => code.includes(expected))).toHaveLength(cases.length);
  const training = compile(smallTraining, { backend });
  await training(...small(1));
  expect(training.describe()).toContain('3 values are stored as halves');
  const [readers, writers] = [/array<(f16|vec4h)>;/, /result: array<vec2u>;/];
  for (const part of [readers, writers]) expect(shaders.some((code) => part.test(code))).toBe(true);
  await backend.destroy();
});
