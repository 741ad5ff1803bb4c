// Small random scenes for the assignment's laws: two levels, a few padded objects, predictions away from every kink.
import type { Tensor, Tree } from '@autoassign/tensor';
import { createBackend, evaluate, leavesWithPaths, read, release, tensor } from '@autoassign/tensor';
import fc from 'fast-check';
import type { Predictions, Prior, Targets } from '../src/assign/inputs.ts';
import type { FeatureLevel, Points } from '../src/geometry/points.ts';
import { locationCount, locations } from '../src/geometry/points.ts';

export const imageSide = 64;
export const levels: readonly FeatureLevel[] = [
  { height: 8, width: 8, stride: 8 },
  { height: 4, width: 4, stride: 16 },
];
export const points: Points = locations(levels);
export const locationTotal: number = locationCount(levels);
export const classTotal = 3;

/** One object: a box in pixels and a class. */
export interface SceneObject {
  readonly box: readonly [number, number, number, number];
  readonly label: number;
}

/** What the head says of one image, as plain rows per location. */
interface ScenePredictions {
  readonly logits: readonly (readonly number[])[];
  readonly objectness: readonly number[];
  readonly distances: readonly (readonly number[])[];
}

/** One image. */
export interface SceneImage extends ScenePredictions {
  readonly objects: readonly SceneObject[];
}

/** A batch and the prior's parameters. */
export interface Scene {
  readonly images: readonly SceneImage[];
  readonly mean: readonly (readonly number[])[];
  readonly sigma: readonly (readonly number[])[];
}

/** Numbers spread evenly over a range: without fast-check's fondness for ends and repetitions, which are ties and kinks here. */
const number = (min: number, max: number): fc.Arbitrary<number> =>
  fc.noBias(fc.integer({ min: 0, max: 1e9 })).map((part) => min + (part / 1e9) * (max - min));
const rows = <T>(count: number, row: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(row, { minLength: count, maxLength: count });

/** Distances at a quarter or three quarters of a pixel: no predicted side meets an object's, which lie on whole pixels. */
const distance: fc.Arbitrary<number> = fc
  .tuple(fc.integer({ min: 0, max: 35 }), fc.constantFrom(0.25, 0.75))
  .map(([whole, part]) => whole + part);

/** Boxes on odd pixels, so that no location lies on a side; at least `smallest` wide and high. */
export const objectIn = (reach: number, smallest = 10): fc.Arbitrary<SceneObject> => {
  const furthest = Math.floor((reach - smallest) / 2) - 1;
  const side = fc
    .tuple(fc.integer({ min: 0, max: furthest }), fc.integer({ min: 0, max: 15 }))
    .map(([from, more]): readonly [number, number] => {
      const start = 2 * from + 1;
      return [start, Math.min(start + smallest + 2 * more, reach - 1)];
    });
  return fc
    .record({ x: side, y: side, label: fc.integer({ min: 0, max: classTotal - 1 }) })
    .map(({ x, y, label }) => ({ box: [x[0], y[0], x[1], y[1]], label }));
};

const predictionsArbitrary: fc.Arbitrary<ScenePredictions> = fc.record({
  logits: rows(locationTotal, rows(classTotal, number(-3, 3))),
  objectness: rows(locationTotal, number(-3, 3)),
  distances: rows(locationTotal, rows(4, distance)),
});

export interface SceneBounds {
  readonly images?: number;
  readonly minObjects?: number;
  readonly maxObjects?: number;
  /** Objects lie within [0, reach). */
  readonly reach?: number;
}

export const sceneArbitrary = (bounds: SceneBounds = {}): fc.Arbitrary<Scene> => {
  const { images = 2, minObjects = 0, maxObjects = 3, reach = imageSide } = bounds;
  const objects = fc.array(objectIn(reach), { minLength: minObjects, maxLength: maxObjects });
  const image = fc.tuple(predictionsArbitrary, objects).map(([said, seen]) => ({ ...said, objects: seen }));
  return fc.record({
    images: rows(images, image),
    mean: rows(classTotal, rows(2, number(-0.5, 0.5))),
    sigma: rows(classTotal, rows(2, number(0.7, 2))),
  });
};

/** A scene as the loss takes it; every image has `slots` object slots, the unused ones filled with nonsense. */
export interface Inputs {
  readonly predictions: Predictions;
  readonly targets: Targets;
  readonly prior: Prior;
}

const nonsense: SceneObject = { box: [3e4, -2e4, 1e4, 7], label: -5 };

export const inputsOf = ({ images, mean, sigma }: Scene, extraSlots = 0): Inputs => {
  const slots = Math.max(1, ...images.map(({ objects }) => objects.length)) + extraSlots;
  const padded = images.map(({ objects }) => Array.from({ length: slots }, (_, m) => objects[m] ?? nonsense));
  const shape = [images.length, slots];
  const real = images.flatMap(({ objects }) => Array.from({ length: slots }, (_, m) => m < objects.length));
  return {
    predictions: {
      logits: tensor(images.map(({ logits }) => logits)),
      objectness: tensor(images.map(({ objectness }) => objectness)),
      distances: tensor(images.map(({ distances }) => distances)),
    },
    targets: {
      boxes: tensor(padded.map((objects) => objects.map(({ box }) => box))),
      labels: tensor(Int32Array.from(padded.flatMap((objects) => objects.map(({ label }) => label))), {
        shape,
      }),
      valid: tensor(Uint8Array.from(real, Number), { shape }),
    },
    prior: { mean: tensor(mean), sigma: tensor(sigma) },
  };
};

/** The reference backend in double precision, shared by the tests of a file. */
export const exactBackend = await createBackend('cpu', { precision: 'f64' });

/** The values of a tree of tensors by path, computed in double precision. */
export const valuesOf = async (tree: Tree): Promise<Readonly<Record<string, readonly number[]>>> => {
  const evaluated = await evaluate(tree, { backend: exactBackend });
  const values: Record<string, readonly number[]> = {};
  for (const [path, leaf] of leavesWithPaths(evaluated)) values[path] = Array.from(await read(leaf));
  release(evaluated);
  return values;
};

/** The largest difference of two lists of numbers, relative to the larger of 1 and their size. */
export const largestDifference = (a: readonly number[], b: readonly number[]): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, x, i) => {
    const difference = Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!));
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  }, 0);
};

/** A tensor of random numbers in a range, drawn by fast-check. */
export const tensorIn = (shape: readonly number[], min: number, max: number): fc.Arbitrary<Tensor> =>
  rows(
    shape.reduce((a, b) => a * b, 1),
    number(min, max),
  ).map((values) => tensor(Float64Array.from(values), { shape }));
