// Every weight and loss function of the assignment against difference quotients, to second order, in double precision.
import { checkGrad, grad } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import { scalar, select, sum, tensor } from '@autoassign/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jointConfidence, localizationLoss, objectConfidence } from '../src/assign/confidence.ts';
import { crossEntropyToOne, crossEntropyToZero } from '../src/assign/crossEntropy.ts';
import type { Predictions, Prior } from '../src/assign/inputs.ts';
import { tidyTargets } from '../src/assign/inputs.ts';
import type { AutoAssignLoss } from '../src/assign/loss.ts';
import { autoAssignLoss } from '../src/assign/loss.ts';
import { centerPrior, insideObjects } from '../src/assign/prior.ts';
import { bestOverlap, foregroundness, negativeWeights, positiveWeights } from '../src/assign/weights.ts';
import { decodeBoxes } from '../src/geometry/boxes.ts';
import type { Inputs } from './assign.scenes.ts';
import { exactBackend, inputsOf, points, sceneArbitrary, tensorIn, valuesOf } from './assign.scenes.ts';

const runs = { numRuns: 3, seed: 20, endOnFailure: true };
const check = { order: 2, backend: exactBackend, directions: 1 } as const;

/** A property of random scenes in the form the loss takes. */
const forScenes = (holds: (inputs: Inputs) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(
      sceneArbitrary({ minObjects: 1 }).map((scene) => inputsOf(scene, 1)),
      holds,
    ),
    runs,
  );

describe('gradients of the parts', () => {
  test('centre prior, by mean and sigma', () =>
    forScenes(async ({ targets, prior }) => {
      const objects = tidyTargets(targets);
      await checkGrad((p: Prior) => centerPrior(points, objects, p), [prior], check);
    }));

  test('joint confidence and confidence of objects', () =>
    forScenes(async ({ predictions: { logits, objectness }, targets }) => {
      const { labels } = tidyTargets(targets);
      const [images, locations] = objectness.shape as [number, number];
      const localization = tensor(
        Float64Array.from({ length: images * locations * labels.shape[1]! }, (_, i) => (i % 7) / 3),
        { shape: [images, locations, labels.shape[1]!] },
      );
      await checkGrad(
        (a: Tensor, b: Tensor, c: Tensor) => objectConfidence(jointConfidence(a, b), labels, c),
        [logits, objectness, localization],
        check,
      );
    }));

  test('localisation loss, by distances', () =>
    forScenes(async ({ predictions: { distances }, targets }) => {
      const { boxes } = tidyTargets(targets);
      const loss = (d: Tensor) => localizationLoss(decodeBoxes(points.locations, d), boxes, 5);
      await checkGrad(loss, [distances], check);
    }));

  test('positive weights, by confidence and prior', () =>
    fc.assert(
      fc.asyncProperty(
        tensorIn([2, 12, 3], 0, 1),
        tensorIn([2, 12, 3], 0.01, 1),
        async (confidence, prior) => {
          await checkGrad(positiveWeights, [confidence, prior], check);
        },
      ),
      runs,
    ));

  test('best overlap, by IoU', () =>
    fc.assert(
      fc.asyncProperty(tensorIn([1, 6, 3], 0, 1), async (iou) => {
        await checkGrad((x: Tensor) => bestOverlap(x, tensor([[true, true, false]])), [iou], check);
      }),
      runs,
    ));

  test('none flows through foregroundness or the negative weights', async () => {
    const inside = tensor([[[true], [true], [false]]]);
    const through = (best: Tensor) => foregroundness(best, inside);
    const weights = (f: Tensor) =>
      negativeWeights(f, inside, tensor(new Int32Array(1), { shape: [1, 1] }), 2);
    const values = await valuesOf([
      grad((best: Tensor) => sum(through(best)))(tensor([[0.5, 0.2, 0.9]])),
      grad((f: Tensor) => sum(weights(f)))(through(tensor([[0.5, 0.2, 0.9]]))),
      weights(through(tensor([[0.5, 0.2, 0.9]]))),
    ]);
    expect(Object.values(values).map((x) => x.map((y) => Number(y.toFixed(6))))).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 1, 1, 1, 1, 1],
    ]);
  });

  test('cross entropies', () =>
    fc.assert(
      fc.asyncProperty(tensorIn([8], 0.02, 0.98), async (p) => {
        await checkGrad((x: Tensor) => [crossEntropyToOne(x), crossEntropyToZero(x)], [p], check);
      }),
      runs,
    ));
});

describe('gradients of the loss', () => {
  const termsOf =
    ({ targets }: Inputs, forceTopK = 0) =>
    (predictions: Predictions, prior: Prior): AutoAssignLoss =>
      autoAssignLoss(predictions, targets, prior, points, { forceTopK });

  test('positive and center, by all predictions and the prior', () =>
    forScenes(async (inputs) => {
      const terms = termsOf(inputs);
      const fn = (p: Predictions, prior: Prior) => {
        const { positive, center } = terms(p, prior);
        return [positive, center];
      };
      await checkGrad(fn, [inputs.predictions, inputs.prior], check);
    }));

  test('positive and center with forced candidates, of objects that contain no location', () =>
    forScenes(async (inputs) => {
      const tiny = { ...inputs, targets: { ...inputs.targets, boxes: shrunk(inputs.targets.boxes) } };
      const terms = termsOf(tiny, 4);
      const fn = (p: Predictions, prior: Prior) => {
        const { positive, center } = terms(p, prior);
        return [positive, center];
      };
      await checkGrad(fn, [tiny.predictions, tiny.prior], check);
    }));

  test('negative, by logits and objectness', () =>
    forScenes(async (inputs) => {
      const { distances, ...said } = inputs.predictions;
      const terms = termsOf(inputs);
      const fn = (p: Omit<Predictions, 'distances'>) => terms({ ...p, distances }, inputs.prior).negative;
      await checkGrad(fn, [said], check);
    }));

  test('none flows from the negative term into distances or the prior', () =>
    forScenes(async (inputs) => {
      const terms = termsOf(inputs);
      const given = { predictions: inputs.predictions, prior: inputs.prior };
      const gradient = grad((x: typeof given) => terms(x.predictions, x.prior).negative)(given);
      const values = await valuesOf({
        constant: [gradient.predictions.distances, gradient.prior.mean, gradient.prior.sigma],
        logits: gradient.predictions.logits,
      });
      for (const path of ['constant.0', 'constant.1', 'constant.2'])
        expect(values[path]!.every((x) => x === 0)).toBe(true);
      expect(values.logits!.some((x) => x !== 0)).toBe(true);
    }));
});

/** Boxes of a third of a pixel near the left upper corner of the given ones, which lies between locations. */
const shrunk = (boxes: Tensor): Tensor => {
  const given = boxes.source.kind === 'constant' ? boxes.source.data : [];
  const corners = Float64Array.from(given, (_, i) => {
    const axis = i % 2;
    return given[4 * Math.floor(i / 4) + axis]! + (i % 4 < 2 ? 0.1 : 0.4);
  });
  return tensor(corners, { shape: boxes.shape });
};

describe('cross entropies at their limits', () => {
  const gradientOf = (fn: (p: Tensor) => Tensor) => grad((p: Tensor) => sum(fn(p)));

  test('values are cut at 100, derivatives are those of the clamped denominator', async () => {
    const p = tensor([0, 1e-50, 1e-13, 0.5, 1]);
    const clamp = Math.fround(1e-12);
    const values = await valuesOf({
      one: crossEntropyToOne(p),
      zero: crossEntropyToZero(p),
      oneGradient: gradientOf(crossEntropyToOne)(p),
      zeroGradient: gradientOf(crossEntropyToZero)(p),
    });
    expect(values.one).toEqual([100, 100, -Math.log(1e-13), Math.LN2, -0]);
    expect(values.zero![4]).toBe(100);
    expect(values.oneGradient).toEqual([-1 / clamp, -1 / clamp, (1e-13 - 1) / clamp, -2, 0]);
    expect(values.zeroGradient).toEqual([0, 1e-50 / clamp, 1e-13 / clamp, 2, 1 / clamp]);
  });

  test('second derivatives are finite there', async () => {
    const p = tensor([0, 1e-13, 1]);
    const second = (fn: (p: Tensor) => Tensor) => grad((x: Tensor) => sum(gradientOf(fn)(x)))(p);
    const values = await valuesOf([second(crossEntropyToOne), second(crossEntropyToZero)]);
    expect(Object.values(values).flat().every(Number.isFinite)).toBe(true);
  });
});

test('objects contain no location on or beyond their sides', async () => {
  const inside = insideObjects(points, {
    boxes: tensor([[[8, 8, 24, 17]]]),
    labels: tensor(new Int32Array(1), { shape: [1, 1] }),
    valid: tensor([[true]]),
  });
  const values = await valuesOf({ inside, total: sum(select(inside, 1, scalar(0))) });
  const [fine, coarse] = [2 * 8 + 2, 64 + 1 * 4 + 1];
  expect(values.total).toEqual([2]);
  expect([values.inside![fine], values.inside![coarse]]).toEqual([1, 1]);
});
