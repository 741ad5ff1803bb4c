// Laws of the assignment and its loss: padding, shifts, order, sums of weights, empty images, and the closed form of the gradients.
import { grad, valueAndGrad, vjp } from '@autoassign/autograd';
import type { Tensor, Tree } from '@autoassign/tensor';
import { createBackend, evaluate, mapTree, ShapeError, tensor, zeros } from '@autoassign/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignment } from '../src/assign/assignment.ts';
import type { Predictions, Prior } from '../src/assign/inputs.ts';
import type { AutoAssignOptions } from '../src/assign/loss.ts';
import { autoAssignLoss } from '../src/assign/loss.ts';
import { decodeBoxes } from '../src/geometry/boxes.ts';
import { pairwiseGiou } from '../src/geometry/iou.ts';
import type { Inputs, Scene, SceneImage } from './assign.scenes.ts';
import {
  classTotal,
  imageSide,
  inputsOf,
  largestDifference,
  levels,
  locationTotal,
  objectIn,
  points,
  sceneArbitrary,
  valuesOf,
} from './assign.scenes.ts';

const runs = { numRuns: 8, seed: 31, endOnFailure: true };

const lossGraph = ({ predictions, targets, prior }: Inputs, options: AutoAssignOptions = {}) => {
  const loss = (x: { predictions: Predictions; prior: Prior }) => {
    const terms = autoAssignLoss(x.predictions, targets, x.prior, points, options);
    return { value: terms.total, aux: terms };
  };
  const { aux, grad: gradient } = valueAndGrad(loss, { hasAux: true })({ predictions, prior });
  return { terms: aux, gradient };
};

const assignmentGraph = ({ predictions, targets, prior }: Inputs, options: AutoAssignOptions = {}) =>
  assignment(predictions, targets, prior, points, options);

/** Expects two computed trees to agree path by path. */
const expectSame = (
  a: Readonly<Record<string, readonly number[]>>,
  b: Readonly<Record<string, readonly number[]>>,
): void => {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  for (const [path, values] of Object.entries(a))
    expect(largestDifference(values, b[path]!), path).toBeLessThan(1e-11);
};

const only = (image: SceneImage, scene: Scene): Scene => ({ ...scene, images: [image] });

describe('laws of the loss', () => {
  test('padding objects changes nothing', () =>
    fc.assert(
      fc.asyncProperty(sceneArbitrary(), async (scene) => {
        const [tight, padded] = [inputsOf(scene), inputsOf(scene, 3)];
        expectSame(await valuesOf(lossGraph(tight)), await valuesOf(lossGraph(padded)));
      }),
      runs,
    ));

  test('the order of images changes nothing', () =>
    fc.assert(
      fc.asyncProperty(sceneArbitrary({ images: 3 }), async (scene) => {
        const turned = { ...scene, images: [...scene.images].reverse() };
        const [a, b] = [lossGraph(inputsOf(scene)).terms, lossGraph(inputsOf(turned)).terms];
        expectSame(await valuesOf(a), await valuesOf(b));
      }),
      runs,
    ));

  test('the order of objects changes nothing when no two of a class overlap', () =>
    fc.assert(
      fc.asyncProperty(sceneArbitrary({ minObjects: 3 }), async (scene) => {
        const distinct = (image: SceneImage, turn: boolean): SceneImage => {
          const objects = image.objects.map((object, m) => ({ ...object, label: m }));
          return { ...image, objects: turn ? objects.reverse() : objects };
        };
        const [a, b] = [false, true].map((turn) =>
          lossGraph(inputsOf({ ...scene, images: scene.images.map((image) => distinct(image, turn)) })),
        );
        expectSame(await valuesOf(a!), await valuesOf(b!));
      }),
      runs,
    ));

  test('closed form of all gradients', () =>
    fc.assert(
      fc.asyncProperty(sceneArbitrary({ minObjects: 1 }), async (scene) => {
        const inputs = inputsOf(scene);
        const { gradient } = lossGraph(inputs);
        const expected = await closedForm(scene, inputs);
        const actual = await valuesOf(gradient);
        for (const [path, values] of Object.entries(expected))
          expect(largestDifference(actual[path]!, values), path).toBeLessThan(1e-12);
      }),
      runs,
    ));

  test('nothing computed on the way is infinite or NaN, empty images and padding included', async () => {
    const backend = await createBackend('cpu');
    await fc.assert(
      fc.asyncProperty(sceneArbitrary({ maxObjects: 1 }), async (scene) => {
        const graph = lossGraph(inputsOf(scene, 1));
        await expect(evaluate(graph, { backend, checkFinite: true })).resolves.toBeDefined();
      }),
      { ...runs, numRuns: 3 },
    );
    await backend.destroy();
  });
});

/** The gradients of the loss written out by hand from the assignment's quantities: see the doc comments for the formulas. */
const closedForm = async (scene: Scene, inputs: Inputs): Promise<Record<string, number[]>> => {
  const a = await valuesOf({ ...assignmentGraph(inputs) });
  const [images, objects] = [scene.images.length, inputs.targets.boxes.shape[1]!];
  const objectCount = scene.images.reduce((n, image) => n + image.objects.length, 0);
  const mass = Math.max(
    1,
    a.prior!.reduce((x, y) => x + y, 0),
  );
  const logits = new Array<number>(images * locationTotal * classTotal).fill(0);
  const objectness = new Array<number>(images * locationTotal).fill(0);
  const mean = new Array<number>(classTotal * 2).fill(0);
  const sigma = new Array<number>(classTotal * 2).fill(0);
  const ofGiou = new Array<number>(images * locationTotal * objects).fill(0);
  const ofJoint = new Array<number>(logits.length).fill(0);
  const { locations, strides } = await valuesOf(points);

  // negative: dL/dx = 0.75 / A (-2 x ln(1 - x) + x^2 / (1 - x)), x = J W
  a.joint!.forEach((joint, i) => {
    const weight = a.negativeWeights![i]!;
    const x = joint * weight;
    ofJoint[i] = (0.75 / mass) * (-2 * x * Math.log1p(-x) + x ** 2 / (1 - x)) * weight;
  });
  scene.images.forEach((image, n) => {
    const at = (i: number, m: number): number => (n * locationTotal + i) * objects + m;
    const cells = Array.from({ length: locationTotal }, (_, i) => i);
    const sumOver = (f: (i: number) => number): number => cells.reduce((total, i) => total + f(i), 0);
    const priorSum = image.objects.reduce((total, _, m) => total + sumOver((i) => a.prior![at(i, m)]!), 0);
    image.objects.forEach(({ box, label }, m) => {
      const r = a.objectConfidence![n * objects + m]!;
      const e = (i: number): number => Math.exp(3 * a.confidence![at(i, m)]!);
      const unnormalized = sumOver((i) => e(i) * a.prior![at(i, m)]!);
      const ofR = r === 0 ? 0 : -0.25 / (objectCount * r);
      for (const i of cells) {
        const [p, w] = [a.confidence![at(i, m)]!, a.positiveWeights![at(i, m)]!];
        const ofP = ofR * (w + 3 * w * (p - r));
        ofJoint[(n * locationTotal + i) * classTotal + label]! += ofP * Math.exp(-a.localization![at(i, m)]!);
        ofGiou[at(i, m)] = ofP * -p * -5;
        if (a.inside![at(i, m)] === 0) continue;
        const ofPrior =
          (ofR * (e(i) * (p - r))) / unnormalized - (0.75 * image.objects.length) / (images * priorSum ** 2);
        for (const axis of [0, 1]) {
          const k = 2 * label + axis;
          const center = (box[axis]! + box[axis + 2]!) / 2;
          const z = (locations![2 * i + axis]! - center) / strides![i]! - scene.mean[label]![axis]!;
          const s = scene.sigma[label]![axis]!;
          mean[k]! += (ofPrior * a.prior![at(i, m)]! * z) / s ** 2;
          sigma[k]! += (ofPrior * a.prior![at(i, m)]! * z ** 2) / s ** 3;
        }
      }
    });
    // J = sigma(class) sigma(object)
    for (const i of cells)
      for (let c = 0; c < classTotal; c++) {
        const s = 1 / (1 + Math.exp(-image.logits[i]![c]!));
        const o = 1 / (1 + Math.exp(-image.objectness[i]!));
        const ct = ofJoint[(n * locationTotal + i) * classTotal + c]!;
        logits[(n * locationTotal + i) * classTotal + c] = ct * s * (1 - s) * o;
        objectness[n * locationTotal + i]! += ct * s * o * (1 - o);
      }
  });
  const { pullback } = vjp(
    (d: Tensor) => pairwiseGiou(decodeBoxes(points.locations, d), inputs.targets.boxes),
    inputs.predictions.distances,
  );
  const [ofDistances] = pullback(tensor(ofGiou, { shape: [images, locationTotal, objects] }));
  return {
    'predictions.logits': logits,
    'predictions.objectness': objectness,
    'predictions.distances': [...(await valuesOf({ ofDistances })).ofDistances!],
    'prior.mean': mean,
    'prior.sigma': sigma,
  };
};

describe('laws of the weights', () => {
  test('positive weights of an object with locations sum to 1, of others and of padding to 0', () =>
    fc.assert(
      fc.asyncProperty(sceneArbitrary(), async (scene) => {
        const inputs = inputsOf(scene, 1);
        const slots = inputs.targets.boxes.shape[1]!;
        const { inside, positiveWeights } = await valuesOf({ ...assignmentGraph(inputs) });
        scene.images.forEach((_, n) => {
          for (let m = 0; m < slots; m++) {
            const of = (x: readonly number[]): number =>
              Array.from(
                { length: locationTotal },
                (__, i) => x[(n * locationTotal + i) * slots + m]!,
              ).reduce((a, b) => a + b);
            expect(of(positiveWeights!)).toBeCloseTo(of(inside!) > 0 ? 1 : 0, 12);
          }
        });
      }),
      runs,
    ));

  test('moving an image and its objects by whole strides moves the weights', () =>
    fc.assert(
      fc.asyncProperty(
        sceneArbitrary({ images: 1, reach: imageSide - 16 }),
        fc.record({ x: fc.constantFrom(0, 16), y: fc.constantFrom(0, 16) }),
        fc.array(objectIn(imageSide - 16), { minLength: 1, maxLength: 3 }),
        async (scene, by, objects) => {
          const image = { ...scene.images[0]!, objects };
          const before = await valuesOf({ ...assignmentGraph(inputsOf(only(image, scene))) });
          const after = await valuesOf({ ...assignmentGraph(inputsOf(only(moved(image, by), scene))) });
          for (const [path, size] of [
            ['inside', objects.length],
            ['prior', objects.length],
            ['positiveWeights', objects.length],
            ['foregroundness', objects.length],
            ['negativeWeights', classTotal],
          ] as const)
            forMovedLocations(by, (from, to) => {
              for (let j = 0; j < size; j++)
                expect(after[path]![to * size + j]).toBeCloseTo(before[path]![from * size + j]!, 9);
            });
        },
      ),
      runs,
    ));

  test('of objects of one class at a location the last decides on its negative weight', async () => {
    const scene = fc.sample(sceneArbitrary({ images: 1 }), { seed: 7, numRuns: 1 })[0]!;
    const box = (left: number, right: number) => [left, 1, right, 49] as const;
    const [small, large] = [
      { box: box(1, 33), label: 1 },
      { box: box(1, 57), label: 1 },
    ];
    for (const objects of [
      [small, large],
      [large, small],
    ]) {
      const image = { ...scene.images[0]!, objects };
      const a = await valuesOf({ ...assignmentGraph(inputsOf(only(image, scene), 1)) });
      for (let i = 0; i < locationTotal; i++) {
        const last = [1, 0].find((m) => a.inside![3 * i + m] === 1);
        const expected = last === undefined ? 1 : 1 - a.foregroundness![3 * i + last]!;
        expect(a.negativeWeights![classTotal * i + 1]).toBe(expected);
        expect(a.negativeWeights![classTotal * i]).toBe(1);
      }
    }
  });
});

/** The image with everything `by` pixels further; what comes in from outside repeats the first cells. */
const moved = (image: SceneImage, by: { x: number; y: number }): SceneImage => {
  const source = Array.from({ length: locationTotal }, (_, i) => i);
  forMovedLocations(by, (from, to) => {
    source[to] = from;
  });
  return {
    logits: source.map((i) => image.logits[i]!),
    objectness: source.map((i) => image.objectness[i]!),
    distances: source.map((i) => image.distances[i]!),
    objects: image.objects.map(({ box: [left, top, right, bottom], label }) => ({
      box: [left + by.x, top + by.y, right + by.x, bottom + by.y],
      label,
    })),
  };
};

/** Calls with every location whose moved place is still on the grid, and that place. */
const forMovedLocations = (by: { x: number; y: number }, visit: (from: number, to: number) => void): void => {
  let start = 0;
  for (const { height, width, stride } of levels) {
    const [columns, rows] = [by.x / stride, by.y / stride];
    for (let row = 0; row + rows < height; row++)
      for (let column = 0; column + columns < width; column++)
        visit(start + row * width + column, start + (row + rows) * width + column + columns);
    start += height * width;
  }
};

describe('images and objects without locations', () => {
  const scene = fc.sample(sceneArbitrary({ minObjects: 1 }), { seed: 3, numRuns: 1 })[0]!;
  const tiny = { box: [9.1, 9.1, 9.4, 9.4], label: 1 } as const;
  const withObjects = (...objects: readonly (readonly (typeof tiny)[])[]): Scene => ({
    ...scene,
    images: scene.images.map((image, n) => ({ ...image, objects: objects[n]! })),
  });

  test('a batch without objects has the negative term alone, with all weights 1', async () => {
    const inputs = inputsOf(withObjects([], []));
    const values = await valuesOf({ ...lossGraph(inputs), assigned: assignmentGraph(inputs) });
    expect([values['terms.positive'], values['terms.center']]).toEqual([[0], [0]]);
    expect(values['assigned.negativeWeights']!.every((x) => x === 1)).toBe(true);
    expect(values['gradient.predictions.distances']!.every((x) => x === 0)).toBe(true);
    const terms = values['assigned.joint']!.map((x) => -0.75 * x * x * Math.log1p(-x));
    expect(values['terms.total']![0]).toBeCloseTo(
      terms.reduce((a, b) => a + b),
      9,
    );
  });

  test('an object without locations costs a constant: 25 shared by the objects of the batch', async () => {
    const values = await valuesOf({ ...lossGraph(inputsOf(withObjects([tiny], []))) });
    expect([values['terms.positive'], values['terms.center']]).toEqual([[25], [0]]);
    const still = ['predictions.distances', 'prior.mean', 'prior.sigma'];
    for (const path of still)
      expect(
        values[`gradient.${path}`]!.every((x) => x === 0),
        path,
      ).toBe(true);
  });

  test('forced candidates are the locations of largest prior, as many as asked for, padding excluded', async () => {
    const inputs = inputsOf(withObjects([tiny], [tiny, tiny]));
    const values = await valuesOf({
      ...assignmentGraph(inputs, { forceTopK: 4 }),
      gradient: grad(
        (p: Prior) => autoAssignLoss(inputs.predictions, inputs.targets, p, points, { forceTopK: 4 }).total,
      )(inputs.prior),
    });
    expect(values.inside!.reduce((a, b) => a + b)).toBe(12);
    const smallestChosen = Math.min(...values.prior!.filter((x) => x > 0));
    expect(values.prior!.filter((x) => x >= smallestChosen).length).toBe(12);
    expect(values['gradient.mean']!.some((x) => x !== 0)).toBe(true);
  });

  test('inputs that do not fit are refused with all of them shown', () => {
    const { predictions, targets, prior } = inputsOf(scene);
    const short = { ...predictions, objectness: tensor([[1, 2]]) };
    expect(() => autoAssignLoss(short, targets, prior, points)).toThrow(ShapeError);
    expect(() => autoAssignLoss(short, targets, prior, points)).toThrow(
      /^autoAssignLoss: .*objectness f32\[1,2\]/,
    );
    expect(() => assignment(short, targets, prior, points)).toThrow(/^assignment: .*objectness f32\[1,2\]/);
  });

  test('a batch without images is refused: its mean would be no number', () => {
    const { predictions, targets, prior } = inputsOf(scene);
    const none = <T extends Tree>(tree: T): T =>
      mapTree(({ shape, dtype }) => zeros([0, ...shape.slice(1)], dtype), tree);
    expect(() => autoAssignLoss(none(predictions), none(targets), prior, points)).toThrow(
      /^autoAssignLoss: needs .* N and M at least 1, got logits f32\[0,/,
    );
  });
});
