// Whole detectors with weights made by formula, against the reference implementation: stages, losses, gradients, training steps,
// detections.
import { sgd } from '@autoassign/autograd';
import { createBackend, evaluate, leavesWithPaths, read, scalar, sizeOf } from '@autoassign/tensor';
import { describe, expect, it } from 'vitest';
import { batchTensors } from '../../src/batch.ts';
import type { Detections } from '../../src/infer/decode.ts';
import { createPredictor } from '../../src/infer/predict.ts';
import { trainedParams } from '../../src/model/network.ts';
import { initialState } from '../../src/train/state.ts';
import { lossAndGradients, trainStep } from '../../src/train/step.ts';
import { parameterCount } from '../../src/weights/layout.ts';
import { goldenFolder, goldenNames, numbersOf, readGolden, relativeDistance } from './cases.ts';
import {
  batchOf,
  configOf,
  fullNames,
  lossOfStages,
  paramsOf,
  readFull,
  type StoredDetections,
  stagesOf,
} from './fullCase.ts';
import {
  expectLosses,
  expectStages,
  goldenDetectorOn,
  normOf,
  numberOf,
  relativeError,
} from './fullSuite.ts';

/** Networks that the reference backend can compute within a test. */
const isSmall = (name: string): boolean => readFull(name).num_params < 5e6;
/** Whether all gradients of a case are there, not only samples of them. */
const hasGradients = (name: string): boolean => goldenNames('full', (found) => found === name).length > 0;
const names = fullNames();
// Without a single test the file would fail where the folder of golden files has no such cases.
if (names.length === 0)
  it('has no golden detectors to compare with, since there is no folder of them', () => {
    expect(goldenFolder('full')).toBeUndefined();
  });

describe.each(names)('golden detector %s', (name) => {
  const golden = readFull(name);
  const config = configOf(golden);
  const params = paramsOf(config);
  const batch = batchOf(golden);

  it('has the parameters of the case', async () => {
    expect(parameterCount(config)).toBe(golden.num_params);
    const found = new Map(leavesWithPaths(params));
    for (const { key, first, sum } of golden.state_dict) {
      if (key.endsWith('num_batches_tracked')) continue;
      const values = await read(found.get(key)!);
      expect(relativeError(values, first, [0, 1, 2]), key).toBeLessThan(1e-10);
      const total = Array.from(values).reduce((a, x) => a + x, 0);
      expect(Math.abs(total - sum), key).toBeLessThan(1e-6 * Math.max(1, Math.abs(sum)));
    }
  });

  const expectDetections = (found: Detections, stored: StoredDetections): void => {
    expect([...found.labels]).toEqual(stored.labels);
    stored.scores.forEach((score, i) => {
      expect(Math.abs(found.scores[i]! - score)).toBeLessThan(1e-5);
    });
    stored.boxes.flat().forEach((side, i) => {
      expect(Math.abs(found.boxes[i]! - side)).toBeLessThan(1e-2);
    });
  };

  it('detects what the case does', async () => {
    const backend = await createBackend('wasm');
    const predictor = createPredictor(config, { backend });
    const { img_shape, scale_factor } = golden.img_meta;
    const [height, width] = img_shape;
    const sizes = golden.gt.map(() => ({ width, height }));
    for (const [scale, stored] of [
      [[1, 1], golden.f64.detections],
      [scale_factor, golden.f64.detections_rescaled],
    ] as const) {
      const scales = sizes.map(() => scale);
      const found = await predictor.predictBatch(params, { ...batch, sizes, scales });
      found.forEach((detections, i) => {
        expectDetections(detections, stored[i]!);
      });
    }
    await backend.destroy();
  }, 300_000);
});

for (const name of names) goldenDetectorOn(name, [{ name: 'wasm', create: () => createBackend('wasm') }]);

describe.each(names)('golden training of %s', (name) => {
  const golden = readFull(name);
  const config = configOf(golden);
  const params = paramsOf(config);
  const batch = batchTensors(batchOf(golden));
  const decay = golden.f64.weight_decay;
  const optimizer = sgd({ momentum: 0.9, weightDecay: (path) => decay[path]! });

  it.runIf(isSmall(name))(
    'has the stages and losses of the case in double precision',
    async () => {
      const backend = await createBackend('cpu', { precision: 'f64' });
      const given = stagesOf(config, params, batch.images);
      const results = { stages: given, losses: lossOfStages(config, params, given, batch) };
      const { stages, losses } = await evaluate(results, { backend });
      // The reference rounds its distances to single precision, here too.
      await expectStages(golden, stages, 1e-11, 1e-7);
      await expectLosses(golden, losses, 1e-8);
      await backend.destroy();
    },
    300_000,
  );

  it.runIf(isSmall(name) && hasGradients(name))(
    'has the gradients of the case in double precision',
    async () => {
      const backend = await createBackend('cpu', { precision: 'f64' });
      const { gradients } = await evaluate(lossAndGradients({ config }, params, batch), { backend });
      const { arrays } = readGolden('full', name);
      for (const [path, gradient] of Object.entries(gradients)) {
        const distance = relativeDistance(await read(gradient), numbersOf(arrays[`grad.${path}`]!));
        // stored in single precision, and the reference rounds its distances
        expect(distance, path).toBeLessThan(1e-6);
      }
      await backend.destroy();
    },
    300_000,
  );

  it('takes the steps of the case with momentum and weight decay, and leaves frozen parameters alone', async () => {
    const backend = await createBackend('wasm');
    const step = trainStep({ config, optimizer, backend });
    let state = await initialState(config, params, optimizer);
    for (const [i, { lr, total }] of golden.f64.train_const.steps.entries()) {
      const result = await step(state, batch, scalar(lr));
      state = result.state;
      expect(Math.abs((await numberOf(result.losses.total)) / total - 1)).toBeLessThan(i < 2 ? 1e-4 : 2e-4);
    }
    const trained = trainedParams(config, params);
    for (const [path, leaf] of leavesWithPaths(state.params)) {
      const before = await read(new Map(leavesWithPaths(params)).get(path)!);
      const after = await read(leaf);
      if (trained[path] === undefined) {
        expect([path, after]).toEqual([path, before]);
        continue;
      }
      const { delta_norm, delta_idx, delta_val } = golden.f64.train_const.params[path]!;
      const delta = Array.from(after, (x, i) => x - before[i]!);
      const resolution = 2 * 2 ** -23 * normOf(before) + 1e-12 * Math.sqrt(sizeOf(leaf.shape));
      expect(Math.abs(normOf(delta) - delta_norm), path).toBeLessThan(0.02 * delta_norm + resolution);
      delta_idx.forEach((at, i) => {
        expect(Math.abs(delta[at]! - delta_val[i]!), path).toBeLessThan(0.02 * delta_norm + resolution);
      });
    }
    await backend.destroy();
  }, 300_000);
});
