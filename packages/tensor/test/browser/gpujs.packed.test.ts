// Products that GPU.js' mode webgl2 computes on texels of four numbers, against the f64 reference.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHost } from '../../src/backends/gpujs/host.ts';
import { gpujsBackend } from '../../src/backends/gpujs/index.ts';
import type { Backend, Tensor } from '../../src/index.ts';
import { compile, conv2d, evaluate, matmul, release } from '../../src/index.ts';
import type { WindowAttrs } from '../../src/ops/conv.ts';
import { conv2dFilterGradOp, conv2dInputGradOp } from '../../src/ops/conv.ts';
import { windowCount } from '../../src/shape.ts';
import { apply } from '../../src/tensor.ts';
import type { Build } from '../agreement.ts';
import { agree } from '../agreement.ts';
import { random } from '../randomTensor.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await gpujsBackend({ mode: 'webgl2' }, openHost, 1);
});
afterAll(() => backend.destroy());

const unit = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;

/** Channels that fill texels and that do not, several images, all sides of padding, strides, dilations and groups. */
const geometries = [
  { image: [2, 3, 6, 7], weight: [5, 3, 3, 3], attrs: unit },
  { image: [1, 8, 5, 8], weight: [4, 8, 1, 1], attrs: { ...unit, padding: [0, 0, 0, 0] } },
  { image: [2, 4, 9, 8], weight: [6, 4, 3, 2], attrs: { ...unit, stride: [2, 3], padding: [0, 2, 1, 0] } },
  { image: [1, 2, 9, 10], weight: [3, 2, 3, 3], attrs: { ...unit, padding: [3, 0, 3, 4], dilation: [2, 3] } },
  { image: [1, 16, 4, 5], weight: [8, 8, 3, 3], attrs: { ...unit, groups: 2 } },
] as const;

test.each(geometries)('$image * $weight, $attrs', async ({ image, weight, attrs: given }) => {
  const attrs: WindowAttrs = given;
  const [batch, , height, width] = image;
  const [out, channels, rows, columns] = weight;
  const { stride, padding, dilation } = attrs;
  const [outHeight, outWidth] = [
    windowCount(height, rows, stride[0], padding[0] + padding[2], dilation[0]),
    windowCount(width, columns, stride[1], padding[1] + padding[3], dilation[1]),
  ];
  const [x, w, ct] = [random(1, ...image), random(2, ...weight), random(3, batch, out, outHeight, outWidth)];
  const terms = rows * columns * channels;
  expect(await agree(backend, (a, b) => conv2d(a!, b!, attrs), [x, w], terms)).toContain('packedConvolution');
  const inputGrad: Build = (a, b) => apply(conv2dInputGradOp, [a!, b!], { ...attrs, size: [height, width] });
  expect(await agree(backend, inputGrad, [ct, w], (terms * out) / channels)).toContain('packedConvolution');
  const filterGrad: Build = (a, b) =>
    apply(conv2dFilterGradOp, [a!, b!], { ...attrs, kernel: [rows, columns] });
  expect(await agree(backend, filterGrad, [x, ct], batch * outHeight * outWidth)).toContain(
    'packedFilterGrad',
  );
});

test('groups whose channels do not fill texels stay as they are', async () => {
  const depthwise: Build = (a, b) => conv2d(a!, b!, { padding: 1, groups: 6 });
  expect(await agree(backend, depthwise, [random(1, 1, 6, 5, 5), random(2, 6, 1, 3, 3)], 9)).not.toContain(
    'packed',
  );
});

test.each([
  [5, 6, 7],
  [4, 8, 12],
  [3, 9, 70],
  [2, 5, 133],
])('matrices of %i rows, %i columns and depth %i', async (m, n, k) => {
  for (const transposeA of [false, true])
    for (const transposeB of [false, true]) {
      const a = random(4, 2, ...(transposeA ? [k, m] : [m, k]));
      const b = random(5, 2, ...(transposeB ? [n, k] : [k, n]));
      const plan = await agree(backend, (x, y) => matmul(x!, y!, { transposeA, transposeB }), [a, b], k);
      expect(plan).toContain('packedMatmul');
    }
});

test('runs make no textures once there are enough, and freeing frees them all', async () => {
  const made = { count: 0 };
  const prototype = WebGL2RenderingContext.prototype;
  const { createTexture, deleteTexture } = prototype;
  prototype.createTexture = function (this: WebGL2RenderingContext) {
    made.count++;
    return createTexture.call(this);
  };
  prototype.deleteTexture = function (this: WebGL2RenderingContext, texture) {
    made.count--;
    deleteTexture.call(this, texture);
  };
  try {
    const program = compile((a: Tensor, b: Tensor) => matmul(a, b), { backend, donate: [0] });
    const args = await evaluate([random(6, 20, 20), random(7, 20, 20)] as const, { backend });
    const before = made.count;
    let x: Tensor = args[0];
    const y = args[1];
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      x = await program(x, y);
      counts.push(made.count - before);
    }
    // two operands of one texture each, a product of four; the result takes the donated argument's
    expect(counts).toEqual([6, 6, 6]);
    release([x, y]);
    program.destroy();
    expect(made.count).toBe(before - args.length);
  } finally {
    Object.assign(prototype, { createTexture, deleteTexture });
  }
});
