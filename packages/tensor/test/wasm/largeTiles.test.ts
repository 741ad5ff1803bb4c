// Which programs convolve by Winograd's larger tiles, and that they give the reference's values and the same bits on more threads.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forwardGeometry } from '../../src/backends/wasm/convolutionSteps.ts';
import { areLargeTilesFaster } from '../../src/backends/wasm/kernels/winograd/choice.ts';
import { passed } from '../../src/backends/wasm/passes.ts';
import { linearize } from '../../src/graph/graph.ts';
import { placeholdersOf } from '../../src/graph/placeholders.ts';
import type { Backend, Tensor } from '../../src/index.ts';
import {
  add,
  apply,
  compile,
  conv2d,
  createBackend,
  mul,
  primitives,
  read,
  relu,
  reshape,
} from '../../src/index.ts';
import { leaves } from '../../src/tree.ts';
import { dividedWasm } from '../backends.ts';
import { random } from '../randomTensor.ts';

type Layer = (images: Tensor, weights: Tensor, bias: Tensor) => Tensor;

const convolve = (images: Tensor, weights: Tensor): Tensor => conv2d(images, weights, { padding: 1 });

const layer: Layer = (images, weights, bias) =>
  relu(add(convolve(images, weights), reshape(bias, [1, -1, 1, 1])));

const args = [random(1, 2, 8, 16, 16), random(2, 8, 8, 3, 3), random(3, 8)] as const;

/** The sizes of the tiles of a planned program's convolutions; 2 where none is stated. */
const tileSizesOf = (fn: (...given: Tensor[]) => Tensor, donate: readonly number[]): number[] => {
  const { placeholders, given } = placeholdersOf([...args], donate);
  const { steps } = passed(linearize(leaves(fn(...placeholders)), given));
  return steps.flatMap(({ op, attrs }) =>
    op.name === 'conv2d' ? [(attrs as { readonly tileSize?: number }).tileSize ?? 2] : [],
  );
};

describe('tiles of 4x4', () => {
  test('are used where filters stay and images do not', () => {
    expect(tileSizesOf(layer as never, [0])).toEqual([4]);
  });

  test('are used for filters that take in a scale', () => {
    const scaled = (images: Tensor, weights: Tensor, bias: Tensor): Tensor =>
      mul(convolve(images, weights), reshape(bias, [1, -1, 1, 1]));
    expect(tileSizesOf(scaled as never, [0])).toEqual([4]);
  });

  test('are not used for filters that are given away, nor where everything stays', () => {
    expect(tileSizesOf(layer as never, [0, 1])).toEqual([2]);
    expect(tileSizesOf(layer as never, [])).toEqual([2]);
  });

  test('are not used beside a gradient', () => {
    const withGradient = (images: Tensor, weights: Tensor): Tensor => {
      const result = convolve(images, weights);
      const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
      return apply(primitives.conv2dInputGrad, [result, weights], { ...attrs, size: [16, 16] });
    };
    expect(tileSizesOf(withGradient as never, [0])).toEqual([2]);
  });
});

const sizes = fc.integer({ min: 4, max: 21 });
const layers = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    channels: fc.constantFrom(8, 13, 24),
    outChannels: fc.constantFrom(8, 18, 150),
    height: sizes,
    width: sizes,
    seed: fc.nat(1000),
  })
  .filter(({ batch, channels, outChannels, height, width }) => {
    const specs = [
      { shape: [batch, channels, height, width], dtype: 'f32' as const },
      { shape: [outChannels, channels, 3, 3], dtype: 'f32' as const },
    ];
    const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    return areLargeTilesFaster(forwardGeometry(specs, attrs));
  });

/** The layer's values where images are given away. */
const valuesOn = async (backend: Backend, given: readonly [Tensor, Tensor, Tensor]): Promise<number[]> => {
  const program = compile(layer, { backend, donate: [0] });
  const values = Array.from(await read(await program(...given)));
  program.destroy();
  return values;
};

test('a layer by tiles of 4x4 has the values of the reference, and the same bits on more threads', async () => {
  const cpu = await createBackend('cpu', { precision: 'f64' });
  const wasm = await createBackend('wasm');
  const divided = [2, 3].map((threads) => dividedWasm(threads));
  await fc.assert(
    fc.asyncProperty(layers, async ({ batch, channels, outChannels, height, width, seed }) => {
      const given = [
        random(seed, batch, channels, height, width),
        random(seed + 1, outChannels, channels, 3, 3),
        random(seed + 2, outChannels),
      ] as const;
      const expected = await valuesOn(cpu, given);
      const got = await valuesOn(wasm, given);
      const largest = Math.max(...expected);
      const worst = Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)));
      expect(worst).toBeLessThan(1e-5 * largest);
      for (const backend of divided) expect(await valuesOn(backend, given)).toEqual(got);
    }),
    {
      numRuns: 10,
      seed: 25,
      // divided by rows of tiles and by channels
      examples: [[{ batch: 1, channels: 8, outChannels: 18, height: 60, width: 60, seed: 1 }]],
    },
  );
  await Promise.all([wasm, ...divided].map((backend) => backend.destroy()));
});
