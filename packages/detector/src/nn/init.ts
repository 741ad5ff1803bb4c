// Initial values of parameters, drawn from explicit keys.
import type { Shape, Tensor } from '@autoassign/tensor';
import { normal, uniform } from '@autoassign/tensor';

/** The shape of a convolution's filter: output channels, input channels, rows, columns. */
export type FilterShape = readonly [outputs: number, inputs: number, rows: number, columns: number];

/** Draws the initial values of a filter. */
export type Initializer = (key: Tensor, shape: FilterShape) => Tensor;

/**
 * Normal with deviation sqrt(2 / (outputs * rows * columns)), which keeps the size of gradients through ReLU layers.
 *
 * Source   He et al., Delving Deep into Rectifiers (2015), equation 14
 */
export const fanOutNormal: Initializer = (key, shape) => {
  const [outputs, , rows, columns] = shape;
  return normal(key, shape, { deviation: Math.sqrt(2 / (outputs * rows * columns)) });
};

/** Uniform with bounds ±sqrt(3 / (inputs * rows * columns)): variance 1 / fan-in. */
export const fanInUniform: Initializer = (key, shape) => {
  const [, inputs, rows, columns] = shape;
  const bound = Math.sqrt(3 / (inputs * rows * columns));
  return uniform(key, shape, { low: -bound, high: bound });
};

/** Normal with a fixed deviation. */
export const narrowNormal =
  (deviation: number): Initializer =>
  (key, shape: Shape) =>
    normal(key, shape, { deviation });

/** The bias at which the logistic function gives a probability. */
export const logitOf = (probability: number): number => Math.log(probability / (1 - probability));
