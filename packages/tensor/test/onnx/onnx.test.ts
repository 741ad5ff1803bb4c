// Exported graphs, read back and computed by loops that know ONNX alone: they mean what the tensors mean, or are refused.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuBackend } from '../../src/backends/cpu/index.ts';
import type { AttrsByName, OnnxInput, OnnxOpset, Primitive, PrimitiveName, Tensor } from '../../src/index.ts';
import {
  add,
  broadcastTo,
  clamp,
  conv2d,
  evaluate,
  frozenBatchNorm,
  groupNorm,
  maxPool2d,
  named,
  onnxGraph,
  onnxModel,
  primitives,
  read,
  relu,
  reshape,
  resizeNearest,
  sizeOf,
  slice,
  sum,
  tensor,
  UnsupportedError,
} from '../../src/index.ts';
import type { OnnxArray, ReadModel } from '../../src/testing/index.ts';
import {
  buildRecipe,
  leavesOf,
  leavesOfRecipe,
  outputOf,
  readOnnx,
  runOnnx,
  samplesOf,
} from '../../src/testing/index.ts';
import { graph as recipes } from '../arbitraries.ts';

const reference = cpuBackend();
const producer = { name: 'test', version: '1' };

/** A file of a function of tensors, and what it holds. */
const exported = (
  fn: (...inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly OnnxInput[],
  opset: OnnxOpset = 17,
): ReadModel => {
  const named = Object.fromEntries(inputs.map((input, i) => [`in${i}`, input]));
  const graph = onnxGraph(
    (given) => Object.fromEntries(fn(...Object.values(given)).map((t, i) => [`out${i}`, t])),
    named,
    { opset },
  );
  return readOnnx(onnxModel(graph, { opset, name: 'test', producer }));
};

const arrayOf = ({ shape, dtype, source }: Tensor): OnnxArray => {
  if (source.kind !== 'constant') throw new Error('only constants');
  return { type: dtype, shape, data: Float64Array.from(source.data) };
};

const run = (model: ReadModel, leaves: readonly Tensor[]): readonly OnnxArray[] =>
  Object.values(runOnnx(model, Object.fromEntries(leaves.map((leaf, i) => [`in${i}`, arrayOf(leaf)]))));

/** The largest difference as a part of the largest value, or of `least`; NaN equals NaN, infinities themselves. */
const difference = (actual: ArrayLike<number>, expected: ArrayLike<number>, least: number): number => {
  expect(actual.length).toBe(expected.length);
  let [most, worst] = [least, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    if (!Number.isFinite(expected[i])) return actual[i] === expected[i] ? worst : Number.POSITIVE_INFINITY;
    most = Math.max(most, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  }
  return worst / most;
};

const agree = async (
  fn: (...inputs: readonly Tensor[]) => readonly Tensor[],
  leaves: readonly Tensor[],
  { model = exported(fn, leaves), least = 1e-30 }: { model?: ReadModel; least?: number } = {},
): Promise<ReadModel> => {
  const actual = run(model, leaves);
  const expected = await evaluate([...fn(...leaves)], { backend: reference });
  for (const [i, t] of expected.entries()) {
    expect(actual[i]!.shape).toEqual(t.shape);
    expect(actual[i]!.type).toBe(t.dtype);
    const bound = t.dtype === 'f32' ? 1e-5 : 0;
    expect(difference(actual[i]!.data, Array.from(await read(t), Number), least)).toBeLessThanOrEqual(bound);
  }
  return model;
};

const opsOf = ({ nodes }: ReadModel): string[] => nodes.map(({ op }) => op);

const noise = (shape: readonly number[], seed = 1): Tensor =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(12.9898 * (i + seed)) * 2),
    { shape },
  );

/** What ONNX gets no operator for, and gathering along an axis that does not follow the shared ones. */
const refused: readonly PrimitiveName[] = [
  'scatterAdd',
  'conv2dInputGrad',
  'conv2dFilterGrad',
  'poolArgMax2d',
  'randomBits',
  'sampleBilinearInputGrad',
  'sampleBilinearPointGrad',
];

describe('every primitive', () => {
  test.each(Object.keys(primitives) as PrimitiveName[])(
    '%s',
    async <Name extends PrimitiveName>(name: Name) => {
      const op: Primitive<AttrsByName[Name]> = primitives[name];
      // at the border of an image, coordinates in single precision leave a trace of what lies beyond
      const least = name === 'sampleBilinear' ? 1 : 1e-30;
      let compared = 0;
      for (const sample of samplesOf(name)) {
        const build = (...inputs: readonly Tensor[]): readonly Tensor[] => [outputOf(op, sample, inputs)];
        try {
          await agree(build, leavesOf(sample), { least });
          compared++;
        } catch (error) {
          if (name === 'cast' && /leaves open/.test(String(error))) continue;
          if (!(error instanceof UnsupportedError)) throw error;
          expect(error.message).toContain(name);
        }
      }
      expect(compared > 0).toBe(!refused.includes(name));
    },
  );
});

test('random graphs mean the same, or are refused by the name of an operation', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(recipes(), async (recipe) => {
      const leaves = leavesOfRecipe(recipe).map(({ spec, data }) => tensor(data, spec));
      try {
        await agree((...inputs) => buildRecipe(recipe, inputs), leaves);
        compared++;
      } catch (error) {
        if (!(error instanceof UnsupportedError || /leaves open/.test(String(error)))) throw error;
      }
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(10);
});

describe('compositions come out as one operator', () => {
  const image: OnnxInput = { shape: ['batch', 4, 6, 8] };
  const filters = noise([4, 2, 3, 3], 5);
  const channels = (seed: number): Tensor => noise([4], seed);
  const variance = tensor([0.5, 1, 2, 3]);
  const affine = { weight: channels(2), bias: channels(3) };
  const biased = (x: Tensor): Tensor => {
    const y = conv2d(x, filters, { padding: [1, 0, 2, 1], stride: [1, 2], dilation: [1, 2], groups: 2 });
    return add(y, reshape(channels(7), [1, 4, 1, 1]));
  };
  type Case = readonly [string, (x: Tensor) => Tensor, readonly string[], OnnxOpset?];
  const cases: readonly Case[] = [
    ['a convolution with bias', biased, ['Conv']],
    ['a rectifier', relu, ['Relu']],
    ['a lower limit', (x) => clamp(x, { min: -0.5 }), ['Clip']],
    ['both limits', (x) => clamp(x, { min: -0.5, max: 1 }), ['Clip']],
    ['the largest of windows', (x) => maxPool2d(x, { window: 3, stride: 2, padding: 1 }), ['MaxPool']],
    ['enlarging by whole factors', (x) => resizeNearest(x, [12, 24]), ['Resize']],
    ['other sizes', (x) => resizeNearest(x, [9, 12]), ['Gather', 'Gather']],
    [
      'fixed batch norm',
      (x) => frozenBatchNorm(x, { ...affine, running_mean: channels(4), running_var: variance }),
      ['BatchNormalization'],
    ],
    ['group norm', (x) => groupNorm(x, affine, { groups: 2 }), ['GroupNormalization'], 21],
    [
      'group norm before version 21',
      (x) => groupNorm(x, affine, { groups: 2 }),
      ['Reshape', 'InstanceNormalization', 'Reshape', 'Unsqueeze', 'Unsqueeze', 'Mul', 'Add'],
    ],
  ];

  test.each(cases.map((entry) => [entry[0], entry] as const))('%s', async (_name, [, build, ops, opset]) => {
    const model = exported((x) => [build(x!)], [image], opset);
    expect(opsOf(model)).toEqual(ops);
    expect(model.inputs[0]!.shape).toEqual(['batch', 4, 6, 8]);
    expect(model.outputs[0]!.shape[0]).toBe('batch');
    for (const batch of [1, 2, 5])
      await agree((x) => [build(x!)], [noise([batch, 4, 6, 8], batch)], { model });
  });

  test('but what else reads a part of one still gets it', async () => {
    const both = (x?: Tensor): Tensor[] => {
      const y = conv2d(x!, filters, { groups: 2 });
      return [add(y, reshape(channels(7), [1, 4, 1, 1])), relu(y)];
    };
    const model = await agree(both, [noise([2, 4, 6, 8])]);
    expect(opsOf(model).filter((op) => op === 'Conv')).toHaveLength(1);
  });
});

test('parameters are stored once, under their labels', () => {
  const weight = named(noise([4, 4, 1, 1]), 'layer.conv.weight');
  const model = exported(
    (x) => [conv2d(conv2d(x!, weight, { label: 'layer.conv' }), weight)],
    [{ shape: ['n', 4, 2, 2] }],
  );
  expect([...model.initializers.keys()]).toEqual(['layer.conv.weight']);
  expect(model.nodes.map(({ name }) => name)).toContain('layer.conv');
});

describe('a size that is left open', () => {
  const open: readonly OnnxInput[] = [{ shape: ['n', 3] }];
  const export1 = (fn: (x: Tensor) => Tensor) => () => exported((x) => [fn(x!)], open);

  test('may not enter what is computed', () => {
    expect(export1((x) => sum(broadcastTo(x, [4, ...x.shape]), 0))).toThrow(/onnxGraph: needs operations/);
    expect(export1((x) => slice(x, [0, 0], [2, 3]))).toThrow(UnsupportedError);
    expect(export1((x) => add(x, x.shape[0]!))).toThrow(/a constant that depends on it/);
  });

  test('is one', () => {
    expect(() => exported((x) => [x!], [{ shape: ['n', 'm'] }])).toThrow(/at most one size.*n, m/);
  });
});

test('evaluated tensors are refused: their values would have to be read first', async () => {
  const held = await evaluate(add(noise([2]), 1), { backend: reference });
  expect(() => exported((x) => [add(x!, held)], [{ shape: [2] }])).toThrow(/evaluated tensor f32\[2\]/);
});

test('outputs may be inputs, constants and one another', async () => {
  const model = await agree((x) => [x!, relu(x!), relu(x!), noise([3])], [noise([2])]);
  expect(model.outputs.map(({ name }) => name)).toEqual(['out0', 'out1', 'out2', 'out3']);
});
