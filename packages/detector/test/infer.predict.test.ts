// Prediction: what a padded, scaled batch gives is what each image gives on its own, in its own coordinates.
import { createBackend, evaluate, key } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import type { BackboneConfig } from '../src/config.ts';
import type { Detections } from '../src/infer/decode.ts';
import { createPredictor, type PredictionBatch } from '../src/infer/predict.ts';
import { createDetector } from '../src/model/detector.ts';
import { squareBatch, tinyConfig } from './tiny.ts';

const detector = createDetector(tinyConfig);
const backend = await createBackend('wasm');
const params = await evaluate(await detector.init(key(1)), { backend });
const everything = { scoreThreshold: 0, limit: 1000, iouThreshold: 1 };

const batchOf = (count: number, change: Partial<PredictionBatch> = {}): PredictionBatch => ({
  ...squareBatch(0, count),
  sizes: Array.from({ length: count }, () => ({ width: 32, height: 32 })),
  scales: Array.from({ length: count }, () => [1, 1] as const),
  ...change,
});

const extent = ({ boxes }: Detections): { right: number; bottom: number } => ({
  right: Math.max(...boxes.filter((_, i) => i % 4 === 2)),
  bottom: Math.max(...boxes.filter((_, i) => i % 4 === 3)),
});

describe('predictBatch', () => {
  it('gives every image the detections it has alone', async () => {
    const together = await detector.predictBatch(params, batchOf(3), everything);
    expect(together).toHaveLength(3);
    for (let i = 0; i < 3; i++) {
      const { images, imageShape } = batchOf(3);
      const size = images.length / 3;
      const alone = { ...batchOf(1), images: images.slice(i * size, (i + 1) * size) };
      expect(imageShape[0]).toBe(3);
      const { boxes, scores, labels } = await detector.predict(params, alone, everything);
      expect(together[i]!.labels).toEqual(labels);
      scores.forEach((score, j) => {
        expect(together[i]!.scores[j]).toBeCloseTo(score, 5);
      });
      boxes.forEach((side, j) => {
        expect(together[i]!.boxes[j]).toBeCloseTo(side, 3);
      });
    }
  });

  it('keeps boxes inside the image, not its padding, and gives them in original pixels', async () => {
    const change = { sizes: [{ width: 24, height: 16 }], scales: [[2, 0.5] as const] };
    const detections = await detector.predict(params, batchOf(1, change), everything);
    expect(extent(detections)).toEqual({ right: 12, bottom: 32 });
  });

  it('applies the settings of the configuration unless told otherwise', async () => {
    const few = createDetector({ ...tinyConfig, test: { ...tinyConfig.test, scoreThreshold: 0, limit: 3 } });
    expect((await few.predict(params, batchOf(1))).scores).toHaveLength(3);
    expect((await few.predict(params, batchOf(1), { limit: 2 })).scores).toHaveLength(2);
  });

  it('touches no filter from the second picture on: frozen norms are folded in, and panels are kept', async () => {
    const frozen: BackboneConfig = {
      stem: { kind: 'pooled', width: 8 },
      block: 'bottleneck',
      planes: [4, 8],
      depths: [1, 1],
      strides: [1, 2],
      norm: { kind: 'frozenBatch' },
      frozenParts: 0,
    };
    const config = { ...tinyConfig, backbone: frozen };
    const own = await evaluate(await createDetector(config).init(key(2)), { backend });
    const predictor = createPredictor(config, { backend });
    const launchesOf = async (): Promise<number> => {
      const before = backend.stats().launches;
      await predictor.predictBatch(own, batchOf(1));
      return backend.stats().launches - before;
    };
    const [first, second, third] = [await launchesOf(), await launchesOf(), await launchesOf()];
    // the filters of the stem and of two blocks of four convolutions are scaled by their norms once
    expect(first - second).toBeGreaterThanOrEqual(9);
    expect(third).toBe(second);
    predictor.destroy();
  });

  it('frees what it used', async () => {
    const { buffers } = backend.stats();
    await detector.predictBatch(params, batchOf(2));
    expect(backend.stats().buffers).toBe(buffers);
  });
});

describe('where predictions run', () => {
  it('is an error for parameters that are on no backend, unless one is given', async () => {
    const constants = await detector.init(key(1));
    await expect(detector.predict(constants, batchOf(1))).rejects.toThrow('needs a backend to run on');
    const placed = createDetector(tinyConfig, { backend });
    const here = await detector.predict(params, batchOf(1), everything);
    expect(await placed.predict(constants, batchOf(1), everything)).toEqual(here);
    const predictor = createPredictor(tinyConfig, { backend });
    expect(await predictor.predictBatch(params, batchOf(1), everything)).toEqual([here]);
    expect(predictor.describe()).toContain('conv2d');
    predictor.destroy();
  });
});

it('tells what each step of the forward pass cost when asked to', async () => {
  const predictor = createPredictor(tinyConfig, { backend, profile: true });
  for (let i = 0; i < 2; i++) await predictor.predictBatch(params, batchOf(1));
  const profile = predictor.profile();
  expect(profile.filter(({ op }) => op === 'conv2d').length).toBeGreaterThan(0);
  // panels of parameters that stay are made once at most: an earlier predictor may have made them
  const isRight = (op: string, calls: number): boolean => (op === 'filterPanels' ? calls <= 1 : calls === 2);
  expect(profile.filter(({ op, calls, tier }) => !isRight(op, calls) || tier !== 'tuned')).toEqual([]);
  predictor.destroy();
});
