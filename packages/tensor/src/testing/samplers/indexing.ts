// Cases of the ops whose positions are data, and of random bits.
import type { GatherAttrs, ScatterAttrs, TopKAttrs } from '../../ops/indexing.ts';
import type { RandomAttrs } from '../../ops/random.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import { f32Leaf, i32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

/** A way to index: the shape of the source, of the indices, the axis and the number of batch dimensions. */
interface Indexing {
  readonly shape: Shape;
  readonly indices: Shape;
  readonly axis: number;
  readonly batch: number;
}

const indexings: readonly Indexing[] = [
  { shape: [5], indices: [3], axis: 0, batch: 0 },
  { shape: [5], indices: [], axis: 0, batch: 0 },
  { shape: [4, 3], indices: [6], axis: 0, batch: 0 },
  { shape: [4, 17], indices: [3], axis: 0, batch: 0 },
  { shape: [3, 5], indices: [7], axis: 1, batch: 0 },
  { shape: [2, 3, 4], indices: [2, 2], axis: 1, batch: 0 },
  { shape: [2, 3, 4, 5], indices: [3], axis: 3, batch: 0 },
  { shape: [3, 5], indices: [3, 2], axis: 1, batch: 1 },
  { shape: [3, 5], indices: [3], axis: 1, batch: 1 },
  { shape: [2, 5, 4], indices: [2, 3], axis: 1, batch: 1 },
  { shape: [2, 3, 4], indices: [2, 5], axis: 2, batch: 1 },
  { shape: [2, 3, 6], indices: [2, 3, 2], axis: 2, batch: 2 },
  { shape: [4, 3], indices: [0], axis: 0, batch: 0 },
  { shape: [0, 3], indices: [0, 2], axis: 1, batch: 1 },
  { shape: [40, 33], indices: [65], axis: 0, batch: 0 },
];

const name = ({ shape, indices, axis, batch }: Indexing): string =>
  `[${shape}] by [${indices}] along ${axis}, ${batch} batch`;

/** Cases of `gather`; indices repeat. */
export const gather = (draw: Draw): readonly Sample<GatherAttrs>[] => {
  const from = (
    label: string,
    x: SampleInput,
    at: SampleInput,
    axis: number,
    batch = 0,
  ): Sample<GatherAttrs> => ({
    label,
    inputs: [x, at],
    attrs: { axis, batch },
    smooth: x.spec.dtype === 'f32',
  });
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...indexings.map((it) =>
      from(name(it), leaf(it.shape), draw.integers(it.indices, 0, it.shape[it.axis]!), it.axis, it.batch),
    ),
    from('transposed', transposed(leaf([4, 5]), [1, 0]), draw.integers([3], 0, 5), 0),
    from('repeated', repeated(leaf([4]), [3, 4]), draw.integers([2], 0, 3), 0),
    from('repeated indices', leaf([3, 5]), repeated(draw.integers([4], 0, 5), [3, 4]), 1, 1),
    from('i32', draw.integers([4, 3], -9, 9), draw.integers([5], 0, 4), 0),
    from('bool', draw.bools([4, 3]), draw.integers([5], 0, 4), 0),
    {
      ...from('delicate values', f32Leaf([3], [Number.NaN, -0, 1e-40]), i32Leaf([4], [2, 0, 1, 1]), 0),
      smooth: false,
    },
  ];
};

/** Cases of `scatterAdd`: the adjoint of each gather, so positions collide. */
export const scatterAdd = (draw: Draw): readonly Sample<ScatterAttrs>[] => {
  const into = (
    label: string,
    updates: SampleInput,
    at: SampleInput,
    attrs: ScatterAttrs,
  ): Sample<ScatterAttrs> => ({
    label,
    inputs: [updates, at],
    attrs,
    smooth: updates.spec.dtype === 'f32',
  });
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  return [
    ...indexings.map((it) => {
      const { shape, indices, axis, batch } = it;
      const updates = [...shape.slice(0, axis), ...indices.slice(batch), ...shape.slice(axis + 1)];
      const size = shape[axis]!;
      return into(name(it), leaf(updates), draw.integers(indices, 0, size), { axis, batch, size });
    }),
    into('one place', leaf([17]), i32Leaf([17], new Array<number>(17).fill(1)), {
      axis: 0,
      batch: 0,
      size: 3,
    }),
    into('transposed', transposed(leaf([3, 4]), [1, 0]), draw.integers([4], 0, 6), {
      axis: 0,
      batch: 0,
      size: 6,
    }),
    into('repeated', repeated(leaf([]), [5]), draw.integers([5], 0, 4), { axis: 0, batch: 0, size: 4 }),
    into('i32', draw.integers([6, 2], -9, 9), draw.integers([6], 0, 3), { axis: 0, batch: 0, size: 3 }),
  ];
};

/** Cases of `topKIndices`: nothing to differentiate; of equals the first. */
export const topKIndices = (draw: Draw): readonly Sample<TopKAttrs>[] => {
  const best = (label: string, input: SampleInput, count: number): Sample<TopKAttrs> => ({
    label,
    inputs: [input],
    attrs: { count },
    smooth: false,
  });
  return [
    best('all of one', draw.distinct([1]), 1),
    best('some', draw.distinct([17]), 5),
    best('none', draw.distinct([2, 4]), 0),
    best('all in rows', draw.distinct([3, 5]), 5),
    best('no rows', draw.distinct([0, 5]), 2),
    best('many rows', draw.distinct([2, 3, 9]), 3),
    best('medium', draw.distinct([3, 200]), 20),
    best('ties', f32Leaf([4, 12], draw.integers([4, 12], 0, 3).data), 7),
    best('infinities', f32Leaf([4], [1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0]), 4),
    best('transposed', transposed(draw.distinct([6, 4]), [1, 0]), 2),
    best('i32', draw.integers([2, 9], -20, 20), 4),
  ];
};

/** Cases of `randomBits`. */
export const randomBits = (draw: Draw): readonly Sample<RandomAttrs>[] => {
  const shapes: readonly Shape[] = [[], [0], [1], [2], [3], [17], [4, 5], [1025]];
  const bits = (label: string, key: Leaf, attrs: RandomAttrs): Sample<RandomAttrs> => ({
    label,
    inputs: [key],
    attrs,
    smooth: false,
  });
  return [
    ...shapes.flatMap((shape) =>
      [1, 24, 32].map((count) =>
        bits(`[${shape}], ${count} bits`, draw.integers([2], -2147483648, 2147483647), {
          shape,
          bits: count,
        }),
      ),
    ),
    bits('zero key', i32Leaf([2], [0, 0]), { shape: [8], bits: 32 }),
    bits('key of ones', i32Leaf([2], [-1, -1]), { shape: [8], bits: 32 }),
  ];
};
