// The exported detector, computed by loops that know ONNX alone, against the detector itself.
import { evaluate, key, leavesWithPaths, mapTree, read, tensor } from '@autoassign/tensor';
import type { OnnxArray } from '@autoassign/tensor/testing';
import { readOnnx, runOnnx } from '@autoassign/tensor/testing';
import { describe, expect, test } from 'vitest';
import type { DetectorConfig } from '../../src/config.ts';
import { featureLevels } from '../../src/config.ts';
import type { Detections } from '../../src/infer/decode.ts';
import { decodeDetections } from '../../src/infer/decode.ts';
import { createDetector } from '../../src/model/detector.ts';
import type { Params } from '../../src/model/network.ts';
import type { OnnxExportOptions } from '../../src/onnx/exportOnnx.ts';
import { exportOnnx } from '../../src/onnx/exportOnnx.ts';
import { tinyConfig, wasm } from '../tiny.ts';

const [height, width] = [32, 64];
const imageSize = { height, width };

/** The small detector, and one of bottlenecks with a pooled stem, fixed batch norm and levels added at the end. */
const configs: Readonly<Record<string, DetectorConfig>> = {
  basic: tinyConfig,
  bottleneck: {
    ...tinyConfig,
    input: { ...tinyConfig.input, order: 'bgr', mean: [100, 120, 130], std: [50, 60, 70] },
    backbone: {
      ...tinyConfig.backbone,
      stem: { kind: 'pooled', width: 4 },
      block: 'bottleneck',
      planes: [4, 4],
      depths: [1, 1],
      strides: [1, 2],
      norm: { kind: 'frozenBatch' },
    },
    neck: { ...tinyConfig.neck, extraLevels: 2 },
  },
};

/** Weights large enough that many pairs are above the threshold. */
const confident = async (config: DetectorConfig): Promise<Params> => {
  const params = await createDetector(config).init(key(3));
  return mapTree((leaf, path) => {
    if (leaf.source.kind !== 'constant' || !/conv_(cls|reg|centerness).weight$/.test(path)) return leaf;
    return tensor(
      Float32Array.from(leaf.source.data, (x) => 25 * x),
      { shape: leaf.shape },
    );
  }, params);
};

const pixels = (count: number): OnnxArray => ({
  type: 'u8',
  shape: [count, height, width, 3],
  data: Float64Array.from({ length: count * height * width * 3 }, (_, i) =>
    Math.floor(127.5 * (1 + Math.sin(0.37 * i) * Math.cos(0.011 * i))),
  ),
});

/** The bytes as the network reads them, by the definition. */
const normalized = ({ shape, data }: OnnxArray, { input }: DetectorConfig): OnnxArray => {
  const size = height * width;
  const channel = input.order === 'rgb' ? [0, 1, 2] : [2, 1, 0];
  const value = (i: number): number => {
    const [n, c, pixel] = [Math.floor(i / (3 * size)), Math.floor(i / size) % 3, i % size];
    return Math.fround((data[(n * size + pixel) * 3 + channel[c]!]! - input.mean[c]!) / input.std[c]!);
  };
  return {
    type: 'f32',
    shape: [shape[0]!, 3, height, width],
    data: Float64Array.from({ length: data.length }, (_, i) => value(i)),
  };
};

const runExported = (
  config: DetectorConfig,
  params: Params,
  images: OnnxArray,
  options: Omit<OnnxExportOptions, 'imageSize'> = {},
): Record<string, OnnxArray> => {
  const { bytes } = exportOnnx(config, params, { imageSize, ...options });
  return runOnnx(readOnnx(bytes), { images });
};

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>): void => {
  expect(actual.length).toBe(expected.length);
  const most = Array.from(expected).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(1e-5 * most);
};

describe.each(Object.entries(configs))('a detector of %s blocks', (_name, config) => {
  const images = normalized(pixels(2), config);
  const prepared = confident(config).then((params) => ({
    params,
    raw: runExported(config, params, images),
  }));

  test('gives what forward gives', async () => {
    const { params, raw } = await prepared;
    const backend = await wasm();
    const given = tensor(Float32Array.from(images.data), { shape: images.shape });
    const { logits, objectness, distances } = createDetector(config).forward(params, given);
    const expected = await evaluate({ logits, objectness, distances }, { backend });
    for (const [name, leaf] of leavesWithPaths(expected)) {
      expect(raw[name]!.shape).toEqual(leaf.shape);
      expectClose(raw[name]!.data, await read(leaf));
    }
    await backend.destroy();
  });

  test.each(['mmdetection', 'megvii'] as const)(
    'finds what decoding by the rules of %s finds',
    async (variant) => {
      const { params, raw } = await prepared;
      const rules = { variant, scoreThreshold: 0.01, candidatesPerLevel: 40, limit: 30 };
      const decided = { ...config, test: { ...config.test, ...rules } };
      const found = runExported(decided, params, images, { suppression: true });
      for (const n of [0, 1]) {
        const own = (array: OnnxArray): Float64Array => {
          const size = array.data.length / 2;
          return array.data.subarray(n * size, (n + 1) * size);
        };
        const [logits, objectness, distances] = [raw.logits!, raw.objectness!, raw.distances!].map(own) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const levels = featureLevels(config, height, width);
        const expected = decodeDetections({ logits, objectness, distances }, levels, imageSize, decided.test);
        expectDetections(own(found.boxes!), own(found.scores!), own(found.labels!), expected);
      }
    },
  );
});

test('reads pictures as bytes, one image or several', async () => {
  const config = configs.bottleneck!;
  const params = await confident(config);
  const images = pixels(1);
  const fromBytes = runExported(config, params, images, { pixels: true });
  const fromNumbers = runExported(config, params, normalized(images, config));
  for (const name of ['logits', 'objectness', 'distances'])
    expectClose(fromBytes[name]!.data, fromNumbers[name]!.data);
});

const expectDetections = (
  boxes: Float64Array,
  scores: Float64Array,
  labels: Float64Array,
  expected: Detections,
): void => {
  const count = expected.scores.length;
  expect(count).toBeGreaterThan(5);
  expect(Array.from(labels.subarray(0, count))).toEqual(Array.from(expected.labels));
  expectClose(scores.subarray(0, count), expected.scores);
  expectClose(boxes.subarray(0, 4 * count), expected.boxes);
  expect(labels.subarray(count).every((label) => label === -1)).toBe(true);
  expect(scores.subarray(count).every((score) => score === 0)).toBe(true);
};

test('the file tells its inputs, outputs and how pictures are normalised', async () => {
  const params = await createDetector(tinyConfig).init(key(0));
  const { graph, bytes } = exportOnnx(tinyConfig, params, {
    imageSize,
    suppression: true,
    batch: 2,
    opset: 21,
  });
  const model = readOnnx(bytes);
  expect([model.opset, model.formatVersion]).toEqual([21, 10]);
  expect(model.inputs).toEqual([{ name: 'images', type: 'f32', shape: [2, 3, height, width] }]);
  expect(model.outputs).toEqual(graph.outputs);
  expect(model.outputs.map(({ name }) => name)).toEqual(['boxes', 'scores', 'labels']);
  expect(JSON.parse(model.metadata.get('classes')!)).toEqual(tinyConfig.classes);
  expect(JSON.parse(model.metadata.get('config')!)).toEqual(tinyConfig);
  const stored = leavesWithPaths(params).filter(([path]) => model.initializers.has(path));
  expect(stored.map(([path]) => path)).toEqual(
    leavesWithPaths(params)
      .map(([path]) => path)
      .filter((path) => !path.includes('center_prior')),
  );
});

test('sizes that pictures are not padded to are refused', async () => {
  const params = await createDetector(tinyConfig).init(key(0));
  const size = { height: 40, width: 64 };
  expect(() => exportOnnx(tinyConfig, params, { imageSize: size })).toThrow(/multiples of 32, got 40x64/);
});
