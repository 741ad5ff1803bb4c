// Initial values: their distributions, their independence of the backend's seed order, and what the untrained network says.
import { createBackend, evaluate, key, leavesWithPaths, read, type Tensor, tensor } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import { demoConfig, resnet50Config } from '../../src/config.ts';
import { createDetector } from '../../src/model/detector.ts';
import { initParams } from '../../src/model/network.ts';

const config = demoConfig(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
const params = await createDetector(config).init(key(5));
const values = new Map<string, Float32Array>();
for (const [path, leaf] of leavesWithPaths(params)) values.set(path, (await read(leaf)) as Float32Array);

const momentsOf = (data: Float32Array): { mean: number; deviation: number; largest: number } => {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
  return {
    mean,
    deviation: Math.sqrt(variance),
    largest: data.reduce((a, x) => Math.max(a, Math.abs(x)), 0),
  };
};

/** Whether mean and deviation are what they should be, within five standard errors of an estimate from n draws. */
const expectMoments = (path: string, deviation: number): void => {
  const data = values.get(path)!;
  const found = momentsOf(data);
  const error = (5 * deviation) / Math.sqrt(data.length);
  expect(Math.abs(found.mean), path).toBeLessThan(error);
  expect(Math.abs(found.deviation - deviation), path).toBeLessThan(error);
};

describe('initial values', () => {
  it('of the backbone are normal with variance 2 / fan-out', () => {
    expectMoments('backbone.layer4.0.conv2.weight', Math.sqrt(2 / (9 * 128)));
    expectMoments('backbone.layer3.0.conv1.weight', Math.sqrt(2 / (9 * 96)));
    expectMoments('backbone.layer2.0.downsample.0.weight', Math.sqrt(2 / 64));
  });

  it('of the pyramid are uniform with variance 1 / fan-in', () => {
    for (const [path, fanIn] of [
      ['neck.fpn_convs.0.conv.weight', 9 * 48],
      ['neck.lateral_convs.2.conv.weight', 128],
    ] as const) {
      expectMoments(path, Math.sqrt(1 / fanIn));
      const { largest } = momentsOf(values.get(path)!);
      expect(largest).toBeLessThanOrEqual(Math.fround(Math.sqrt(3 / fanIn)));
      expect(largest).toBeGreaterThan(0.98 * Math.sqrt(3 / fanIn));
    }
  });

  it('of the head are normal with deviation 0.01', () => {
    expectMoments('bbox_head.cls_convs.1.conv.weight', 0.01);
    expectMoments('bbox_head.conv_cls.weight', 0.01);
    expectMoments('bbox_head.conv_centerness.weight', 0.01);
  });

  it('that are constants have the values of the recipe', () => {
    const constants: [RegExp, number][] = [
      [/conv_cls\.bias$/, -Math.log(0.98 / 0.02)],
      [/conv_reg\.bias$/, 2],
      [/(gn\d?|norm|downsample\.1)\.weight$/, 1],
      [/scales\.\d\.scale$/, 1],
      [/center_prior\.sigma$/, 1],
      [/center_prior\.mean$/, 0],
      [/(gn\d?|norm|downsample\.1|conv_centerness|lateral_convs\.\d\.conv)\.bias$/, 0],
    ];
    for (const [pattern, value] of constants) {
      const matching = [...values].filter(([path]) => pattern.test(path));
      expect(matching.length, String(pattern)).toBeGreaterThan(0);
      for (const [path, data] of matching) expect(new Set(data), path).toEqual(new Set([Math.fround(value)]));
    }
    const cls = values.get('bbox_head.conv_cls.bias')!;
    expect(cls[0]).toBeCloseTo(-3.8918, 4);
    expect(resnet50Config(['a']).head.distanceBias).toBe(4);
  });

  it('differ between any two filters and between keys', async () => {
    const filters = [...values].filter(
      ([path]) => path.endsWith('weight') && !/gn|norm|downsample\.1/.test(path),
    );
    const starts = filters.map(([, data]) => data.slice(0, 4).join());
    expect(new Set(starts).size).toBe(filters.length);
    const other = initParams(config, key(6)).neck.fpn_convs[0]!.conv.weight;
    const backend = await createBackend('cpu');
    const drawn = await read(await evaluate(other, { backend }));
    expect(drawn).not.toEqual(values.get('neck.fpn_convs.0.conv.weight'));
  });
});

describe('the untrained demo network', () => {
  const images: Tensor = tensor(
    Float32Array.from({ length: 2 * 3 * 64 * 96 }, (_, i) => Math.sin(i * 12.9898) * 2),
    { shape: [2, 3, 64, 96] },
  );

  it('says the prior probability and boxes of two strides everywhere', async () => {
    const backend = await createBackend('wasm');
    const { logits, objectness, distances, points } = await evaluate(
      createDetector(config).forward(params, images),
      { backend },
    );
    const count = 8 * 12 + 4 * 6 + 2 * 3;
    expect([logits, objectness, distances].map(({ shape }) => shape)).toEqual([
      [2, count, 8],
      [2, count],
      [2, count, 4],
    ]);
    for (const logit of await read(logits)) expect(Math.abs(logit + 3.8918)).toBeLessThan(1);
    const [reach, strides] = [await read(distances), await read(points.strides)];
    reach.forEach((pixels, i) => {
      const stride = strides[Math.floor(i / 4) % count]!;
      expect(Math.abs(pixels / stride - 2)).toBeLessThan(1);
    });
    await backend.destroy();
  });
});
