// Two convolutions with rectifiers and the gradients of everything: what training computes, small.
import type { Tensor } from '../../src/index.ts';
import { conv2d, lessEqual, mul, relu, select, sum, tensor } from '../../src/index.ts';
import { conv2dFilterGradOp, conv2dInputGradOp } from '../../src/ops/conv.ts';
import { apply } from '../../src/tensor.ts';
import { random } from '../randomTensor.ts';

/** Several results of several arguments. */
export type Build = (...args: Tensor[]) => Tensor[];

const window = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;

/** The gradients of both filters and of the image, and the sum of the results. */
export const smallTraining: Build = (x, w, v, scale) => {
  const hidden = relu(mul(conv2d(x!, w!, window), scale!));
  const result = relu(conv2d(hidden, v!, window));
  const size = result.shape.slice(2) as unknown as readonly [number, number];
  const ct = select(lessEqual(result, 0), 0, mul(result, 0.125));
  const toHidden = apply(conv2dInputGradOp, [ct, v!], { ...window, size });
  const ctHidden = select(lessEqual(hidden, 0), 0, toHidden);
  const gradient = (image: Tensor, of: Tensor): Tensor =>
    apply(conv2dFilterGradOp, [image, of], { ...window, kernel: [3, 3] });
  const toImage = apply(conv2dInputGradOp, [ctHidden, w!], { ...window, size });
  return [gradient(hidden, ct), gradient(x!, ctHidden), toImage, sum(result)];
};

/** Its image, filters and the scale of the activations between them. */
export const small = (scale: number): Tensor[] => [
  random(1, 2, 8, 6, 8),
  random(2, 12, 8, 3, 3),
  random(3, 8, 12, 3, 3),
  tensor([scale]),
];
