// A golden detector on a backend: comparisons of stages, losses and gradients, and the tests of those for given backends.
import type { Backend, Tensor } from '@autoassign/tensor';
import { compile, evaluate, read } from '@autoassign/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AutoAssignLoss } from '../../src/assign/loss.ts';
import { batchTensors } from '../../src/batch.ts';
import type { Params } from '../../src/model/network.ts';
import { lossAndGradients } from '../../src/train/step.ts';
import { batchOf, configOf, type FullCase, paramsOf, readFull, stagesOf } from './fullCase.ts';

/** |actual - expected| / |expected| over the samples. */
export const relativeError = (
  actual: ArrayLike<number>,
  expected: readonly number[],
  indices: readonly number[],
): number => {
  let [difference, size] = [0, 0];
  expected.forEach((value, i) => {
    difference += (actual[indices[i]!]! - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(difference / Math.max(size, 1e-300));
};
/** The Euclidean norm. */
export const normOf = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));
/** Expects every stage but those inside the stem; distances, which the reference rounds, within a tolerance of their own. */
export const expectStages = async (
  golden: FullCase,
  stages: Readonly<Record<string, Tensor>>,
  tolerance: number,
  distanceTolerance: number = tolerance,
): Promise<void> => {
  expect(Object.keys(stages)).toHaveLength(24);
  for (const [stage, x] of Object.entries(stages)) {
    const { shape, idx, val } = golden.f64.stages[stage]!;
    expect([stage, x.shape]).toEqual([stage, shape]);
    const error = relativeError(await read(x), val, idx);
    expect(error, stage).toBeLessThan(stage.startsWith('box') ? distanceTolerance : tolerance);
  }
};

type AllTerms = Pick<AutoAssignLoss, 'total' | 'positive' | 'negative' | 'center'>;

/** Expects the loss and its terms. */
export const expectLosses = async (golden: FullCase, losses: AllTerms, tolerance: number): Promise<void> => {
  const [first] = golden.f64.train_const.steps;
  for (const [term, wanted] of [
    [losses.total, first!.total],
    [losses.positive, first!.loss_pos],
    [losses.negative, first!.loss_neg],
    [losses.center, first!.loss_center],
  ] as const)
    expect(Math.abs((await numberOf(term)) / wanted - 1)).toBeLessThan(tolerance);
};

/** The number of a scalar. */
export const numberOf = async (t: Tensor): Promise<number> => (await read(t))[0]!;

/**
 * Expects the losses of the first step and the gradient of every parameter, as single precision has them. Of the millions of ReLUs of a
 * ResNet-50 a few have inputs so near 0 that rounding decides whether their gradient passes; another order of sums can decide one of them
 * otherwise, which moves the gradients below it by up to 1e-3 of their norm.
 */
const expectGradients = async (
  golden: FullCase,
  { losses, gradients }: ReturnType<typeof lossAndGradients>,
): Promise<void> => {
  const { positive, negative, center } = losses.terms;
  const terms = { total: losses.total, positive: positive!, negative: negative!, center: center! };
  await expectLosses(golden, terms, 1e-4);
  expect(new Set(Object.keys(gradients))).toEqual(new Set(Object.keys(golden.f64.grads)));
  for (const [path, { norm, idx, val }] of Object.entries(golden.f64.grads)) {
    const values = await read(gradients[path]!);
    expect(Math.abs(normOf(values) - norm), path).toBeLessThanOrEqual(1e-4 * norm);
    expect(relativeError(values, val, idx), path).toBeLessThan(1e-3);
  }
};

/** Declares the tests of stages, losses and gradients of a golden detector on backends of single precision. */
export const goldenDetectorOn = (
  name: string,
  backends: readonly { readonly name: string; readonly create: () => Promise<Backend> }[],
): void => {
  describe.each(backends)(`golden detector ${name} on $name`, ({ create }) => {
    const golden = readFull(name);
    const config = configOf(golden);
    const params = paramsOf(config);
    const batch = batchTensors(batchOf(golden));
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend.destroy());

    it('has the stages of the case', { timeout: 300_000 }, async () => {
      await expectStages(golden, await evaluate(stagesOf(config, params, batch.images), { backend }), 1e-5);
    });

    it('has the stages of the case in prediction, where only the parameters stay', {
      timeout: 300_000,
    }, async () => {
      const stages = (given: Params, images: Tensor) => stagesOf(config, given, images);
      const predict = compile(stages, { backend, donate: [1] });
      await expectStages(golden, await predict(params, batch.images), 1e-5);
    });

    it('has the losses and gradients of the case', { timeout: 300_000 }, async () => {
      await expectGradients(golden, await evaluate(lossAndGradients({ config }, params, batch), { backend }));
    });
  });
};
