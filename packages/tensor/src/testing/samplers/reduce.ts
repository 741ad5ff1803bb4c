// Cases of the reductions: leading, trailing, inner and all axes, empty folds, strided inputs, both dtypes.
import type { ArgMaxAttrs, ReduceAttrs } from '../../ops/reduce.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import { f32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

/** Shapes and the axes folded in them. */
const folds: readonly (readonly [Shape, readonly number[]])[] = [
  [[1], [0]],
  [[3], [0]],
  [[4], [0]],
  [[17], [0]],
  [[3, 4], [0]],
  [[3, 5], [1]],
  [[2, 3, 4], [1]],
  [
    [2, 3, 5],
    [0, 2],
  ],
  [
    [2, 3, 5],
    [0, 1, 2],
  ],
  [
    [2, 4, 3, 5],
    [2, 3],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 3],
  ],
  [
    [1, 5, 1],
    [0, 2],
  ],
  [[7, 129], [1]],
  [[65, 33], [0]],
  [[1030], [0]],
];

/** Folds over nothing, and no folds at all. */
const emptyFolds: readonly (readonly [Shape, readonly number[]])[] = [
  [[0], [0]],
  [[2, 0, 3], [1]],
  [[0, 3], [1]],
];

const fold = (
  label: string,
  input: SampleInput,
  axes: readonly number[],
  smooth: boolean,
): Sample<ReduceAttrs> => ({
  label,
  inputs: [input],
  attrs: { axes },
  smooth,
});

/** Cases of a reduction whose leaves come from `leaf`. */
const reduction = (draw: Draw, leaf: (shape: Shape) => Leaf): readonly Sample<ReduceAttrs>[] => [
  ...[...folds, ...emptyFolds].map(([shape, axes]) =>
    fold(`[${shape}] over [${axes}]`, leaf(shape), axes, true),
  ),
  fold('transposed, rows', transposed(leaf([6, 5]), [1, 0]), [1], true),
  fold('transposed, columns', transposed(leaf([6, 5]), [1, 0]), [0], true),
  fold('permuted, inner', transposed(leaf([2, 3, 4]), [2, 0, 1]), [1], true),
  fold('repeated rows, kept', repeated(leaf([5]), [3, 5]), [1], true),
  ...folds
    .slice(3, 9)
    .map(([shape, axes]) =>
      fold(`i32 [${shape}] over [${axes}]`, draw.integers(shape, -1000, 1000), axes, false),
    ),
];

/** Cases of `sum`. */
export const sum = (draw: Draw): readonly Sample<ReduceAttrs>[] => [
  ...reduction(draw, (shape) => draw.uniform(shape, -1, 1)),
  fold('repeated rows, folded', repeated(draw.uniform([5], -1, 1), [3, 5]), [0], true),
  fold('repeated scalar', repeated(draw.uniform([], -1, 1), [9, 4]), [0, 1], true),
  fold('wide range', draw.magnitudes([4, 257], 1e-4, 1e4), [1], false),
  fold('infinities', f32Leaf([2, 3], [1, Number.POSITIVE_INFINITY, 2, 1, Number.NaN, 0]), [1], false),
];

/** Cases of `reduceMax`: elements at least 0.125 apart, and ties besides. */
export const reduceMax = (draw: Draw): readonly Sample<ReduceAttrs>[] => [
  ...reduction(draw, (shape) => draw.distinct(shape)),
  fold('ties', f32Leaf([3, 4], [1, 2, 2, 0, -1, -1, -1, -1, 0, -0, -5, 0]), [1], false),
  fold('repeated rows, folded', repeated(draw.distinct([5]), [3, 5]), [0], false),
  fold(
    'infinities',
    f32Leaf(
      [3, 2],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1, Number.NaN, 2],
    ),
    [1],
    false,
  ),
];

/** Cases of `argMax`: nothing to differentiate; ties go to the first. */
export const argMax = (draw: Draw): readonly Sample<ArgMaxAttrs>[] => {
  const along = (label: string, input: SampleInput, axis: number): Sample<ArgMaxAttrs> => ({
    label,
    inputs: [input],
    attrs: { axis },
    smooth: false,
  });
  return [
    ...folds
      .filter(([, axes]) => axes.length === 1)
      .map(([shape, axes]) => along(`[${shape}] along ${axes}`, draw.distinct(shape), axes[0]!)),
    along('ties', f32Leaf([5, 17], draw.integers([5, 17], 0, 3).data), 1),
    along('ties down', f32Leaf([17, 5], draw.integers([17, 5], 0, 3).data), 0),
    along('nothing kept', draw.distinct([0, 3]), 1),
    along('transposed', transposed(draw.distinct([6, 5]), [1, 0]), 1),
    along('repeated', repeated(draw.distinct([3, 1]), [3, 4]), 1),
    along('all -Infinity', f32Leaf([2, 3], new Array<number>(6).fill(Number.NEGATIVE_INFINITY)), 1),
    along('i32', draw.integers([4, 9], -50, 50), 1),
  ];
};
