// FCOS, ATSS, RetinaNet and FreeAnchor: against plain references, and the laws that every assignment keeps.
import { checkGrad, grad, valueAndGrad } from '@autoassign/autograd';
import type { Tensor, Tree } from '@autoassign/tensor';
import { createBackend, evaluate, ShapeError, tensor } from '@autoassign/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atssLoss, atssMatches } from '../src/assign/atss.ts';
import { fcosLoss, fcosMatches } from '../src/assign/fcos.ts';
import { focalCosts } from '../src/assign/focal.ts';
import { freeAnchorLoss } from '../src/assign/freeAnchor.ts';
import type { Predictions, Targets } from '../src/assign/inputs.ts';
import type { Losses } from '../src/assign/losses.ts';
import { retinaNetLoss, retinaNetMatches } from '../src/assign/retinaNet.ts';
import type { PyramidPoints } from '../src/geometry/points.ts';
import type { Inputs, Scene, SceneImage } from './assign.scenes.ts';
import {
  exactBackend,
  inputsOf,
  largestDifference,
  levels,
  locationTotal,
  points,
  sceneArbitrary,
  tensorIn,
  valuesOf,
} from './assign.scenes.ts';
import type { Box, PlainMatches } from './plainAssignments.ts';
import {
  plainAtss,
  plainFcos,
  plainFreeAnchor,
  plainMatchedTerms,
  plainRetinaNet,
} from './plainAssignments.ts';

const runs = { numRuns: 2, seed: 41, endOnFailure: true };
const pyramid: PyramidPoints = { ...points, levels };

/** Options that make both levels of the scenes matter, and the IoU thresholds and the bags bite. */
const options = {
  fcos: { centerRadius: 1.4, rangeFactor: 2.5, focalAlpha: 0.3, focalGamma: 1.5, boxWeight: 2 },
  atss: { candidatesPerLevel: 5, anchorScale: 3, focalGamma: 2.5 },
  retinanet: { positiveIou: 0.55, negativeIou: 0.3, anchorScales: [2, 3] },
  freeanchor: { bagSize: 6, anchorScales: [2, 3], localizationWeight: 3, boxThreshold: 0.2 },
} as const;

/** The loss of a comparator in tensors and in plain numbers. */
interface Comparator {
  readonly loss: (predictions: Predictions, targets: Targets) => Losses;
  readonly plainTerms: (images: readonly SceneImage[]) => Readonly<Record<string, number>>;
}

const matched = (
  images: readonly SceneImage[],
  matches: (boxes: readonly Box[]) => PlainMatches,
  focal: { readonly alpha?: number; readonly gamma?: number; readonly weighted?: boolean },
) =>
  plainMatchedTerms(
    levels,
    images,
    images.map(({ objects }) => matches(objects.map(({ box }) => box))),
    { alpha: 0.25, gamma: 2, weighted: true, ...focal },
  );

const byFcos = (boxes: readonly Box[]) => plainFcos(levels, boxes, { radius: 1.4, factor: 2.5 });
const byAtss = (boxes: readonly Box[]) => plainAtss(levels, boxes, { count: 5, scale: 3 });
const byRetinaNet = (boxes: readonly Box[]) =>
  plainRetinaNet(levels, boxes, { positive: 0.55, negative: 0.3, scales: [2, 3], forceBest: true });

/** The assignments that give whole locations to objects, in tensors and in plain numbers. */
const assignments = {
  fcos: [(targets: Targets) => fcosMatches(pyramid, targets, options.fcos), byFcos],
  atss: [(targets: Targets) => atssMatches(pyramid, targets, options.atss), byAtss],
  retinanet: [(targets: Targets) => retinaNetMatches(points, targets, options.retinanet), byRetinaNet],
} as const;

const comparators: Readonly<Record<string, Comparator>> = {
  fcos: {
    loss: (predictions, targets) => fcosLoss(predictions, targets, pyramid, options.fcos),
    plainTerms: (images) => {
      const terms = matched(images, byFcos, { alpha: 0.3, gamma: 1.5 });
      return { ...terms, box: 2 * terms.box };
    },
  },
  atss: {
    loss: (predictions, targets) => atssLoss(predictions, targets, pyramid, options.atss),
    plainTerms: (images) => {
      const terms = matched(images, byAtss, { gamma: 2.5 });
      return { ...terms, box: 2 * terms.box };
    },
  },
  retinanet: {
    loss: (predictions, targets) => retinaNetLoss(predictions, targets, points, options.retinanet),
    plainTerms: (images) => {
      const { classification, box } = matched(images, byRetinaNet, { weighted: false });
      return { classification, box };
    },
  },
  freeanchor: {
    loss: (predictions, targets) => freeAnchorLoss(predictions, targets, points, options.freeanchor),
    plainTerms: (images) =>
      plainFreeAnchor(levels, images, { size: 6, scales: [2, 3], beta: 3, threshold: 0.2 }),
  },
};
const names = Object.keys(comparators);

const lossAndGradient = ({ loss }: Comparator, { predictions, targets }: Inputs): Tree => {
  const fn = (p: Predictions) => {
    const losses = loss(p, targets);
    return { value: losses.total, aux: losses };
  };
  return valueAndGrad(fn, { hasAux: true })(predictions);
};

/** Expects two computed trees to agree path by path. */
const expectSame = async (a: Tree, b: Tree): Promise<void> => {
  const [left, right] = [await valuesOf(a), await valuesOf(b)];
  expect(Object.keys(left)).toEqual(Object.keys(right));
  for (const [path, values] of Object.entries(left))
    expect(largestDifference(values, right[path]!), path).toBeLessThan(1e-11);
};

/** No two objects of an image have the same area, so that no two are equally good for a location. */
const isClear = ({ images }: Scene): boolean =>
  images.every(({ objects }) => {
    const areas = objects.map(({ box: [left, top, right, bottom] }) => (right - left) * (bottom - top));
    return new Set(areas).size === areas.length;
  });

const forScenes = (
  arbitrary: fc.Arbitrary<Scene>,
  holds: (scene: Scene) => Promise<void>,
  numRuns = runs.numRuns,
): Promise<void> => fc.assert(fc.asyncProperty(arbitrary.filter(isClear), holds), { ...runs, numRuns });

describe.each(names)('%s', (name) => {
  const comparator = comparators[name]!;
  const { loss, plainTerms } = comparator;

  test('has the terms of the plain reference, and their sum', () =>
    forScenes(sceneArbitrary(), async (scene) => {
      const { predictions, targets } = inputsOf(scene, 1);
      const values = await valuesOf(loss(predictions, targets));
      const expected = plainTerms(scene.images);
      const names = Object.keys(expected).map((term) => `terms.${term}`);
      expect(new Set(Object.keys(values))).toEqual(new Set(['total', ...names]));
      for (const [term, value] of Object.entries(expected))
        expect(largestDifference(values[`terms.${term}`]!, [value]), term).toBeLessThan(1e-10);
      const total = Object.values(expected).reduce((a, b) => a + b, 0);
      expect(largestDifference(values.total!, [total])).toBeLessThan(1e-10);
    }));

  test('padding objects and the order of objects change nothing', () =>
    forScenes(sceneArbitrary({ minObjects: 2 }), async (scene) => {
      const turned = {
        ...scene,
        images: scene.images.map((image) => ({ ...image, objects: [...image.objects].reverse() })),
      };
      const graph = lossAndGradient(comparator, inputsOf(scene));
      await expectSame(graph, lossAndGradient(comparator, inputsOf(scene, 3)));
      await expectSame(graph, lossAndGradient(comparator, inputsOf(turned)));
    }));

  test('the order of images changes nothing', () =>
    forScenes(sceneArbitrary({ images: 3 }), async (scene) => {
      const turned = { ...scene, images: [...scene.images].reverse() };
      const [a, b] = [inputsOf(scene), inputsOf(turned)];
      await expectSame(loss(a.predictions, a.targets), loss(b.predictions, b.targets));
    }));

  test('gradients agree with difference quotients, to second order', () =>
    forScenes(
      sceneArbitrary({ minObjects: 1 }),
      async (scene) => {
        const { predictions, targets } = inputsOf(scene, 1);
        const check = { order: 2, backend: exactBackend, directions: 1 } as const;
        // Whether a predicted box is that of an object is a label of the negative term: it has no gradient.
        const { distances, ...said } = predictions;
        const smooth = (p: Predictions): Tensor[] => {
          const { negative, ...others } = loss(p, targets).terms;
          return Object.values(others);
        };
        await checkGrad(smooth, [predictions], check);
        const all = (p: Omit<Predictions, 'distances'>): Tensor => loss({ ...p, distances }, targets).total;
        await checkGrad(all, [said], check);
      },
      1,
    ));

  test('a batch without objects has negatives alone, and no gradient to boxes', async () => {
    const scene = fc.sample(sceneArbitrary({ maxObjects: 0 }), { seed: 9, numRuns: 1 })[0]!;
    const { predictions, targets } = inputsOf(scene);
    const { total, terms } = loss(predictions, targets);
    const gradient = grad((distances: Tensor) => loss({ ...predictions, distances }, targets).total)(
      predictions.distances,
    );
    const values = await valuesOf({ total, terms, gradient });
    const [costly, ...free] = name === 'freeanchor' ? ['negative', 'positive'] : ['classification', 'box'];
    expect(values[`terms.${costly}`]).toEqual(values.total);
    expect(values.total![0]).toBeGreaterThan(0);
    for (const term of free) expect(values[`terms.${term}`]).toEqual([0]);
    expect(values.gradient!.every((x) => x === 0)).toBe(true);
  });

  test('no box, however degenerate, makes anything infinite or NaN', async () => {
    const backend = await createBackend('cpu');
    const scene = fc.sample(sceneArbitrary({ images: 1 }), { seed: 13, numRuns: 1 })[0]!;
    const boxes: readonly Box[] = [
      [9, 9, 9, 9],
      [16, 0, 16, 64],
      [40, 20, 60, 20],
      [-500, -500, -400, -300],
      [-9000, -9000, 9000, 9000],
      [8.2, 8.2, 8.4, 8.4],
    ];
    const objects = boxes.map((box, m) => ({ box, label: m % 3 }));
    const extreme = scene.images.map((image) => ({
      ...image,
      objects,
      logits: image.logits.map((row, i) => row.map((x) => (i % 5 === 0 ? 60 * x : x))),
      distances: image.distances.map((row, i) => (i % 3 === 0 ? [0, 0, 0, 0] : row)),
    }));
    const graph = lossAndGradient(comparator, inputsOf({ ...scene, images: extreme }, 1));
    await expect(evaluate(graph, { backend, checkFinite: true })).resolves.toBeDefined();
    await backend.destroy();
  });

  test('inputs that do not fit are refused with all of them shown', () => {
    const { predictions, targets } = inputsOf(
      fc.sample(sceneArbitrary({ minObjects: 1 }), { seed: 3, numRuns: 1 })[0]!,
    );
    const short = { ...predictions, objectness: tensor([[1, 2]]) };
    expect(() => loss(short, targets)).toThrow(ShapeError);
    expect(() => loss(short, targets)).toThrow(/Loss: needs .*, got .*objectness f32\[1,2\]/);
  });
});

test.each(Object.entries(assignments))(
  '%s gives locations to the objects of the plain reference',
  (_, [matches, plain]) =>
    forScenes(
      sceneArbitrary({ minObjects: 1, maxObjects: 6 }),
      async (scene) => {
        const { object, isPositive, isIgnored } = await valuesOf({ ...matches(inputsOf(scene, 2).targets) });
        scene.images.forEach(({ objects }, n) => {
          const expected = plain(objects.map(({ box }) => box));
          const found = expected.map((__, i) => {
            const at = n * locationTotal + i;
            return isPositive![at] === 1 ? object![at] : isIgnored![at] === 1 ? -2 : -1;
          });
          expect(found).toEqual(expected);
        });
      },
      12,
    ),
);

test('without forced matches RetinaNet leaves objects below the threshold without locations', () =>
  forScenes(
    sceneArbitrary({ images: 1, minObjects: 1, maxObjects: 4 }),
    async (scene) => {
      const { targets } = inputsOf(scene);
      const few = { ...options.retinanet, forceBest: false };
      const { object, isPositive } = await valuesOf({ ...retinaNetMatches(points, targets, few) });
      const expected = plainRetinaNet(
        levels,
        scene.images[0]!.objects.map(({ box }) => box),
        { positive: 0.55, negative: 0.3, scales: [2, 3], forceBest: false },
      );
      expect(isPositive).toEqual(expected.map((m) => (m >= 0 ? 1 : 0)));
      expected.forEach((m, i) => {
        if (m >= 0) expect(object![i]).toBe(m);
      });
    },
    8,
  ));

test('the focal loss without focus is half the cross entropy, and finite where probabilities are not', () =>
  fc.assert(
    fc.asyncProperty(tensorIn([6], -4, 4), async (logits) => {
      const isPositive = tensor([true, false, true, false, true, false]);
      const plain = focalCosts(logits, isPositive, { focalAlpha: 0.5, focalGamma: 0 });
      const far = focalCosts(tensor([800, 800, -800, -800]), tensor([true, false, true, false]));
      const values = await valuesOf({ logits, plain, far });
      const expected = values.logits!.map((x, i) => 0.5 * Math.log1p(Math.exp(i % 2 === 0 ? -x : x)));
      expect(largestDifference(values.plain!, expected)).toBeLessThan(1e-14);
      expect(largestDifference(values.far!, [0, 600, 200, 0])).toBeLessThan(1e-12);
    }),
    runs,
  ));
