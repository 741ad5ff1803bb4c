// Modulated deformable convolution layers as functions of (parameters, x): a convolution tells where the taps read, and how much.
import type { Conv2dOptions, Tensor } from '@autoassign/tensor';
import { deformableConv2d, sigmoid, slice, zeros } from '@autoassign/tensor';
import type { ConvParams, FilterParams } from './conv.ts';
import { conv } from './conv.ts';
import type { FilterShape, Initializer } from './init.ts';

/** A filter f32[O,C/groups,kh,kw], and the convolution of offsets and mask: f32[3*G*kh*kw,C,kh,kw] for G deformable groups. */
export type DeformableConvParams = FilterParams & { readonly conv_offset: ConvParams };

/** The parameters of a deformable convolution of one deformable group; at first no tap is moved and every tap counts half. */
export const initDeformableConv = (
  key: Tensor,
  shape: FilterShape,
  initializer: Initializer,
  groups = 1,
): DeformableConvParams => {
  const [, inputs, rows, columns] = shape;
  const channels = 3 * rows * columns;
  return {
    weight: initializer(key, shape),
    conv_offset: {
      weight: zeros([channels, inputs * groups, rows, columns]),
      bias: zeros([channels]),
    },
  };
};

/**
 * The deformable convolution; the first two thirds of what `conv_offset` gives are offsets, y and x of every tap in turn, the rest
 * are logits of the mask.
 *
 * Shapes   x f32[N,C,H,W] -> f32[N,O,OH,OW]
 * Source   Zhu et al., Deformable ConvNets v2 (2019), section 3.2
 */
export const deformableConv = (
  { weight, conv_offset }: DeformableConvParams,
  x: Tensor,
  options: Conv2dOptions,
): Tensor => {
  const { groups: _, label, ...window } = options;
  const given = conv(conv_offset, x, {
    ...window,
    ...(label === undefined ? {} : { label: `${label}.conv_offset` }),
  });
  const offsets = (given.shape[1]! / 3) * 2;
  const offset = slice(given, [0, 0, 0, 0], [-1, offsets, -1, -1]);
  const mask = sigmoid(slice(given, [0, offsets, 0, 0], [-1, -1, -1, -1]));
  return deformableConv2d(x, weight, offset, mask, options);
};
