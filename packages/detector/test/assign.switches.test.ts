// The switches of AutoAssign's ablations: each is the full method with one quantity replaced, and nothing else changed.
import { checkGrad, grad } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import { full, ones, sum, zeros } from '@autoassign/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignment } from '../src/assign/assignment.ts';
import type { Predictions, Prior } from '../src/assign/inputs.ts';
import type { AutoAssignOptions } from '../src/assign/loss.ts';
import { autoAssignLoss } from '../src/assign/loss.ts';
import { demoConfig } from '../src/config.ts';
import { isTrained } from '../src/model/network.ts';
import type { Inputs } from './assign.scenes.ts';
import {
  classTotal,
  exactBackend,
  inputsOf,
  largestDifference,
  locationTotal,
  points,
  sceneArbitrary,
  valuesOf,
} from './assign.scenes.ts';

const runs = { numRuns: 2, seed: 11, endOnFailure: true };

const forScenes = (holds: (inputs: Inputs) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(
      sceneArbitrary({ minObjects: 1 }).map((scene) => inputsOf(scene, 1)),
      holds,
    ),
    runs,
  );

const lossOf = (
  { predictions, targets, prior }: Inputs,
  options: AutoAssignOptions = {},
  replaced: { readonly predictions?: Partial<Predictions>; readonly prior?: Prior } = {},
) =>
  autoAssignLoss(
    { ...predictions, ...replaced.predictions },
    targets,
    replaced.prior ?? prior,
    points,
    options,
  );

const standard: Prior = { mean: zeros([classTotal, 2]), sigma: ones([classTotal, 2]) };

describe('switches', () => {
  test('at their defaults change no bit', () =>
    forScenes(async (inputs) => {
      const [plain, spelled] = [
        lossOf(inputs),
        lossOf(inputs, { centerWeighting: 'learned', confidenceWeighting: true, objectness: 'implicit' }),
      ];
      expect(await valuesOf(spelled)).toEqual(await valuesOf(plain));
    }));

  test('a fixed centre prior is one of mean 0 and sigma 1, and takes no gradient', () =>
    forScenes(async (inputs) => {
      const fixed = { centerWeighting: 'fixed' } as const;
      const gradient = grad((prior: Prior) => lossOf(inputs, fixed, { prior }).total)(inputs.prior);
      expect(await valuesOf(lossOf(inputs, fixed))).toEqual(
        await valuesOf(lossOf(inputs, {}, { prior: standard })),
      );
      expect(
        Object.values(await valuesOf(gradient))
          .flat()
          .every((x) => x === 0),
      ).toBe(true);
    }));

  test('without centre weighting every location inside counts 1, without both every one counts the same', () =>
    forScenes(async ({ predictions, targets, prior }) => {
      const off = { centerWeighting: 'off', confidenceWeighting: false } as const;
      const a = await valuesOf({ ...assignment(predictions, targets, prior, points, off) });
      expect(a.prior).toEqual(a.inside);
      const slots = targets.valid.shape[1]!;
      a.positiveWeights!.forEach((weight, at) => {
        const image = Math.floor(at / slots / locationTotal);
        const ofObject = a.inside!.filter(
          (_, i) => i % slots === at % slots && Math.floor(i / slots / locationTotal) === image,
        );
        const count = ofObject.reduce((x, y) => x + y, 0);
        expect(weight).toBeCloseTo(a.inside![at] === 1 ? 1 / count : 0, 12);
      });
    }));

  test('without confidence weighting weights are the prior, whatever the predictions', () =>
    forScenes(async ({ predictions, targets, prior }) => {
      const options = { confidenceWeighting: false };
      const { positiveWeights, prior: cut } = assignment(predictions, targets, prior, points, options);
      const logits = full(predictions.logits.shape, 0.3);
      const other = assignment({ ...predictions, logits }, targets, prior, points, options);
      const values = await valuesOf({ positiveWeights, cut, total: sum(cut, 1, { keepDims: true }) });
      expect((await valuesOf({ x: other.positiveWeights })).x).toEqual(values.positiveWeights);
      const slots = targets.valid.shape[1]!;
      values.positiveWeights!.forEach((weight, at) => {
        const mass = values.total![Math.floor(at / slots / locationTotal) * slots + (at % slots)]!;
        expect(weight).toBeCloseTo(mass === 0 ? 0 : values.cut![at]! / mass, 12);
      });
    }));

  test('without objectness the loss is the one with a certain objectness', () =>
    forScenes(async (inputs) => {
      const certain = full(inputs.predictions.objectness.shape, 1000);
      const [off, sure] = [
        await valuesOf(lossOf(inputs, { objectness: 'off' })),
        await valuesOf(lossOf(inputs, {}, { predictions: { objectness: certain } })),
      ];
      for (const [path, values] of Object.entries(off))
        expect(largestDifference(values, sure[path]!), path).toBeLessThan(1e-14);
    }));

  test('explicit objectness learns whether a location is inside an object, and from nothing else', () =>
    forScenes(async (inputs) => {
      const explicit = { objectness: 'explicit' } as const;
      const { predictions, targets, prior } = inputs;
      const terms = lossOf(inputs, explicit);
      const gradient = grad(
        (objectness: Tensor) => lossOf(inputs, explicit, { predictions: { objectness } }).total,
      )(predictions.objectness);
      const { inside } = assignment(predictions, targets, prior, points);
      const values = await valuesOf({ ...terms, gradient, inside, x: predictions.objectness });
      const implicit = await valuesOf(lossOf(inputs));
      for (const term of ['positive', 'negative', 'center']) expect(values[term]).toEqual(implicit[term]);
      const slots = targets.valid.shape[1]!;
      const isForeground = values.x!.map((_, i) =>
        values.inside!.slice(i * slots, (i + 1) * slots).includes(1),
      );
      const divisor = Math.max(1, isForeground.filter(Boolean).length);
      const probability = values.x!.map((x) => 1 / (1 + Math.exp(-x)));
      const cost = probability.reduce((s, p, i) => s - Math.log(isForeground[i] ? p : 1 - p), 0) / divisor;
      expect(values.objectness![0]).toBeCloseTo(cost, 9);
      const expected = probability.map((p, i) => (p - (isForeground[i] ? 1 : 0)) / divisor);
      expect(largestDifference(values.gradient!, expected)).toBeLessThan(1e-12);
    }));

  test('gradients of every combination agree with difference quotients', () =>
    fc.assert(
      fc.asyncProperty(
        sceneArbitrary({ minObjects: 1 }).map((scene) => inputsOf(scene, 1)),
        fc.record({
          centerWeighting: fc.constantFrom('learned', 'fixed', 'off'),
          confidenceWeighting: fc.boolean(),
          objectness: fc.constantFrom('implicit', 'off'),
        }),
        async ({ predictions, targets, prior }, options) => {
          const fn = (p: Predictions, q: Prior) => {
            const { positive, center } = autoAssignLoss(p, targets, q, points, options);
            return [positive, center];
          };
          await checkGrad(fn, [predictions, prior], { order: 1, backend: exactBackend, directions: 1 });
        },
      ),
      runs,
    ));
});

test('what a loss does not use is not trained', () => {
  const config = demoConfig(['a']);
  const trained = (switches: object) =>
    ['bbox_head.center_prior.mean', 'bbox_head.conv_centerness.bias', 'bbox_head.conv_cls.bias'].map((path) =>
      isTrained({ ...config, loss: { ...config.loss, ...switches } }, path),
    );
  expect(trained({})).toEqual([true, true, true]);
  expect(trained({ centerWeighting: 'fixed' })).toEqual([false, true, true]);
  expect(trained({ centerWeighting: 'off', objectness: 'explicit' })).toEqual([false, true, true]);
  expect(trained({ objectness: 'off' })).toEqual([true, false, true]);
});

test('padded places of a batch without objects cost nothing with any switch', async () => {
  const { predictions, targets, prior } = inputsOf(
    fc.sample(sceneArbitrary({ maxObjects: 0 }), { seed: 5, numRuns: 1 })[0]!,
  );
  for (const options of [
    { centerWeighting: 'off' },
    { confidenceWeighting: false },
    { objectness: 'explicit' },
  ] as const) {
    const values = await valuesOf(autoAssignLoss(predictions, targets, prior, points, options));
    expect([values.positive, values.center]).toEqual([[0], [0]]);
    expect(Number.isFinite(values.total![0])).toBe(true);
  }
});
