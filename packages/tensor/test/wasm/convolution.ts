// Convolutions by plain loops in double precision, and what kernels are held to: these values, and adjoint gradients.

import { expect } from 'vitest';
import type { ModuleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import type { Conv2dGeometry } from '../../src/backends/wasm/kernels/geometry.ts';
import type { Kernel } from '../../src/backends/wasm/kernels/kernel.ts';
import { innerProduct, randomValues, runKernel, worstError } from './harness.ts';

interface Sizes {
  readonly images: number;
  readonly weights: number;
  readonly output: number;
}

function sizesOf(g: Conv2dGeometry): Sizes {
  return {
    images: g.batch * g.channels * g.height * g.width,
    weights: g.outChannels * (g.channels / g.groups) * g.kernelHeight * g.kernelWidth,
    output: g.batch * g.outChannels * g.outHeight * g.outWidth,
  };
}

/** Calls `visit` with the indices of every product (image element, weight, output element) of a convolution. */
function eachProduct(
  g: Conv2dGeometry,
  visit: (image: number, weight: number, output: number) => void,
): void {
  const channels = g.channels / g.groups;
  const outChannels = g.outChannels / g.groups;
  for (let n = 0; n < g.batch; n++)
    for (let o = 0; o < g.outChannels; o++)
      for (let y = 0; y < g.outHeight; y++)
        for (let x = 0; x < g.outWidth; x++)
          for (let c = 0; c < channels; c++)
            for (let r = 0; r < g.kernelHeight; r++)
              for (let s = 0; s < g.kernelWidth; s++) {
                const row = y * g.strideHeight - g.padTop + r * g.dilationHeight;
                const column = x * g.strideWidth - g.padLeft + s * g.dilationWidth;
                if (row < 0 || row >= g.height || column < 0 || column >= g.width) continue;
                const channel = Math.floor(o / outChannels) * channels + c;
                visit(
                  ((n * g.channels + channel) * g.height + row) * g.width + column,
                  ((o * channels + c) * g.kernelHeight + r) * g.kernelWidth + s,
                  ((n * g.outChannels + o) * g.outHeight + y) * g.outWidth + x,
                );
              }
}

/** The kernels of a convolution and its gradients. */
export interface Emitters {
  readonly forward: Emit;
  readonly inputGrad: Emit;
  readonly filterGrad: Emit;
}

type Emit = (module: ModuleBuilder, geometry: Conv2dGeometry) => Kernel;

type Kind = 'forward' | 'inputGrad' | 'filterGrad';

/** The result of one kind, its value with all inputs made positive, and the most terms of a sum. */
function reference(g: Conv2dGeometry, kind: Kind, a: Float32Array, b: Float32Array, length: number) {
  const expected = new Float64Array(length);
  const magnitudes = new Float64Array(length);
  const terms = new Int32Array(length);
  eachProduct(g, (image, weight, output) => {
    const [first, second, result] =
      kind === 'forward'
        ? [image, weight, output]
        : kind === 'inputGrad'
          ? [output, weight, image]
          : [image, output, weight];
    const product = (a[first] ?? 0) * (b[second] ?? 0);
    expected[result] = (expected[result] ?? 0) + product;
    magnitudes[result] = (magnitudes[result] ?? 0) + Math.abs(product);
    terms[result] = (terms[result] ?? 0) + 1;
  });
  return { expected, magnitudes, terms: terms.reduce((most, count) => Math.max(most, count), 1) };
}

/** The inputs, the most error in units of the conformance bound, and the most error of any value where that is given instead. */
interface Demand {
  readonly values: (length: number, seed: number) => Float32Array;
  readonly error: number;
  readonly difference?: number;
}

/** Any numbers, and the conformance bound. */
const anyNumbers: Demand = { values: randomValues, error: 1 };

/** Small integers, of which a sum of products is exact, and no error at all. */
const exactNumbers: Demand = {
  values: (length, seed) => randomValues(length, seed).map((value) => Math.round(8 * value)),
  error: 0,
};

/** The same with a tenth of the smallest term for an error. */
export const wholeNumbers: Demand = { ...exactNumbers, error: Number.POSITIVE_INFINITY, difference: 0.1 };

/** Any numbers, and three times the conformance bound. */
export const roundedThreefold: Demand = { values: randomValues, error: 3 };

function check(
  emitters: Emitters,
  g: Conv2dGeometry,
  kind: Kind,
  seed: number,
  { values, error, difference = Number.POSITIVE_INFINITY }: Demand,
): Float32Array {
  const sizes = sizesOf(g);
  const [first, second, result] =
    kind === 'forward'
      ? [sizes.images, sizes.weights, sizes.output]
      : kind === 'inputGrad'
        ? [sizes.output, sizes.weights, sizes.images]
        : [sizes.images, sizes.output, sizes.weights];
  // One array per role, so that the three kinds see the same images, weights and output gradients.
  const seeds = { forward: [1, 2], inputGrad: [3, 2], filterGrad: [1, 3] }[kind];
  const a = values(first, seed + (seeds[0] ?? 0));
  const b = values(second, seed + (seeds[1] ?? 0));
  const run = runKernel((module) => emitters[kind](module, g), [a, b], result);
  const { expected, magnitudes, terms } = reference(g, kind, a, b, result);
  expect(run.isOutsideUntouched, `${kind} wrote outside its output`).toBe(true);
  expect(worstError(run.output, expected, magnitudes, terms), kind).toBeLessThanOrEqual(error);
  const differences = Array.from(run.output, (value, at) => Math.abs(value - expected[at]!));
  expect(Math.max(0, ...differences), kind).toBeLessThanOrEqual(difference);
  return run.output;
}

/** Expects the right values, nothing written elsewhere, and gradients that are adjoints. */
export function checkAll(emitters: Emitters, g: Conv2dGeometry, seed: number): void {
  const sizes = sizesOf(g);
  const output = check(emitters, g, 'forward', seed, anyNumbers);
  const inputGrad = check(emitters, g, 'inputGrad', seed, anyNumbers);
  const filterGrad = check(emitters, g, 'filterGrad', seed, anyNumbers);
  const images = randomValues(sizes.images, seed + 1);
  const weights = randomValues(sizes.weights, seed + 2);
  const outputGrad = randomValues(sizes.output, seed + 3);
  const inner = innerProduct(output, outputGrad);
  const scale = 1e-5 * (1 + Math.sqrt(sizes.output * sizes.weights));
  expect(Math.abs(inner - innerProduct(images, inputGrad))).toBeLessThan(scale);
  expect(Math.abs(inner - innerProduct(weights, filterGrad))).toBeLessThan(scale);
}

/** Expects exactly the right values for small integers, and nothing written elsewhere. */
export function checkExactly(emitters: Emitters, g: Conv2dGeometry, seed: number): void {
  for (const kind of ['forward', 'inputGrad', 'filterGrad'] as const)
    check(emitters, g, kind, seed, exactNumbers);
}

/** Expects the right values of the convolution itself, and nothing written elsewhere. */
export function checkForward(emitters: Emitters, g: Conv2dGeometry, seed: number, demand: Demand): void {
  check(emitters, g, 'forward', seed, demand);
}

/** A convolution of one pixel. */
export const base: Conv2dGeometry = {
  batch: 1,
  channels: 1,
  height: 1,
  width: 1,
  outChannels: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  outHeight: 1,
  outWidth: 1,
  strideHeight: 1,
  strideWidth: 1,
  padTop: 0,
  padLeft: 0,
  dilationHeight: 1,
  dilationWidth: 1,
  groups: 1,
};

/** The sizes of square images and filters. */
export const square = (size: number, out: number, kernel: number, stride: number, pad: number) => ({
  height: size,
  width: size,
  outHeight: out,
  outWidth: out,
  kernelHeight: kernel,
  kernelWidth: kernel,
  strideHeight: stride,
  strideWidth: stride,
  padTop: pad,
  padLeft: pad,
});
