// Cases of the movement primitives: every rank from 0 to 4, empty dimensions, all dtypes, inputs that are strided already.
import type { ConcatAttrs, PadAttrs, ShapeAttrs, SliceAttrs, TransposeAttrs } from '../../ops/movement.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import { f32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

/** A leaf of every dtype, for ops that only move elements. */
const everyDType = (draw: Draw, shape: Shape): readonly Leaf[] => [
  draw.uniform(shape, -1, 1),
  draw.integers(shape, -9, 9),
  draw.bools(shape),
];

const one = <A>(label: string, input: SampleInput, attrs: A): Sample<A> => ({
  label: `${input.spec.dtype} ${label}`,
  inputs: [input],
  attrs,
  smooth: input.spec.dtype === 'f32',
});

/** Values that a move must keep bit by bit. */
const delicate = f32Leaf(
  [2, 3],
  [Number.NaN, -0, Number.POSITIVE_INFINITY, 1e-40, 0, Number.NEGATIVE_INFINITY],
);

/** The same case for data that no derivative can be taken of. */
const rough = <A>(sample: Sample<A>): Sample<A> => ({ ...sample, smooth: false });

/** Cases of `reshape`. */
export const reshape = (draw: Draw): readonly Sample<ShapeAttrs>[] => {
  const pairs: readonly (readonly [Shape, Shape])[] = [
    [[], [1, 1]],
    [[1], []],
    [[6], [2, 3]],
    [[2, 3, 5], [30]],
    [
      [2, 6],
      [2, 3, 2],
    ],
    [
      [4, 5],
      [5, 4],
    ],
    [
      [0, 3],
      [3, 0, 2],
    ],
    [[2, 1, 17], [34]],
  ];
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...pairs.flatMap(([from, to]) =>
      everyDType(draw, from).map((input) => one(`[${from}] to [${to}]`, input, { shape: to })),
    ),
    one('transposed, merged', transposed(leaf([4, 5]), [1, 0]), { shape: [20] }),
    one('transposed, split', transposed(leaf([6, 4]), [1, 0]), { shape: [4, 2, 3] }),
    one('transposed, partly merged', transposed(leaf([2, 3, 4]), [2, 0, 1]), { shape: [4, 6] }),
    one('repeated rows, merged', repeated(leaf([5]), [3, 5]), { shape: [15] }),
    one('repeated columns, split', repeated(leaf([3, 1]), [3, 4]), { shape: [3, 2, 2] }),
    rough(one('delicate values', delicate, { shape: [3, 2] })),
  ];
};

/** Cases of `transpose`. */
export const transpose = (draw: Draw): readonly Sample<TransposeAttrs>[] => {
  const list: readonly (readonly [Shape, readonly number[]])[] = [
    [[], []],
    [[5], [0]],
    [
      [3, 4],
      [1, 0],
    ],
    [
      [1, 17],
      [1, 0],
    ],
    [
      [0, 3],
      [1, 0],
    ],
    [
      [2, 3, 5],
      [2, 1, 0],
    ],
    [
      [2, 3, 5],
      [0, 2, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 3, 1],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 0, 2],
    ],
  ];
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...list.flatMap(([shape, axes]) =>
      everyDType(draw, shape).map((input) => one(`[${shape}] by [${axes}]`, input, { axes })),
    ),
    one('medium', leaf([33, 41]), { axes: [1, 0] }),
    one('transposed back', transposed(leaf([4, 6]), [1, 0]), { axes: [1, 0] }),
    one('repeated', repeated(leaf([5]), [3, 5]), { axes: [1, 0] }),
    rough(one('delicate values', delicate, { axes: [1, 0] })),
  ];
};

/** Cases of `broadcastTo`. */
export const broadcastTo = (draw: Draw): readonly Sample<ShapeAttrs>[] => {
  const pairs: readonly (readonly [Shape, Shape])[] = [
    [[], []],
    [[], [3, 5]],
    [[1], [17]],
    [[5], [3, 5]],
    [
      [3, 1],
      [3, 5],
    ],
    [
      [1, 3, 1],
      [2, 3, 4],
    ],
    [
      [3, 1, 1],
      [2, 3, 2, 5],
    ],
    [[1], [0]],
    [
      [0, 1],
      [0, 4],
    ],
    [
      [2, 1, 3],
      [2, 0, 3],
    ],
  ];
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...pairs.flatMap(([from, to]) =>
      everyDType(draw, from).map((input) => one(`[${from}] to [${to}]`, input, { shape: to })),
    ),
    one('transposed', transposed(leaf([3, 4]), [1, 0]), { shape: [2, 4, 3] }),
    one('repeated again', repeated(leaf([3, 1]), [3, 4]), { shape: [2, 3, 4] }),
    rough(one('delicate values', delicate, { shape: [2, 2, 3] })),
  ];
};

/** Cases of `slice`. */
export const slice = (draw: Draw): readonly Sample<SliceAttrs>[] => {
  const list: readonly (readonly [Shape, readonly number[], readonly number[]])[] = [
    [[], [], []],
    [[17], [3], [5]],
    [[5], [5], [0]],
    [
      [4, 5],
      [1, 0],
      [2, 5],
    ],
    [
      [4, 5],
      [0, 2],
      [4, 3],
    ],
    [
      [2, 3, 7],
      [1, 1, 3],
      [1, 2, 4],
    ],
    [
      [2, 3, 4, 5],
      [0, 1, 2, 1],
      [2, 2, 1, 3],
    ],
    [
      [3, 0],
      [1, 0],
      [2, 0],
    ],
  ];
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...list.flatMap(([shape, begin, size]) =>
      everyDType(draw, shape).map((input) => one(`[${shape}] from [${begin}]`, input, { begin, size })),
    ),
    one('transposed', transposed(leaf([5, 6]), [1, 0]), { begin: [1, 2], size: [4, 3] }),
    one('repeated', repeated(leaf([6]), [4, 6]), { begin: [1, 2], size: [2, 3] }),
    rough(one('delicate values', delicate, { begin: [0, 1], size: [2, 2] })),
  ];
};

/** Cases of `pad`. */
export const pad = (draw: Draw): readonly Sample<PadAttrs>[] => {
  const list: readonly (readonly [Shape, readonly number[], readonly number[], number])[] = [
    [[], [], [], 0],
    [[5], [0], [0], 0],
    [[5], [2], [1], 0],
    [[0], [1], [2], 1],
    [[3, 4], [1, 0], [0, 2], 1],
    [[2, 3, 5], [0, 1, 1], [0, 2, 0], 0],
    [[1, 2, 3, 4], [0, 0, 1, 2], [0, 0, 3, 1], 0],
  ];
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...list.flatMap(([shape, before, afterwards, value]) =>
      everyDType(draw, shape).map((input) =>
        one(`[${shape}] by [${before}] and [${afterwards}]`, input, { before, afterwards, value }),
      ),
    ),
    one('with a fraction', leaf([3, 5]), { before: [1, 1], afterwards: [1, 1], value: -0.375 }),
    one('transposed', transposed(leaf([4, 3]), [1, 0]), { before: [1, 0], afterwards: [0, 2], value: 0 }),
    one('repeated', repeated(leaf([1, 3]), [4, 3]), { before: [0, 1], afterwards: [1, 0], value: 2 }),
    rough(
      one('with -Infinity', delicate, {
        before: [1, 1],
        afterwards: [0, 1],
        value: Number.NEGATIVE_INFINITY,
      }),
    ),
  ];
};

/** Cases of `concat`. */
export const concat = (draw: Draw): readonly Sample<ConcatAttrs>[] => {
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  const join = (label: string, inputs: readonly SampleInput[], axis: number): Sample<ConcatAttrs> => ({
    label,
    inputs,
    attrs: { axis },
    smooth: inputs[0]!.spec.dtype === 'f32',
  });
  return [
    join('one input', [leaf([3, 4])], 1),
    join('vectors', [leaf([3]), leaf([1]), leaf([5])], 0),
    join('rows', [leaf([2, 5]), leaf([3, 5])], 0),
    join('columns', [leaf([3, 2]), leaf([3, 5]), leaf([3, 1])], 1),
    join('channels', [leaf([2, 3, 2, 3]), leaf([2, 1, 2, 3])], 1),
    join('an empty part', [leaf([2, 0]), leaf([2, 3]), leaf([2, 0])], 1),
    join('nothing', [leaf([0, 3]), leaf([0, 3])], 0),
    join('transposed and repeated', [transposed(leaf([4, 3]), [1, 0]), repeated(leaf([3, 1]), [3, 2])], 1),
    join('i32', [draw.integers([2, 3], -9, 9), draw.integers([2, 4], -9, 9)], 1),
    join('bool', [draw.bools([3, 5]), draw.bools([2, 5])], 0),
    rough(join('delicate values', [delicate, delicate], 1)),
  ];
};
