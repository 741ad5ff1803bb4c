// The AutoAssign loss, forward and with gradients, at the size of the golden case `f_full_80c`: 2 images of 512x512, 80 classes.
import { valueAndGrad } from '@autoassign/autograd';
import type { AutoAssignLoss, Predictions, Prior, Targets } from '@autoassign/detector';
import { autoAssignLoss, locations } from '@autoassign/detector';
import type { Backend, Tensor } from '@autoassign/tensor';
import { add, compile, evaluate, key, normal, release, split, tensor, uniform } from '@autoassign/tensor';
import type { Task } from '../measure.ts';

const classes = 80;
const strides = [8, 16, 32, 64, 128];
const objectsPerImage = [9, 5];

type Inputs = { readonly predictions: Predictions; readonly prior: Prior };

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

/** The tasks of the suite on a backend. */
export const lossTasks = async (backend: Backend, seed: number): Promise<Task[]> => {
  const points = locations(strides.map((stride) => ({ stride, height: 512 / stride, width: 512 / stride })));
  const count = points.strides.shape[0]!;
  const [a, b, c, d] = split(key(seed), 4) as [Tensor, Tensor, Tensor, Tensor];
  const inputs: Inputs = await evaluate(
    {
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
    { backend },
  );
  const targets = await evaluate(targetsOf(), { backend });
  const loss = ({ predictions, prior }: Inputs, objects: Targets): AutoAssignLoss =>
    autoAssignLoss(predictions, objects, prior, points);
  const forward = compile((given: Inputs, objects: Targets) => loss(given, objects).total, { backend });
  const both = compile(
    (given: Inputs, objects: Targets) => {
      const { value, grad } = valueAndGrad((x: Inputs) => loss(x, objects).total)(given);
      return { value, grad };
    },
    { backend },
  );
  return [
    {
      name: 'AutoAssign loss forward, f_full_80c size',
      run: async () => release(await forward(inputs, targets)),
    },
    {
      name: 'AutoAssign loss forward and backward, f_full_80c size',
      run: async () => release(await both(inputs, targets)),
    },
  ];
};
