// What is told of a network before anything runs, against counts by hand and against what runs really take.
import { createBackend, scalar, tensor } from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import { batchTensors } from '../../src/batch.ts';
import { demoConfig, resnet50Config } from '../../src/config.ts';
import { createPredictor } from '../../src/infer/predict.ts';
import { predictionMemory, trainingMemory } from '../../src/info/memoryNeeds.ts';
import { networkCosts } from '../../src/info/networkCosts.ts';
import { createDetector } from '../../src/model/detector.ts';
import { trainStep } from '../../src/train/step.ts';
import { parameterCount } from '../../src/weights/layout.ts';
import { freshState, optimizer, squareBatch, tinyConfig } from '../tiny.ts';

const classes = Array.from({ length: 80 }, (_, i) => `class ${i}`);

/** The multiplications of a convolution that gives `side` x `other` places. */
const conv = (places: number, inputs: number, outputs: number, kernel = 1): number =>
  places * inputs * outputs * kernel * kernel;

/** ResNet-50, FPN and AutoAssign's head as the papers' tables have them, for sides that are multiples of 128. */
const byHand = (height: number, width: number, count: number): Record<string, number> => {
  const at = (stride: number): number => (height / stride) * (width / stride);
  const stage = (stride: number, inputs: number, planes: number, depth: number): number => {
    const places = at(stride);
    const block = (from: number): number =>
      conv(places, from, planes) + conv(places, planes, planes, 3) + conv(places, planes, 4 * planes);
    return block(inputs) + conv(places, inputs, 4 * planes) + (depth - 1) * block(4 * planes);
  };
  const levels = [8, 16, 32, 64, 128].reduce((sum, stride) => sum + at(stride), 0);
  const laterals = conv(at(8), 512, 256) + conv(at(16), 1024, 256) + conv(at(32), 2048, 256);
  const smooth = conv(at(8) + at(16) + at(32) + at(128), 256, 256, 3) + conv(at(64), 2048, 256, 3);
  return {
    stem: conv(at(2), 3, 64, 7),
    layer1: stage(4, 64, 64, 3),
    layer2: stage(8, 256, 128, 4),
    layer3: stage(16, 512, 256, 6),
    layer4: stage(32, 1024, 512, 3),
    neck: laterals + smooth,
    'head towers': 8 * conv(levels, 256, 256, 3),
    predictions: conv(levels, 256, count + 4 + 1, 3),
  };
};

describe('the costs of ResNet-50', () => {
  test.each([
    [128, 256, 1],
    [768, 1280, 2],
  ])('at %i x %i, %i at a time, are those counted by hand', (height, width, batch) => {
    const costs = networkCosts(resnet50Config(classes), { height, width, batch });
    const counted = Object.fromEntries(costs.map(({ name, multiplyAdds }) => [name, multiplyAdds / batch]));
    expect(counted).toEqual(byHand(height, width, classes.length));
  });

  test('are what is known of networks of this kind: about 200 billion at 800 x 1280', () => {
    const costs = networkCosts(resnet50Config(classes), { height: 800, width: 1280, batch: 1 });
    const total = costs.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
    expect(total / 1e9).toBeCloseTo(201, 0);
  });

  test('have every parameter in one part, and the sizes that the parts hand on', () => {
    const config = resnet50Config(classes);
    const costs = networkCosts(config, { height: 128, width: 256, batch: 2 });
    const parameters = costs.reduce((sum, { trained, frozen }) => sum + trained + frozen, 0);
    expect(parameters).toBe(parameterCount(config));
    const outputs = Object.fromEntries(costs.map(({ name, outputs: shapes }) => [name, shapes]));
    expect(outputs.stem).toEqual([[2, 64, 32, 64]]);
    expect(outputs.layer4).toEqual([[2, 2048, 4, 8]]);
    expect(outputs.neck).toEqual([16, 8, 4, 2, 1].map((n) => [2, 256, n, 2 * n]));
    expect(outputs.predictions).toEqual([
      [2, 682, 80],
      [2, 682],
      [2, 682, 4],
    ]);
  });
});

describe('the memory', () => {
  test.each([
    ['none', 1],
    ['blocks', 2],
  ] as const)(
    'of a training step that computes again %s is what it takes, with %i threads',
    async (recompute, threads) => {
      const batch = squareBatch(0, 2);
      const size = { height: 32, width: 32, batch: 2 };
      const told = trainingMemory(tinyConfig, {
        size,
        optimizer,
        recompute,
        objects: batch.objects,
        threads,
      });
      const backend = await createBackend('wasm', { threads });
      const step = trainStep({ config: tinyConfig, optimizer, backend, recompute });
      const first = await step(await freshState(), batchTensors(batch), scalar(0.1));
      await step(first.state, batchTensors(batch), scalar(0.1));
      // constants and the losses of the step before are not part of one and of the other
      expect(Math.abs(backend.stats().peakBytes / told.total - 1)).toBeLessThan(0.02);
      expect(Object.values(told.activations).every((bytes) => bytes >= 0)).toBe(true);
      await backend.destroy();
    },
  );

  test('of a prediction is what it takes', async () => {
    const config = demoConfig(['a', 'b']);
    const told = predictionMemory(config, { height: 64, width: 96, batch: 1 });
    const backend = await createBackend('wasm');
    const params = await createDetector(config).init(tensor(new Int32Array([0, 0])));
    await createPredictor(config, { backend }).predictBatch(params, {
      images: new Float32Array(3 * 64 * 96),
      imageShape: [1, 3, 64, 96],
      sizes: [{ width: 96, height: 64 }],
      scales: [[1, 1]],
    });
    expect(Math.abs(backend.stats().peakBytes / told.total - 1)).toBeLessThan(0.02);
    await backend.destroy();
  });
});
