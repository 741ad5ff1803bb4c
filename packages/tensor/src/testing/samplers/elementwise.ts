// Cases of the elementwise primitives: all lengths around vector widths, strided inputs, wide ranges, special values.
import type { CastAttrs, NoAttrs } from '../../ops/elementwise.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import { boolLeaf, f32Leaf, i32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

type Cases = readonly Sample<NoAttrs>[];

/** Shapes of every kind: scalar, empty, below, at and above the vector width, one large enough for an unrolled loop. */
const shapes: readonly Shape[] = [[], [0], [1], [3], [4], [5], [17], [2, 0, 3], [2, 3, 5], [31, 33]];

/** A few shapes, for further dtypes. */
const fewShapes: readonly Shape[] = [[], [5], [0, 2], [3, 7]];

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: minusInfinity } = Number;

/** Values with rules of their own: zeros, ones, infinities, NaN, subnormals, the largest, halves and large integers. */
const specialValues: readonly number[] = [
  0,
  -0,
  1,
  -1,
  nan,
  infinity,
  minusInfinity,
  1e-40,
  -1e-40,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  0.5,
  -0.5,
  1e-30,
  2,
  -3,
  16777216,
];

const plain = (label: string, inputs: readonly SampleInput[], smooth: boolean): Sample<NoAttrs> => ({
  label,
  inputs,
  attrs: {},
  smooth,
});

/** One input through strides: read across rows, and repeated along both dimensions. */
const stridedUnary = (leaf: (shape: Shape) => Leaf, smooth: boolean): Cases => [
  plain('transposed', [transposed(leaf([5, 6]), [1, 0])], smooth),
  plain('repeated rows', [repeated(leaf([7]), [3, 7])], smooth),
  plain('repeated columns', [repeated(leaf([3, 1]), [3, 5])], smooth),
];

/** How a unary primitive is sampled. */
export interface UnaryRanges {
  /** Magnitudes at which derivatives are checked; [0.2, 2] by default. */
  readonly smooth?: readonly [number, number];
  /** Magnitudes over which values are compared; [1e-3, 1e3] by default. */
  readonly wide?: readonly [number, number];
  /** Positive arguments only, outside the special values. */
  readonly positive?: boolean;
  /** Further values worth a look. */
  readonly besides?: readonly number[];
  /** Whether the op takes i32. */
  readonly integers?: boolean;
}

/** Cases of an op of one f32 tensor. */
export const unary =
  ({ smooth = [0.2, 2], wide = [1e-3, 1e3], positive, besides = [], integers }: UnaryRanges) =>
  (draw: Draw): Cases => {
    const leaf = (shape: Shape): Leaf =>
      positive === true ? draw.uniform(shape, ...smooth) : draw.aroundZero(shape, ...smooth);
    const spread = draw.magnitudes([129], ...wide);
    const wideLeaf = positive === true ? f32Leaf([129], spread.data.map(Math.abs)) : spread;
    return [
      ...shapes.map((shape) => plain(`[${shape}]`, [leaf(shape)], true)),
      ...stridedUnary(leaf, true),
      plain('wide range', [wideLeaf], false),
      plain(
        'special values',
        [f32Leaf([specialValues.length + besides.length], [...specialValues, ...besides])],
        false,
      ),
      ...(integers === true ? integerCases(draw, 1) : []),
    ];
  };

const integerCases = (draw: Draw, arity: number): Cases => [
  ...fewShapes.map((shape) =>
    plain(
      `i32 [${shape}]`,
      Array.from({ length: arity }, () => draw.integers(shape, -1000, 1000)),
      false,
    ),
  ),
  plain(
    'i32 that wraps',
    [
      i32Leaf([5], [2147483647, -2147483648, 65537, -7, 123456789]),
      i32Leaf([5], [1, -1, 65537, 3, 987654321]),
    ].slice(0, arity),
    false,
  ),
];

/** Cases of `floor`: at least 0.2 from the next integer. */
export const floor = (draw: Draw): Cases => {
  const leaf = (shape: Shape): Leaf => {
    const [whole, part] = [draw.integers(shape, -5, 5), draw.uniform(shape, 0.2, 0.8)];
    return f32Leaf(
      shape,
      Array.from(part.data, (x, i) => whole.data[i]! + x),
    );
  };
  return [
    ...shapes.map((shape) => plain(`[${shape}]`, [leaf(shape)], true)),
    ...stridedUnary(leaf, true),
    plain('wide range', [draw.magnitudes([129], 1e-3, 1e9)], false),
    plain('special values', [f32Leaf([specialValues.length], specialValues)], false),
  ];
};

/** Every special value against every other. */
const specialPairs = (values: readonly number[]): readonly [Leaf, Leaf] => {
  const count = values.length ** 2;
  return [
    f32Leaf(
      [count],
      values.flatMap((x) => values.map(() => x)),
    ),
    f32Leaf(
      [count],
      values.flatMap(() => values),
    ),
  ];
};

/** Two inputs through strides: scalar, row and column operands, and one read across. */
const stridedBinary = (leaf: (shape: Shape) => Leaf, smooth: boolean): Cases => [
  plain('scalar operand', [leaf([3, 5]), repeated(leaf([]), [3, 5])], smooth),
  plain('row operand', [leaf([4, 7]), repeated(leaf([7]), [4, 7])], smooth),
  plain('column operand', [repeated(leaf([4, 1]), [4, 7]), leaf([4, 7])], smooth),
  plain('channel operand', [leaf([2, 3, 2, 5]), repeated(leaf([3, 1, 1]), [2, 3, 2, 5])], smooth),
  plain('outer product', [repeated(leaf([5, 1]), [5, 6]), repeated(leaf([1, 6]), [5, 6])], smooth),
  plain('transposed operand', [leaf([6, 5]), transposed(leaf([5, 6]), [1, 0])], smooth),
];

/** Cases of an arithmetic op of two tensors, magnitudes in [0.3, 2]. */
export const binary =
  ({ integers }: { readonly integers?: boolean }) =>
  (draw: Draw): Cases => {
    const leaf = (shape: Shape): Leaf => draw.aroundZero(shape, 0.3, 2);
    return [
      ...shapes.map((shape) => plain(`[${shape}]`, [leaf(shape), leaf(shape)], true)),
      ...stridedBinary(leaf, true),
      plain('wide range', [draw.magnitudes([129], 1e-15, 1e15), draw.magnitudes([129], 1e-15, 1e15)], false),
      plain('special values', specialPairs(specialValues), false),
      ...(integers === true ? integerCases(draw, 2) : []),
    ];
  };

/** Cases of `pow`: positive bases for derivatives; signed bases with whole exponents and the special values besides. */
export const power = (draw: Draw): Cases => {
  const base = (shape: Shape): Leaf => draw.uniform(shape, 0.4, 2);
  const exponent = (shape: Shape): Leaf => draw.aroundZero(shape, 0.3, 2.5);
  return [
    ...shapes.map((shape) => plain(`[${shape}]`, [base(shape), exponent(shape)], true)),
    plain('one exponent', [base([3, 5]), repeated(f32Leaf([], [2]), [3, 5])], true),
    plain('one base', [repeated(f32Leaf([], [0.9]), [17]), exponent([17])], true),
    plain(
      'whole exponents',
      [draw.aroundZero([65], 0.5, 3), f32Leaf([65], draw.integers([65], -4, 5).data)],
      false,
    ),
    plain('wide range', [draw.uniform([129], 1e-3, 50), draw.aroundZero([129], 0.1, 12)], false),
    plain('special values', specialPairs([0, 0.5, 1, 2, -2, -1, 3, 0.3, nan, infinity]), false),
  ];
};

/** A leaf whose elements differ by at least `gap` from those of another, at the same index. */
const apartFrom = (draw: Draw, { spec, data }: Leaf, gap: number): Leaf => {
  const step = draw.aroundZero(spec.shape, gap, 1);
  return f32Leaf(
    spec.shape,
    Array.from(step.data, (x, i) => data[i]! + x),
  );
};

/** Cases of `minimum` and `maximum`: operands at least 0.2 apart, and ties besides. */
export const extremum = (draw: Draw): Cases => {
  const pair = (shape: Shape): readonly [Leaf, Leaf] => {
    const a = draw.uniform(shape, -2, 2);
    return [a, apartFrom(draw, a, 0.2)];
  };
  const tied = draw.uniform([9], -1, 1);
  return [
    ...shapes.map((shape) => plain(`[${shape}]`, pair(shape), true)),
    plain('bound', [draw.aroundZero([3, 5], 0.2, 2), repeated(f32Leaf([], [0]), [3, 5])], true),
    plain('apart by a row', [draw.uniform([4, 7], -1, 1), repeated(draw.uniform([7], 2, 3), [4, 7])], true),
    ...stridedBinary((shape) => draw.uniform(shape, -2, 2), false),
    plain('ties', [tied, tied], false),
    plain('special values', specialPairs(specialValues), false),
    ...integerCases(draw, 2),
  ];
};

/** Cases of `less` and `lessEqual`: nothing to differentiate. */
export const comparison = (draw: Draw): Cases => {
  const leaf = (shape: Shape): Leaf => f32Leaf(shape, draw.integers(shape, -2, 3).data);
  return [
    ...shapes.map((shape) => plain(`[${shape}]`, [leaf(shape), leaf(shape)], false)),
    ...stridedBinary(leaf, false),
    plain('special values', specialPairs(specialValues), false),
    ...integerCases(draw, 2),
  ];
};

/** Cases of `equal`: those of comparisons, and bools. */
export const equality = (draw: Draw): Cases => [
  ...comparison(draw),
  ...fewShapes.map((shape) => plain(`bool [${shape}]`, [draw.bools(shape), draw.bools(shape)], false)),
];

/** Cases of `select` in every dtype, with operands and condition repeated. */
export const select = (draw: Draw): Cases => {
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -2, 2);
  return [
    ...shapes.map((shape) => plain(`[${shape}]`, [draw.bools(shape), leaf(shape), leaf(shape)], true)),
    plain(
      'column condition',
      [repeated(draw.bools([4, 1]), [4, 7]), leaf([4, 7]), repeated(leaf([]), [4, 7])],
      true,
    ),
    plain('transposed condition', [transposed(draw.bools([5, 6]), [1, 0]), leaf([6, 5]), leaf([6, 5])], true),
    plain(
      'unchosen NaN',
      [
        boolLeaf([5], [1, 0, 1, 0, 1]),
        f32Leaf([5], [1, nan, -0, infinity, 2]),
        f32Leaf([5], [nan, 3, nan, -0, nan]),
      ],
      false,
    ),
    ...fewShapes.flatMap((shape) => [
      plain(
        `i32 [${shape}]`,
        [draw.bools(shape), draw.integers(shape, -9, 9), draw.integers(shape, -9, 9)],
        false,
      ),
      plain(`bool [${shape}]`, [draw.bools(shape), draw.bools(shape), draw.bools(shape)], false),
    ]),
  ];
};

/** Cases of `cast` between all different dtypes. */
export const cast = (draw: Draw): readonly Sample<CastAttrs>[] => {
  const to = (dtype: CastAttrs['dtype'], label: string, leaf: SampleInput): Sample<CastAttrs> => ({
    label: `${leaf.spec.dtype} to ${dtype}, ${label}`,
    inputs: [leaf],
    attrs: { dtype },
    smooth: false,
  });
  const outside = f32Leaf([9], [nan, infinity, minusInfinity, 3e9, -3e9, 2147483520, -2147483648, 0.9, -0.9]);
  return [
    ...shapes.flatMap((shape) => [
      to('i32', `[${shape}]`, draw.uniform(shape, -9, 9)),
      to('f32', `[${shape}]`, draw.integers(shape, -1000, 1000)),
      to('f32', `[${shape}]`, draw.bools(shape)),
    ]),
    to('bool', 'zeros', f32Leaf([6], [0, -0, 1e-40, nan, -2, infinity])),
    to('bool', 'integers', draw.integers([17], -1, 2)),
    to('i32', 'bools', draw.bools([17])),
    to('i32', 'values out of range', outside),
    to('f32', 'large integers', i32Leaf([5], [16777217, 2147483647, -2147483648, 33554435, -1])),
    to('i32', 'transposed', transposed(draw.uniform([5, 6], -9, 9), [1, 0])),
    to('f32', 'repeated', repeated(draw.bools([7]), [3, 7])),
  ];
};
