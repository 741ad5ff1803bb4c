// Bilinear sampling of images at points that are data, and its two adjoints. The three are closed under differentiation: each one's
// gradients are made of the others, with the derivatives of the interpolation along rows and columns as an attribute.
import { describeInputs, ShapeError, sentence } from '../errors.ts';
import type { Primitive, View } from '../primitive.ts';
import type { Shape, Spec, Tensor } from '../tensor.ts';
import { apply, requireDType } from '../tensor.ts';
import { elementsOf } from './views.ts';

/** Attrs of sampling: how often the interpolation is differentiated along y and along x; twice gives zero. */
export type SampleAttrs = { readonly order: readonly [number, number] };
/** Attrs of the input gradient: the image size, which the points do not determine. */
export type SampleInputGradAttrs = SampleAttrs & { readonly size: readonly [number, number] };

/** All sizes of one sampling: x [N,C,H,W] at points [N,G,K,2,P] -> columns [N,C,K,P]. */
export interface SampleExtents {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Groups of channels with points of their own. */
  readonly groups: number;
  readonly taps: number;
  readonly places: number;
}

/** The sizes of sampling an image of shape `x` at points of shape `points`. */
export const sampleExtents = (x: Shape, points: Shape): SampleExtents => ({
  batch: x[0]!,
  channels: x[1]!,
  height: x[2]!,
  width: x[3]!,
  groups: points[1]!,
  taps: points[2]!,
  places: points[4]!,
});

/** The orders that the components of a point gradient have: the value's, the one of its slope along y, the one along x. */
export const componentOrders = ([y, x]: SampleAttrs['order']): readonly SampleAttrs['order'][] => [
  [y, x],
  [y + 1, x],
  [y, x + 1],
];

/** The weights of the two pixels around a position, `fraction` behind the first. */
const axisWeights = (order: number, fraction: number): readonly [number, number] => {
  if (order === 0) return [1 - fraction, fraction];
  return order === 1 ? [-1, 1] : [0, 0];
};

/** Calls `visit` with the flat place in the plane and the weight of every pixel that a point reads; points that are not in (-1, H) x (-1, W) read none. */
const forEachPixel = (
  { height, width }: SampleExtents,
  order: SampleAttrs['order'],
  y: number,
  x: number,
  visit: (pixel: number, weight: number) => void,
): void => {
  if (!(y > -1 && y < height && x > -1 && x < width)) return;
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [rows, columns] = [axisWeights(order[0], y - top), axisWeights(order[1], x - left)];
  rows.forEach((weight, i) => {
    if (top + i < 0 || top + i >= height) return;
    columns.forEach((share, j) => {
      if (left + j >= 0 && left + j < width) visit((top + i) * width + left + j, weight * share);
    });
  });
};

/** Calls `visit` for every point of every channel: the flat positions of its column, its point in [N,G,K,P], its y in [N,G,K,2,P], and its plane in x. */
const forEachPoint = (
  { batch, channels, groups, taps, places, height, width }: SampleExtents,
  visit: (column: number, point: number, y: number, plane: number) => void,
): void => {
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++) {
      const group = n * groups + Math.floor((c * groups) / channels);
      for (let k = 0; k < taps; k++)
        for (let p = 0; p < places; p++) {
          const row = group * taps + k;
          visit(
            ((n * channels + c) * taps + k) * places + p,
            row * places + p,
            2 * row * places + p,
            (n * channels + c) * height * width,
          );
        }
    }
};

/** Lets `run` add in double precision and stores the totals in `out`. */
const accumulate = (out: View, run: (total: Float64Array) => void): void => {
  const total = new Float64Array(out.data.length);
  run(total);
  for (let i = 0; i < total.length; i++) out.data[i] = total[i]!;
};

/** Throws unless image and points, and the mask and columns where they are inputs, belong together. */
const checkSampling = (
  where: string,
  {
    x,
    points,
    mask,
    columns,
  }: Readonly<Record<'x' | 'points', Spec>> & Partial<Readonly<Record<'mask' | 'columns', Spec>>>,
): void => {
  const given = { x, points, ...(mask && { mask }), ...(columns && { columns }) };
  for (const [name, spec] of Object.entries(given)) requireDType(where, spec, ['f32'], name);
  const [images, groups, taps, pair, places] = points.shape;
  const agree =
    x.shape.length === 4 &&
    points.shape.length === 5 &&
    images === x.shape[0] &&
    pair === 2 &&
    x.shape[1]! % groups! === 0 &&
    (mask === undefined || mask.shape.join() === [images, groups, taps, places].join()) &&
    (columns === undefined || columns.shape.join() === [images, x.shape[1], taps, places].join());
  if (agree) return;
  throw new ShapeError(
    sentence({
      where,
      needs: 'x [N,C,H,W], points [N,G,K,2,P] with groups G that divide C, mask [N,G,K,P], columns [N,C,K,P]',
      got: describeInputs(given),
      advice: 'Check the groups, and the order of points: y, then x.',
    }),
  );
};

/** The primitive of `sampleBilinear`. */
export const sampleBilinearOp: Primitive<SampleAttrs> = {
  name: 'sampleBilinear',
  infer: ([x, points, mask]) => {
    checkSampling('sampleBilinear', { x: x!, points: points!, mask: mask! });
    const { batch, channels, taps, places } = sampleExtents(x!.shape, points!.shape);
    return { shape: [batch, channels, taps, places], dtype: 'f32' };
  },
  reference: ([x, points, mask], out, { order }) => {
    const e = sampleExtents(x!.shape, points!.shape);
    const [image, at, scale] = [elementsOf(x!), elementsOf(points!), elementsOf(mask!)];
    forEachPoint(e, (column, point, y, plane) => {
      let total = 0;
      forEachPixel(e, order, at[y]!, at[y + e.places]!, (pixel, weight) => {
        total += weight * image[plane + pixel]!;
      });
      out.data[column] = scale[point]! * total;
    });
  },
};

/** The primitive that gives the gradient of sampling with respect to the image: what the points read, they are given. */
export const sampleBilinearInputGradOp: Primitive<SampleInputGradAttrs> = {
  name: 'sampleBilinearInputGrad',
  infer: ([columns, points, mask], { size }) => {
    const shape = [columns!.shape[0]!, columns!.shape[1]!, ...size];
    checkSampling('sampleBilinearInputGrad', {
      x: { shape, dtype: 'f32' },
      points: points!,
      mask: mask!,
      columns: columns!,
    });
    return { shape, dtype: 'f32' };
  },
  reference: ([columns, points, mask], out, { order }) => {
    const e = sampleExtents(out.shape, points!.shape);
    const [cotangent, at, scale] = [elementsOf(columns!), elementsOf(points!), elementsOf(mask!)];
    accumulate(out, (total) =>
      forEachPoint(e, (column, point, y, plane) => {
        const amount = scale[point]! * cotangent[column]!;
        forEachPixel(e, order, at[y]!, at[y + e.places]!, (pixel, weight) => {
          total[plane + pixel]! += weight * amount;
        });
      }),
    );
  },
};

/**
 * The primitive that gives what the gradients of sampling with respect to points and mask are made of: per point the sums over the
 * channels of its group of cotangent times sample, its slope along y, and its slope along x.
 */
export const sampleBilinearPointGradOp: Primitive<SampleAttrs> = {
  name: 'sampleBilinearPointGrad',
  infer: ([x, columns, points]) => {
    checkSampling('sampleBilinearPointGrad', { x: x!, points: points!, columns: columns! });
    const { batch, groups, taps, places } = sampleExtents(x!.shape, points!.shape);
    return { shape: [batch, groups, taps, 3, places], dtype: 'f32' };
  },
  reference: ([x, columns, points], out, { order }) => {
    const e = sampleExtents(x!.shape, points!.shape);
    const [image, cotangent, at] = [elementsOf(x!), elementsOf(columns!), elementsOf(points!)];
    const orders = componentOrders(order);
    accumulate(out, (total) =>
      forEachPoint(e, (column, point, y, plane) => {
        const first = point + 2 * e.places * Math.floor(point / e.places);
        orders.forEach((component, i) => {
          forEachPixel(e, component, at[y]!, at[y + e.places]!, (pixel, weight) => {
            total[first + i * e.places]! += weight * image[plane + pixel]! * cotangent[column]!;
          });
        });
      }),
    );
  },
};

/**
 * The images interpolated bilinearly between pixels at the given points, times a mask; around the images are zeros.
 *
 * Shapes   x f32[N,C,H,W], points f32[N,G,K,2,P] (y, then x), mask f32[N,G,K,P] -> f32[N,C,K,P]; channels are divided evenly among the G groups
 * Units    points in pixels, the centre of the first at 0; a point one pixel or more outside, or not a number, reads zero
 * Gradient to x, points and mask. At whole coordinates, where the slope jumps, it is that of the larger side
 * Throws   ShapeError when the sizes disagree
 */
export const sampleBilinear = (x: Tensor, points: Tensor, mask: Tensor): Tensor =>
  apply(sampleBilinearOp, [x, points, mask], { order: [0, 0] });
