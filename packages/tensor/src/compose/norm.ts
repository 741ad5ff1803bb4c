// Normalisation layers: group norm, and batch norm with fixed statistics.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import { add, div, mul, sqrt, sub } from '../ops/elementwise.ts';
import { reshape } from '../ops/movement.ts';
import type { Shape, Tensor } from '../tensor.ts';
import { mean, variance } from './statistics.ts';

/** Scale and shift per channel. */
export type AffineParams = { readonly weight: Tensor; readonly bias: Tensor };

/** Options of groupNorm. */
export interface GroupNormOptions {
  readonly groups: number;
  readonly epsilon?: number;
  /** A name for errors, such as the parameter's path. */
  readonly label?: string;
}

/**
 * Each image's channel groups normalised to mean 0 and variance 1, then scaled and shifted per channel.
 *
 * Shapes   x f32[N,C,H,W], weight f32[C], bias f32[C] -> f32[N,C,H,W]
 * Throws   ShapeError when the groups do not divide the channels
 * Source   Wu and He, Group Normalization (2018), equations 1 to 7
 */
export const groupNorm = (x: Tensor, params: AffineParams, options: GroupNormOptions): Tensor => {
  const { groups, epsilon = 1e-5, label } = options;
  const [images, channels] = x.shape;
  if (x.shape.length !== 4 || channels! % groups !== 0 || params.weight.shape.join() !== `${channels}`)
    throw new ShapeError(
      sentence({
        where: 'groupNorm',
        label,
        needs: `x [N,C,H,W] with C divisible by ${groups} groups and C weights`,
        got: describeInputs({ x, ...params }),
        advice: 'Check groups and widths.',
      }),
    );
  // One shape for the whole computation, so that it fuses: channels split by group, pixels flat.
  const split: Shape = [images!, groups, channels! / groups, x.shape[2]! * x.shape[3]!];
  const perChannel: Shape = [1, groups, channels! / groups, 1];
  const grouped = reshape(x, split); // [N,G,C/G,HW]
  const centered = sub(grouped, mean(grouped, [2, 3], { keepDims: true }));
  const spread = sqrt(add(variance(grouped, [2, 3], { keepDims: true }), epsilon)); // [N,G,1,1]
  const scale = div(reshape(params.weight, perChannel), spread); // [N,G,C/G,1]
  return reshape(add(mul(centered, scale), reshape(params.bias, perChannel)), x.shape);
};

/** Statistics and affine parameters of a trained batch norm. */
export type BatchNormParams = AffineParams & { readonly running_mean: Tensor; readonly running_var: Tensor };

/**
 * Batch norm with its stored statistics: a fixed scale and shift per channel.
 *
 * Shapes   x f32[N,C,H,W], all parameters f32[C] -> f32[N,C,H,W]
 */
export const frozenBatchNorm = (x: Tensor, params: BatchNormParams, epsilon = 1e-5): Tensor => {
  const scale = div(params.weight, sqrt(add(params.running_var, epsilon)));
  const shift = sub(params.bias, mul(params.running_mean, scale));
  const perChannel: Shape = [1, x.shape[1]!, 1, 1];
  return add(mul(x, reshape(scale, perChannel)), reshape(shift, perChannel));
};
