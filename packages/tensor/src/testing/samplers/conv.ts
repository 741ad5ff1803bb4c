// Cases of convolution, its two adjoints and pooling: strides, sided padding, dilation, groups, odd channels, empty results.
import type { FilterGradAttrs, InputGradAttrs, WindowAttrs } from '../../ops/conv.ts';
import { conv2dOp } from '../../ops/conv.ts';
import type { PoolAttrs } from '../../ops/pool.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import { f32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

/** One convolution: image and weight shapes, and the window. */
interface Geometry {
  readonly label: string;
  readonly x: Shape;
  readonly weight: Shape;
  readonly attrs: WindowAttrs;
}

const geometry = (label: string, x: Shape, weight: Shape, attrs: Partial<WindowAttrs> = {}): Geometry => ({
  label,
  x,
  weight,
  attrs: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...attrs },
});

const geometries: readonly Geometry[] = [
  geometry('one product', [1, 1, 1, 1], [1, 1, 1, 1]),
  geometry('1x1', [2, 3, 4, 5], [5, 3, 1, 1]),
  geometry('1x1 with stride', [1, 4, 5, 6], [3, 4, 1, 1], { stride: [2, 2] }),
  geometry('3x3', [1, 2, 5, 6], [3, 2, 3, 3]),
  geometry('3x3 same size', [2, 3, 5, 7], [4, 3, 3, 3], { padding: [1, 1, 1, 1] }),
  geometry('3x3 stride 2, rows left over', [1, 2, 8, 7], [3, 2, 3, 3], {
    stride: [2, 2],
    padding: [1, 1, 1, 1],
  }),
  geometry('strides that differ', [1, 2, 7, 9], [2, 2, 3, 3], { stride: [3, 1], padding: [1, 1, 1, 1] }),
  geometry('padding on some sides', [1, 2, 4, 5], [2, 2, 3, 2], { padding: [0, 2, 1, 0] }),
  geometry('stride above the kernel', [1, 2, 8, 8], [2, 2, 2, 2], { stride: [3, 3] }),
  geometry('dilation', [1, 2, 7, 8], [2, 2, 3, 3], { dilation: [2, 2], padding: [2, 2, 2, 2] }),
  geometry('dilations that differ', [1, 1, 6, 9], [2, 1, 2, 3], { dilation: [1, 3], stride: [2, 1] }),
  geometry('two groups', [2, 4, 5, 5], [6, 2, 3, 3], { groups: 2, padding: [1, 1, 1, 1] }),
  geometry('depthwise', [1, 5, 6, 6], [5, 1, 3, 3], { groups: 5, stride: [2, 2], padding: [1, 1, 1, 1] }),
  geometry('depthwise, two outputs each', [1, 3, 4, 4], [6, 1, 2, 2], { groups: 3 }),
  geometry('tall kernel', [1, 2, 9, 3], [2, 2, 5, 1], { padding: [2, 0, 2, 0] }),
  geometry('everything at once', [2, 4, 9, 8], [6, 2, 3, 2], {
    stride: [2, 1],
    padding: [2, 0, 1, 3],
    dilation: [2, 1],
    groups: 2,
  }),
  geometry('no images', [0, 2, 4, 4], [3, 2, 3, 3]),
  geometry('kernel larger than the image', [1, 2, 2, 2], [3, 2, 3, 3]),
  geometry('kernels of groups larger than the image', [1, 4, 2, 2], [4, 2, 3, 3], { groups: 2 }),
  geometry('padding larger than the kernel', [1, 1, 2, 2], [1, 1, 2, 2], { padding: [3, 3, 3, 3] }),
];

/** Sizes past a few register tiles. */
const largeGeometries: readonly Geometry[] = [
  geometry('stem, 7x7 stride 2', [1, 3, 21, 26], [16, 3, 7, 7], { stride: [2, 2], padding: [3, 3, 3, 3] }),
  geometry('body, 3x3', [1, 17, 13, 15], [19, 17, 3, 3], { padding: [1, 1, 1, 1] }),
  geometry('body, 3x3 stride 2', [2, 16, 12, 14], [24, 16, 3, 3], { stride: [2, 2], padding: [1, 1, 1, 1] }),
  geometry('bottleneck, 1x1', [2, 32, 9, 7], [20, 32, 1, 1]),
  geometry('64 groups of four', [1, 256, 3, 5], [256, 4, 3, 3], { groups: 64, padding: [1, 1, 1, 1] }),
  geometry('groups of four', [1, 16, 10, 11], [16, 4, 3, 3], { groups: 4, padding: [1, 1, 1, 1] }),
];

const allGeometries = [...geometries, ...largeGeometries];
const signal = (draw: Draw, shape: Shape): Leaf => draw.uniform(shape, -1, 1);
const resultShape = ({ x, weight, attrs }: Geometry): Shape =>
  conv2dOp.infer(
    [
      { shape: x, dtype: 'f32' },
      { shape: weight, dtype: 'f32' },
    ],
    attrs,
  ).shape;

/** Cases of `conv2d`. */
export const convolution = (draw: Draw): readonly Sample<WindowAttrs>[] => {
  const { attrs } = geometry('', [], [], { padding: [1, 1, 1, 1] });
  const strided = (label: string, inputs: readonly SampleInput[]): Sample<WindowAttrs> => ({
    label,
    inputs,
    attrs,
    smooth: true,
  });
  return [
    ...allGeometries.map((g) => ({
      label: g.label,
      inputs: [signal(draw, g.x), signal(draw, g.weight)],
      attrs: g.attrs,
      smooth: true,
    })),
    strided('channels last', [
      transposed(signal(draw, [1, 4, 5, 3]), [0, 3, 1, 2]),
      signal(draw, [2, 3, 3, 3]),
    ]),
    strided('one filter for all', [signal(draw, [1, 3, 4, 4]), repeated(signal(draw, [3, 3]), [2, 3, 3, 3])]),
  ];
};

/** Cases of `conv2dInputGrad`, at the cotangents of the same convolutions. */
export const inputGradient = (draw: Draw): readonly Sample<InputGradAttrs>[] =>
  allGeometries.map((g) => ({
    label: g.label,
    inputs: [signal(draw, resultShape(g)), signal(draw, g.weight)],
    attrs: { ...g.attrs, size: [g.x[2]!, g.x[3]!] },
    smooth: true,
  }));

/** Cases of `conv2dFilterGrad`, at the cotangents of the same convolutions. */
export const filterGradient = (draw: Draw): readonly Sample<FilterGradAttrs>[] =>
  allGeometries.map((g) => ({
    label: g.label,
    inputs: [signal(draw, g.x), signal(draw, resultShape(g))],
    attrs: { ...g.attrs, kernel: [g.weight[2]!, g.weight[3]!] },
    smooth: true,
  }));

/** Cases of `poolArgMax2d`: nothing to differentiate; ties go to the first in the window. */
export const pooling = (draw: Draw): readonly Sample<PoolAttrs>[] => {
  const pool = (
    label: string,
    input: SampleInput,
    window: PoolAttrs['window'],
    stride: PoolAttrs['stride'],
    padding: PoolAttrs['padding'] = [0, 0, 0, 0],
  ): Sample<PoolAttrs> => ({ label, inputs: [input], attrs: { window, stride, padding }, smooth: false });
  const image = (shape: Shape): Leaf => draw.distinct(shape);
  return [
    pool('single pixel', image([1, 1, 1, 1]), [1, 1], [1, 1]),
    pool('2x2', image([1, 2, 4, 6]), [2, 2], [2, 2]),
    pool('stem, 3x3 stride 2', image([2, 3, 9, 12]), [3, 3], [2, 2], [1, 1, 1, 1]),
    pool('overlapping', image([1, 1, 5, 7]), [3, 3], [1, 1], [1, 1, 1, 1]),
    pool('padding on some sides', image([1, 2, 5, 4]), [3, 2], [2, 1], [0, 1, 2, 0]),
    pool('rows left over', image([1, 1, 6, 7]), [2, 3], [2, 3]),
    pool('no images', image([0, 2, 4, 4]), [2, 2], [2, 2]),
    pool('ties', f32Leaf([1, 2, 6, 6], draw.integers([1, 2, 6, 6], 0, 2).data), [3, 3], [2, 2], [1, 1, 1, 1]),
    pool('all below zero', draw.uniform([1, 1, 5, 5], -9, -8), [3, 3], [2, 2], [1, 1, 1, 1]),
    pool(
      'all -Infinity',
      f32Leaf([1, 1, 3, 3], new Array<number>(9).fill(Number.NEGATIVE_INFINITY)),
      [2, 2],
      [1, 1],
    ),
    pool('channels last', transposed(image([1, 6, 6, 3]), [0, 3, 1, 2]), [2, 2], [2, 2]),
  ];
};
