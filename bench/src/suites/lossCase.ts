// What the loss is measured on: the golden case `f_full_80c` (2 images of 512x512, 80 classes) or random data of its size.
import type { Points, Predictions, Prior, Targets } from '@autoassign/detector';
import { locations } from '@autoassign/detector';
import type { Tensor } from '@autoassign/tensor';
import { add, key, normal, split, tensor, uniform } from '@autoassign/tensor';
import { goldenLossCase } from './goldenLoss.ts';

const classes = 80;
const strides = [8, 16, 32, 64, 128];
const objectsPerImage = [9, 5];

/** What the loss is measured on. */
export interface LossCase {
  readonly name: string;
  readonly inputs: { readonly predictions: Predictions; readonly prior: Prior };
  readonly targets: Targets;
  /** The published implementation's loss, to check ours against before it is timed. */
  readonly total?: number;
}

/** Random objects: a third as small as 24 pixels, the largest half the image. */
const targetsOf = (): Targets => {
  const padded = Math.max(...objectsPerImage);
  const boxes = objectsPerImage.flatMap((_, n) =>
    Array.from({ length: padded }, (_unused, m) => {
      const side = 24 * 1.4 ** (m % 7);
      const [x, y] = [(97 * (m + 1) + 31 * n) % (512 - side), (61 * (m + 2) + 17 * n) % (512 - side)];
      return [x, y, x + side, y + side * 0.8];
    }),
  );
  const each = <T>(f: (m: number, n: number) => T): T[] =>
    objectsPerImage.flatMap((_, n) => Array.from({ length: padded }, (_unused, m) => f(m, n)));
  return {
    boxes: tensor(boxes.flat(), { shape: [2, padded, 4] }),
    labels: tensor(Int32Array.from(each((m, n) => (13 * m + n) % classes)), { shape: [2, padded] }),
    valid: tensor(Uint8Array.from(each((m, n) => Number(m < objectsPerImage[n]!))), { shape: [2, padded] }),
  };
};

const randomCase = (seed: number, count: number): LossCase => {
  const [a, b, c, d] = split(key(seed), 4) as [Tensor, Tensor, Tensor, Tensor];
  return {
    name: 'random data of the size of f_full_80c',
    inputs: {
      predictions: {
        logits: add(normal(a, [2, count, classes]), -3),
        objectness: normal(b, [2, count]),
        distances: uniform(c, [2, count, 4], { low: 4, high: 160 }),
      },
      prior: {
        mean: normal(d, [classes, 2], { deviation: 0.3 }),
        sigma: uniform(d, [classes, 2], { low: 0.7, high: 1.4 }),
      },
    },
    targets: targetsOf(),
  };
};

/** The case, with the locations of its predictions. */
export const lossCase = (seed: number): LossCase & { readonly points: Points } => {
  const points = locations(strides.map((stride) => ({ stride, height: 512 / stride, width: 512 / stride })));
  return { ...(goldenLossCase() ?? randomCase(seed, points.strides.shape[0]!)), points };
};
