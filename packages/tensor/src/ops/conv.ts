// Convolution and its two adjoints. The three are closed under differentiation: each one's gradients are the other two.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Primitive, View } from '../primitive.ts';
import { windowCount } from '../shape.ts';
import type { Shape, Spec, Tensor } from '../tensor.ts';
import { apply, requireDType } from '../tensor.ts';
import { elementsOf } from './views.ts';

/** How a window moves over the image, complete and in plain numbers. */
export type WindowAttrs = {
  /** Rows, columns. */
  readonly stride: readonly [number, number];
  /** Zeros around the image: top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
  readonly label?: string;
};
/** Attrs of the input gradient: the image size, which the stride does not determine. */
export type InputGradAttrs = WindowAttrs & { readonly size: readonly [number, number] };
/** Attrs of the filter gradient: the kernel size. */
export type FilterGradAttrs = WindowAttrs & { readonly kernel: readonly [number, number] };

/** All sizes of one convolution x [N,C,H,W] * weight [O,C/groups,kh,kw] -> y [N,O,OH,OW]. */
export interface ConvExtents {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** The sizes of the convolution that has image shape `x`, weight shape `weight` and these attrs. */
export const convExtents = (x: Shape, weight: Shape, attrs: WindowAttrs): ConvExtents => {
  const [top, left, bottom, right] = attrs.padding;
  return {
    batch: x[0]!,
    channels: x[1]!,
    height: x[2]!,
    width: x[3]!,
    outChannels: weight[0]!,
    kernelHeight: weight[2]!,
    kernelWidth: weight[3]!,
    outHeight: windowCount(x[2]!, weight[2]!, attrs.stride[0], top + bottom, attrs.dilation[0]),
    outWidth: windowCount(x[3]!, weight[3]!, attrs.stride[1], left + right, attrs.dilation[1]),
  };
};

/** Calls `visit` with the flat positions (y, x, weight) of every product of the convolution. */
const forEachProduct = (
  e: ConvExtents,
  { stride, padding, dilation, groups }: WindowAttrs,
  visit: (y: number, x: number, w: number) => void,
): void => {
  const inGroup = e.channels / groups;
  const outGroup = e.outChannels / groups;
  for (let n = 0; n < e.batch; n++)
    for (let o = 0; o < e.outChannels; o++)
      for (let oy = 0; oy < e.outHeight; oy++)
        for (let ox = 0; ox < e.outWidth; ox++) {
          const y = ((n * e.outChannels + o) * e.outHeight + oy) * e.outWidth + ox;
          for (let c = 0; c < inGroup; c++) {
            const plane = n * e.channels + Math.floor(o / outGroup) * inGroup + c;
            for (let ky = 0; ky < e.kernelHeight; ky++) {
              const iy = oy * stride[0] - padding[0] + ky * dilation[0];
              if (iy < 0 || iy >= e.height) continue;
              for (let kx = 0; kx < e.kernelWidth; kx++) {
                const ix = ox * stride[1] - padding[1] + kx * dilation[1];
                if (ix < 0 || ix >= e.width) continue;
                visit(
                  y,
                  (plane * e.height + iy) * e.width + ix,
                  ((o * inGroup + c) * e.kernelHeight + ky) * e.kernelWidth + kx,
                );
              }
            }
          }
        }
};

/** Adds every product into `target` in double precision and stores it in `out`. */
const accumulate = (out: View, run: (total: Float64Array) => void): void => {
  const total = new Float64Array(out.data.length);
  run(total);
  for (let i = 0; i < total.length; i++) out.data[i] = total[i]!;
};

const checkConv = (where: string, x: Spec, weight: Spec, attrs: WindowAttrs): void => {
  requireDType(where, x, ['f32']);
  requireDType(where, weight, ['f32'], 'weight');
  const [channels, inGroup] = [x.shape[1], weight.shape[1]];
  const { groups } = attrs;
  const ranksFit = x.shape.length === 4 && weight.shape.length === 4;
  if (ranksFit && channels === inGroup! * groups && weight.shape[0]! % groups === 0) return;
  throw new ShapeError(
    sentence({
      where,
      label: attrs.label,
      needs: ranksFit
        ? `x channels = weight input channels * groups (${inGroup} * ${groups}) and groups that divide the output channels`
        : 'x [N,C,H,W] and weight [O,C/groups,kh,kw]',
      got: describeInputs({ x, weight }),
      advice: 'Check groups or the checkpoint mapping.',
    }),
  );
};

const outShape = (e: ConvExtents): Shape => [e.batch, e.outChannels, e.outHeight, e.outWidth];

const checkCotangent = (where: string, ct: Spec, extents: ConvExtents, attrs: WindowAttrs): void => {
  if (ct.shape.join() === outShape(extents).join()) return;
  throw new ShapeError(
    sentence({
      where,
      label: attrs.label,
      needs: `a cotangent of shape [${outShape(extents)}]`,
      got: describeInputs({ cotangent: ct }),
      advice: 'Pass the sizes of the forward convolution.',
    }),
  );
};

/** The primitive of `conv2d`. */
export const conv2dOp: Primitive<WindowAttrs> = {
  name: 'conv2d',
  infer: ([x, weight], attrs) => {
    checkConv('conv2d', x!, weight!, attrs);
    return { shape: outShape(convExtents(x!.shape, weight!.shape, attrs)), dtype: 'f32' };
  },
  reference: ([x, weight], out, attrs) => {
    const [image, filter] = [elementsOf(x!), elementsOf(weight!)];
    accumulate(out, (total) =>
      forEachProduct(convExtents(x!.shape, weight!.shape, attrs), attrs, (y, i, w) => {
        total[y]! += image[i]! * filter[w]!;
      }),
    );
  },
};

/** The image shape that an input gradient has. */
const imageShape = (ct: Shape, weight: Shape, attrs: InputGradAttrs): Shape => [
  ct[0]!,
  weight[1]! * attrs.groups,
  ...attrs.size,
];

/** The primitive that gives the gradient of a convolution with respect to its image. */
export const conv2dInputGradOp: Primitive<InputGradAttrs> = {
  name: 'conv2dInputGrad',
  infer: ([ct, weight], attrs) => {
    const shape = imageShape(ct!.shape, weight!.shape, attrs);
    checkConv('conv2dInputGrad', { shape, dtype: 'f32' }, weight!, attrs);
    checkCotangent('conv2dInputGrad', ct!, convExtents(shape, weight!.shape, attrs), attrs);
    return { shape, dtype: 'f32' };
  },
  reference: ([ct, weight], out, attrs) => {
    const [cotangent, filter] = [elementsOf(ct!), elementsOf(weight!)];
    accumulate(out, (total) =>
      forEachProduct(convExtents(out.shape, weight!.shape, attrs), attrs, (y, i, w) => {
        total[i]! += cotangent[y]! * filter[w]!;
      }),
    );
  },
};

/** The primitive that gives the gradient of a convolution with respect to its weight. */
export const conv2dFilterGradOp: Primitive<FilterGradAttrs> = {
  name: 'conv2dFilterGrad',
  infer: ([x, ct], attrs) => {
    const shape = [ct!.shape[1]!, x!.shape[1]! / attrs.groups, ...attrs.kernel];
    checkConv('conv2dFilterGrad', x!, { shape, dtype: 'f32' }, attrs);
    checkCotangent('conv2dFilterGrad', ct!, convExtents(x!.shape, shape, attrs), attrs);
    return { shape, dtype: 'f32' };
  },
  reference: ([x, ct], out, attrs) => {
    const [image, cotangent] = [elementsOf(x!), elementsOf(ct!)];
    accumulate(out, (total) =>
      forEachProduct(convExtents(x!.shape, out.shape, attrs), attrs, (y, i, w) => {
        total[w]! += image[i]! * cotangent[y]!;
      }),
    );
  },
};

/** Options of `conv2d`; a single number stands for both axes (and all sides of the padding). */
export interface Conv2dOptions {
  readonly stride?: number | readonly [number, number];
  /** Zeros around the image: one number, [rows, columns], or [top, left, bottom, right]. */
  readonly padding?: number | readonly [number, number] | readonly [number, number, number, number];
  readonly dilation?: number | readonly [number, number];
  readonly groups?: number;
  /** A name for errors, such as the parameter's path. */
  readonly label?: string;
}

/** A number or pair as a pair. */
export const pairOf = (value: number | readonly [number, number] | undefined): readonly [number, number] =>
  value === undefined ? [1, 1] : typeof value === 'number' ? [value, value] : value;

/** Padding in any accepted form as [top, left, bottom, right]. */
export const sidesOf = (padding: Conv2dOptions['padding']): readonly [number, number, number, number] => {
  if (padding === undefined) return [0, 0, 0, 0];
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  return padding.length === 4 ? padding : [padding[0], padding[1], padding[0], padding[1]];
};

/**
 * The 2-D cross-correlation of images with filters.
 *
 * Shapes   x f32[N,C,H,W], weight f32[O,C/groups,kh,kw] -> f32[N,O,OH,OW], OH = floor((H + padding - dilation (kh-1) - 1) / stride) + 1
 * Gradient to x and weight, by convolutions
 * Throws   ShapeError when channels, weight and groups disagree
 * Example  conv2d(images, params.conv1.weight, { stride: 2, padding: 1 })
 */
export const conv2d = (x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor =>
  apply(conv2dOp, [x, weight], {
    stride: pairOf(options.stride),
    padding: sidesOf(options.padding),
    dilation: pairOf(options.dilation),
    groups: options.groups ?? 1,
    ...(options.label === undefined ? {} : { label: options.label }),
  });
