// The loss of a configuration in training and prediction: every kind trains what it uses, and a loss of one's own takes its place.
import type { Tensor } from '@autoassign/tensor';
import { createBackend, evaluate, leavesWithPaths, mean, read, scalar, square } from '@autoassign/tensor';
import { afterAll, expect, it } from 'vitest';
import { lossesOf } from '../../src/assign/losses.ts';
import { batchTensors } from '../../src/batch.ts';
import { type DetectorConfig, featureLevels } from '../../src/config.ts';
import type { LossConfig } from '../../src/lossConfig.ts';
import { assignedWeights } from '../../src/model/assignedWeights.ts';
import { createDetector } from '../../src/model/detector.ts';
import { detectorLoss, type LossFunction } from '../../src/model/detectorLoss.ts';
import { isTrained, type Params, trainedParams } from '../../src/model/network.ts';
import { trainStep } from '../../src/train/step.ts';
import { validateConfig } from '../../src/validateConfig.ts';
import { freshState, optimizer, squareBatch, tinyConfig } from '../tiny.ts';

const backend = await createBackend('wasm');
afterAll(() => backend.destroy());

const kinds: readonly (readonly [kind: string, loss: LossConfig, terms: readonly string[]])[] = [
  ['autoassign', tinyConfig.loss, ['positive', 'negative', 'center']],
  [
    'explicit objectness',
    { ...tinyConfig.loss, objectness: 'explicit' } as LossConfig,
    ['positive', 'negative', 'center', 'objectness'],
  ],
  ['fcos', { kind: 'fcos' }, ['classification', 'box', 'centerness']],
  ['atss', { kind: 'atss', anchorScale: 4 }, ['classification', 'box', 'centerness']],
  ['retinanet', { kind: 'retinanet' }, ['classification', 'box']],
  ['freeanchor', { kind: 'freeanchor' }, ['positive', 'negative']],
];

const configWith = (loss: LossConfig): DetectorConfig => validateConfig({ ...tinyConfig, loss });
const numberOf = async (t: Tensor): Promise<number> => (await read(t))[0]!;
const leafAt = (params: Params, path: string): Tensor => new Map(leavesWithPaths(params)).get(path)!;
const head = ['bbox_head.center_prior.mean', 'bbox_head.conv_centerness.weight', 'bbox_head.conv_cls.weight'];

it.each(kinds.slice(1))(
  '%s takes steps that lower the loss of its batch, and moves only what it trains',
  async (_, loss, terms) => {
    const config = configWith(loss);
    const { params } = await freshState();
    const step = trainStep({ config, optimizer, backend });
    const batch = batchTensors(squareBatch(0, 2));
    const first = await freshState();
    const fresh = { ...first, optimizer: optimizer.init(trainedParams(config, params)) };
    const once = await step(fresh, batch, scalar(1e-3));
    expect(Object.keys(once.losses.terms)).toEqual(terms);
    const [total, ...parts] = await Promise.all(
      [once.losses.total, ...Object.values(once.losses.terms)].map(numberOf),
    );
    expect(parts.reduce((a, b) => a + b)).toBeCloseTo(total!, 4);
    const twice = await step(once.state, batch, scalar(1e-3));
    expect(await numberOf(twice.losses.total)).toBeLessThan(total!);
    for (const path of head) {
      const [before, now] = [leafAt(params, path), leafAt(twice.state.params, path)];
      const isMoved = (await read(before)).join() !== (await read(now)).join();
      expect(isMoved, path).toBe(isTrained(config, path));
    }
    step.destroy();
  },
);

it.each(kinds)('%s weighs the locations of every object, 1 in all', async (_, loss) => {
  const config = configWith(loss);
  const detector = createDetector(config);
  const { params } = await freshState();
  const { images, ...targets } = batchTensors(squareBatch(3, 2));
  const { points, ...predictions } = detector.forward(params, images);
  const levels = featureLevels(config, 32, 32);
  const { positiveWeights, objectConfidence } = await evaluate(
    assignedWeights(loss)(predictions, targets, { ...points, levels }, params),
    { backend },
  );
  const [weights, confidence] = [await read(positiveWeights), await read(objectConfidence)];
  for (let n = 0; n < 2; n++)
    for (let m = 0; m < 2; m++) {
      const rows = weights.length / 4;
      const total = Array.from({ length: rows }, (__, i) => weights[(n * rows + i) * 2 + m]!).reduce(
        (a, b) => a + b,
      );
      expect(total).toBeCloseTo(m === 0 ? 1 : 0, 5); // the second place is padding
      expect(confidence[2 * n + m]! > 0).toBe(m === 0);
    }
});

it('takes a loss of the caller, with terms of its own', async () => {
  const quiet: LossFunction = ({ logits }, { valid }, { levels, strides }, params) => {
    expect([valid.shape, levels.length, strides.shape[0]]).toEqual([[1, 2], 2, 80]);
    return lossesOf({ loud: mean(square(logits)), prior: mean(params.bbox_head.center_prior.sigma) });
  };
  const batch = batchTensors(squareBatch(0));
  const { params } = await freshState();
  const own = detectorLoss(tinyConfig, params, batch, quiet);
  const theirs = createDetector(tinyConfig, { loss: quiet }).loss(params, batch);
  const step = trainStep({ config: tinyConfig, optimizer, backend, loss: quiet });
  const { losses } = await step(await freshState(), batch, scalar(0));
  const values = await evaluate({ own, theirs }, { backend });
  expect(Object.keys(losses.terms)).toEqual(['loud', 'prior']);
  expect(await numberOf(losses.total)).toBe(await numberOf(values.own.total));
  expect(await numberOf(values.theirs.total)).toBe(await numberOf(values.own.total));
  expect(await numberOf(values.own.terms.prior!)).toBe(1);
  step.destroy();
});
