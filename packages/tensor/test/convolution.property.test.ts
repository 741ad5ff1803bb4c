// Laws of convolution that hold whatever kernel computes it, on however many threads, fused or not: every value is that
// of the double-precision reference, and the two gradients are the adjoints of the convolution.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  Attrs,
  Backend,
  Data,
  Primitive,
  PrimitiveName,
  Shape,
  Tensor,
  WindowAttrs,
} from '../src/index.ts';
import { apply, compile, createBackend, primitives, read, release, sizeOf, tensor } from '../src/index.ts';
import { convExtents } from '../src/ops/conv.ts';
import { toleranceOf, worstViolation } from '../src/testing/close.ts';
import { wasmBackends } from './backends.ts';
import { innerProduct, randomValues } from './wasm/harness.ts';

/** Images, filters, and how one moves over the other. */
interface Case {
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs: WindowAttrs;
}

/** One dimension with at least one output position: sizes of image and filter, stride, dilation, zeros before and behind. */
const axis = fc
  .record({
    size: fc.integer({ min: 1, max: 13 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    before: fc.integer({ min: 0, max: 3 }),
    behind: fc.integer({ min: 0, max: 3 }),
  })
  .filter(({ size, kernel, dilation, before, behind }) => size + before + behind > dilation * (kernel - 1));

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    rows: axis,
    columns: axis,
    batch: fc.integer({ min: 0, max: 5 }),
    groups: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 6 }),
    outChannels: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ rows, columns, batch, groups, channels, outChannels }) => ({
    x: [batch, channels * groups, rows.size, columns.size],
    w: [outChannels * groups, channels, rows.kernel, columns.kernel],
    attrs: {
      stride: [rows.stride, columns.stride],
      padding: [rows.before, columns.before, rows.behind, columns.behind],
      dilation: [rows.dilation, columns.dilation],
      groups,
    },
  }));

const side = fc.integer({ min: 4, max: 19 });
const channels = fc.integer({ min: 8, max: 21 });

/** Convolutions with channels and tiles enough for Winograd's kernels, in all three directions. */
const winogradCase: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.integer({ min: 1, max: 6 }),
    size: fc.tuple(side, side),
    channels,
    outChannels: channels,
    padding: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ batch, size, channels: inward, outChannels, padding }): Case => {
    const attrs = { stride: [1, 1], dilation: [1, 1], groups: 1 } as const;
    return {
      x: [batch, inward, ...size],
      w: [outChannels, inward, 3, 3],
      attrs: { ...attrs, padding: [padding, padding, padding, padding] },
    };
  })
  .filter(({ x, w, attrs }) => {
    const { batch, height, width, outHeight, outWidth } = convExtents(x, w, attrs);
    const tiles = (rows: number, columns: number): number => Math.ceil(rows / 2) * Math.ceil(columns / 2);
    return batch * Math.min(tiles(height, width), tiles(outHeight, outWidth)) >= 32;
  });

/** An array and its shape. */
interface Operand {
  readonly data: Data;
  readonly shape: Shape;
}

const random = (shape: Shape, seed: number): Operand => ({ data: randomValues(sizeOf(shape), seed), shape });

const run = async (
  backend: Backend,
  name: PrimitiveName,
  operands: readonly Operand[],
  attrs: Attrs,
): Promise<Data> => {
  const op = primitives[name] as Primitive;
  const program = compile((args: readonly Tensor[]) => apply(op, args, attrs), { backend });
  const result = await program(operands.map(({ data, shape }) => tensor(data, { shape })));
  const values = await read(result);
  release(result);
  program.destroy();
  return values;
};

let reference: Backend;
beforeAll(async () => {
  reference = await createBackend('cpu', { precision: 'f64' });
});
afterAll(() => reference.destroy());

/** The value on a backend, which must be the reference's as closely as the conformance suite demands. */
const checked = async (
  backend: Backend,
  name: 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad',
  operands: readonly Operand[],
  attrs: Attrs,
): Promise<Data> => {
  const actual = await run(backend, name, operands, attrs);
  const expected = await run(reference, name, operands, attrs);
  const positive = operands.map(({ data, shape }) => ({ data: Float32Array.from(data, Math.abs), shape }));
  const magnitudes = await run(reference, name, positive, attrs);
  const specs = operands.map(({ shape }) => ({ shape, dtype: 'f32' as const }));
  const out = (primitives[name] as Primitive).infer(specs, attrs);
  const violation = worstViolation(
    { actual, expected, magnitudes },
    toleranceOf(name, specs, attrs as never, out),
  );
  expect(violation, name).toBeUndefined();
  return actual;
};

const checkCase = async (
  backend: Backend,
  { x: xShape, w: wShape, attrs }: Case,
  seed: number,
): Promise<void> => {
  const { batch, outChannels, outHeight, outWidth } = convExtents(xShape, wShape, attrs);
  const [x, w] = [random(xShape, seed + 1), random(wShape, seed + 2)];
  const y = random([batch, outChannels, outHeight, outWidth], seed + 3);
  const size = [xShape[2]!, xShape[3]!] as const;
  const kernel = [wShape[2]!, wShape[3]!] as const;
  const forward = await checked(backend, 'conv2d', [x, w], attrs);
  const inputGrad = await checked(backend, 'conv2dInputGrad', [y, w], { ...attrs, size });
  const filterGrad = await checked(backend, 'conv2dFilterGrad', [x, y], { ...attrs, kernel });
  const inner = innerProduct(forward, y.data);
  // every product has an error of its own, and they do not add up
  const allowed = 1e-5 * (1 + Math.sqrt(sizeOf(y.shape) * sizeOf(wShape)));
  expect(Math.abs(inner - innerProduct(x.data, inputGrad))).toBeLessThan(allowed);
  expect(Math.abs(inner - innerProduct(w.data, filterGrad))).toBeLessThan(allowed);
};

describe.each(wasmBackends)('convolution and its gradients on $name', ({ make }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await make();
  });
  afterAll(() => backend.destroy());

  test.each([
    ['any geometry', anyCase, 25],
    ['Winograd', winogradCase, 10],
  ] as const)('%s', async (_name, cases, numRuns) => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(1000), (c, seed) => checkCase(backend, c, seed)),
      { seed: 20265, numRuns },
    );
  });
});
