// Deformable convolution: samples at learned places, then a product with the filters.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Conv2dOptions, ConvExtents, WindowAttrs } from '../ops/conv.ts';
import { conv2d, convExtents, pairOf, sidesOf } from '../ops/conv.ts';
import { add } from '../ops/elementwise.ts';
import { reshape } from '../ops/movement.ts';
import { sampleBilinear } from '../ops/sampling.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';

/** Options of `deformableConv2d`. */
export interface DeformableConv2dOptions extends Conv2dOptions {
  /** Groups of input channels with offsets and masks of their own; the channels of `offset` tell when this is left out. */
  readonly deformableGroups?: number;
}

/** Where the taps of an ordinary convolution read: [1, 1, kh * kw, 2, OH * OW], y then x. */
const gridOf = (e: ConvExtents, { stride, padding, dilation }: WindowAttrs): Tensor => {
  const [taps, places] = [e.kernelHeight * e.kernelWidth, e.outHeight * e.outWidth];
  const points = new Float32Array(taps * 2 * places);
  for (let k = 0; k < taps; k++) {
    const top = Math.floor(k / e.kernelWidth) * dilation[0] - padding[0];
    const left = (k % e.kernelWidth) * dilation[1] - padding[1];
    for (let p = 0; p < places; p++) {
      points[2 * k * places + p] = Math.floor(p / e.outWidth) * stride[0] + top;
      points[(2 * k + 1) * places + p] = (p % e.outWidth) * stride[1] + left;
    }
  }
  return tensor(points, { shape: [1, 1, taps, 2, places] });
};

const checkShapes = (
  inputs: Readonly<Record<'x' | 'weight' | 'offset' | 'mask', Tensor>>,
  groups: number,
  e: ConvExtents,
  label: string | undefined,
): void => {
  const taps = e.kernelHeight * e.kernelWidth;
  const shapeOf = (perTap: number): string =>
    [e.batch, perTap * groups * taps, e.outHeight, e.outWidth].join();
  const { offset, mask } = inputs;
  const agree = Number.isInteger(groups) && groups > 0 && e.channels % groups === 0;
  if (agree && offset.shape.join() === shapeOf(2) && mask.shape.join() === shapeOf(1)) return;
  throw new ShapeError(
    sentence({
      where: 'deformableConv2d',
      label,
      needs: `offset [${shapeOf(2)}], mask [${shapeOf(1)}] and deformable groups that divide the channels`,
      got: `${describeInputs(inputs)}, ${groups} deformable groups`,
      advice: 'Give the convolution of the offsets the same stride, padding and dilation.',
    }),
  );
};

/**
 * The 2-D cross-correlation of images with filters whose taps are moved by offsets and scaled by a mask.
 *
 * Shapes   x f32[N,C,H,W], weight f32[O,C/groups,kh,kw], offset f32[N,2*G*kh*kw,OH,OW], mask f32[N,G*kh*kw,OH,OW] -> f32[N,O,OH,OW]
 * Units    offsets in pixels, y and x of every tap in turn; samples are bilinear with zeros around the images
 * Gradient to all four, of any order
 * Throws   ShapeError when the sizes disagree
 * Source   Zhu et al., Deformable ConvNets v2 (2019), equation 1
 */
export const deformableConv2d = (
  x: Tensor,
  weight: Tensor,
  offset: Tensor,
  mask: Tensor,
  options: DeformableConv2dOptions = {},
): Tensor => {
  const { label, groups = 1 } = options;
  const window: WindowAttrs = {
    stride: pairOf(options.stride),
    padding: sidesOf(options.padding),
    dilation: pairOf(options.dilation),
    groups,
  };
  const e = convExtents(x.shape, weight.shape, window);
  const [taps, places] = [e.kernelHeight * e.kernelWidth, e.outHeight * e.outWidth];
  const pointGroups = options.deformableGroups ?? offset.shape[1]! / (2 * taps);
  checkShapes({ x, weight, offset, mask }, pointGroups, e, label);
  const points = add(reshape(offset, [e.batch, pointGroups, taps, 2, places]), gridOf(e, window));
  const columns = sampleBilinear(x, points, reshape(mask, [e.batch, pointGroups, taps, places]));
  return conv2d(
    reshape(columns, [e.batch, e.channels * taps, e.outHeight, e.outWidth]),
    reshape(weight, [e.outChannels, weight.shape[1]! * taps, 1, 1]),
    { groups, ...(label === undefined ? {} : { label }) },
  );
};
