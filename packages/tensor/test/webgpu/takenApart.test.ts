// Convolutions that WebGPU takes apart: Winograd's transforms around a product, and sums in parts. Both against the f64 reference.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webgpuBackend } from '../../src/backends/webgpu/index.ts';
import type { Backend } from '../../src/index.ts';
import { add, conv2d, relu } from '../../src/index.ts';
import type { WindowAttrs } from '../../src/ops/conv.ts';
import { conv2dFilterGradOp, conv2dInputGradOp } from '../../src/ops/conv.ts';
import { apply } from '../../src/tensor.ts';
import type { Build } from '../agreement.ts';
import { agree } from '../agreement.ts';
import { random } from '../randomTensor.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await webgpuBackend({}, { least: { convolution: { channels: 1, products: 1 }, sum: 16 } });
});
afterAll(() => backend.destroy());

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
      backend,
      (a, b, c) => relu(add(conv2d(a!, b!, attrs), c!)),
      [x, w, bias],
      9 * channels + 1,
    );
    expect(forward.match(/winograd\w+/g)).toEqual(['winogradFilters', 'winogradTiles', 'winogradResult']);
    const size = [height, width] as const;
    const inputGrad: Build = (a, b) => apply(conv2dInputGradOp, [a!, b!], { ...attrs, size });
    expect(await agree(backend, inputGrad, [ct, w], 9 * out)).toContain('winogradFilters');
    const filterGrad: Build = (a, b) => apply(conv2dFilterGradOp, [a!, b!], { ...attrs, kernel: [3, 3] });
    const terms = batch * outHeight * outWidth;
    const filterPlan = await agree(backend, filterGrad, [x, ct], terms);
    expect(filterPlan.includes('winogradFilterGradient')).toBe(terms >= 16);
  },
);

test('sums in parts, the last of them shorter', async () => {
  const [x, ct] = [random(5, 2, 3, 11, 9), random(6, 2, 4, 7, 5)];
  const plan = await agree(
    backend,
    (a, b) => apply(conv2dFilterGradOp, [a!, b!], { ...window([0, 0, 0, 0]), kernel: [5, 5] }),
    [x, ct],
    70,
  );
  expect(plan).toContain('loop');
});
