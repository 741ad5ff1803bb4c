// Convolution layers as functions of (parameters, x).
import type { Conv2dOptions, Tensor } from '@autoassign/tensor';
import { add, conv2d, full, reshape } from '@autoassign/tensor';
import type { FilterShape, Initializer } from './init.ts';

/** A filter f32[O,C,kh,kw]. */
export type FilterParams = { readonly weight: Tensor };

/** A filter f32[O,C,kh,kw] and a bias f32[O]. */
export type ConvParams = { readonly weight: Tensor; readonly bias: Tensor };

/** The parameters of a convolution without bias. */
export const initFilter = (key: Tensor, shape: FilterShape, initializer: Initializer): FilterParams => ({
  weight: initializer(key, shape),
});

/** The parameters of a convolution with a constant bias. */
export const initConv = (
  key: Tensor,
  shape: FilterShape,
  initializer: Initializer,
  bias = 0,
): ConvParams => ({ weight: initializer(key, shape), bias: full([shape[0]], bias) });

/**
 * The convolution with its bias added.
 *
 * Shapes   x f32[N,C,H,W] -> f32[N,O,OH,OW]
 */
export const conv = ({ weight, bias }: ConvParams, x: Tensor, options: Conv2dOptions): Tensor =>
  add(conv2d(x, weight, options), reshape(bias, [1, bias.shape[0]!, 1, 1]));
