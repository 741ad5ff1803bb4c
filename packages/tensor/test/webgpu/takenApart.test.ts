// Convolutions that WebGPU takes apart: Winograd's transforms around a product, and sums in parts. Both against the f64 reference.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpuBackend } from '../../src/backends/cpu/index.ts';
import { webgpuBackend } from '../../src/backends/webgpu/index.ts';
import type { Backend, Tensor } from '../../src/index.ts';
import { abs, add, compile, conv2d, read, relu } from '../../src/index.ts';
import type { WindowAttrs } from '../../src/ops/conv.ts';
import { conv2dFilterGradOp, conv2dInputGradOp } from '../../src/ops/conv.ts';
import { apply } from '../../src/tensor.ts';
import { random } from '../randomTensor.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await webgpuBackend({}, { convolution: { channels: 1, products: 1 }, sum: 16 });
});
afterAll(() => backend.destroy());

type Build = (...args: Tensor[]) => Tensor;

/** Compares with the reference, within the bound of sums of so many terms, and gives the ops of the plan. */
const agree = async (build: Build, args: readonly Tensor[], terms: number): Promise<string> => {
  const program = compile(build, { backend });
  const reference = compile(build, { backend: cpuBackend({ precision: 'f64' }) });
  const actual = await read(await program(...args));
  const expected = await read(await reference(...args));
  const magnitudes = await read(await reference(...args.map((arg) => abs(arg))));
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(4 * 2 ** -24 * Math.sqrt(terms) * magnitudes[i]!);
  });
  return program.describe();
};

const window = (padding: readonly [number, number, number, number]): WindowAttrs => ({
  stride: [1, 1],
  padding,
  dilation: [1, 1],
  groups: 1,
});

/** Odd and even sizes, several images, padding on some sides, and tiles that leave a vector of four half empty. */
const geometries = [
  { image: [2, 5, 7, 9], out: 6, padding: [1, 1, 1, 1] },
  { image: [1, 3, 8, 6], out: 4, padding: [0, 0, 0, 0] },
  { image: [3, 2, 5, 4], out: 3, padding: [0, 2, 1, 0] },
  { image: [1, 16, 3, 3], out: 16, padding: [1, 1, 1, 1] },
] as const;

test.each(geometries)(
  '3x3 filters: $image, $out filters, padding $padding',
  async ({ image, out, padding }) => {
    const [batch, channels, height, width] = image;
    const [top, left, bottom, right] = padding;
    const attrs = window([top, left, bottom, right]);
    const [outHeight, outWidth] = [height + top + bottom - 2, width + left + right - 2];
    const [x, w] = [random(1, ...image), random(2, out, channels, 3, 3)];
    const ct = random(3, batch, out, outHeight, outWidth);
    const bias = random(4, out, 1, 1);
    const forward = await agree(
      (a, b, c) => relu(add(conv2d(a!, b!, attrs), c!)),
      [x, w, bias],
      9 * channels + 1,
    );
    expect(forward.match(/winograd\w+/g)).toEqual(['winogradFilters', 'winogradTiles', 'winogradResult']);
    const size = [height, width] as const;
    const inputGrad: Build = (a, b) => apply(conv2dInputGradOp, [a!, b!], { ...attrs, size });
    expect(await agree(inputGrad, [ct, w], 9 * out)).toContain('winogradFilters');
    const filterGrad: Build = (a, b) => apply(conv2dFilterGradOp, [a!, b!], { ...attrs, kernel: [3, 3] });
    const terms = batch * outHeight * outWidth;
    const filterPlan = await agree(filterGrad, [x, ct], terms);
    expect(filterPlan.includes('winogradFilterGradient')).toBe(terms >= 16);
  },
);

test('sums in parts, the last of them shorter', async () => {
  const [x, ct] = [random(5, 2, 3, 11, 9), random(6, 2, 4, 7, 5)];
  const plan = await agree(
    (a, b) => apply(conv2dFilterGradOp, [a!, b!], { ...window([0, 0, 0, 0]), kernel: [5, 5] }),
    [x, ct],
    70,
  );
  expect(plan).toContain('loop');
});
