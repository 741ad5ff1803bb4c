// Cases of the matrix product: sizes around register tiles, all four transpositions, batches, empty sizes, strided inputs.
import type { MatmulAttrs } from '../../ops/matmul.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

/** Batch, rows, columns and inner size of a product. */
type Sizes = readonly [batch: Shape, m: number, n: number, k: number];

const sizes: readonly Sizes[] = [
  [[], 1, 1, 1],
  [[], 3, 4, 5],
  [[], 4, 8, 4],
  [[], 1, 17, 9],
  [[], 17, 1, 9],
  [[], 5, 3, 1],
  [[2], 3, 5, 4],
  [[2, 3], 2, 3, 4],
  [[], 3, 4, 0],
  [[], 0, 4, 3],
  [[0], 2, 3, 4],
];

/** Sizes past a few register tiles and one cache block: too slow to differentiate numerically in every direction. */
const largeSizes: readonly Sizes[] = [
  [[], 33, 65, 17],
  [[], 64, 64, 64],
  [[3], 19, 23, 129],
];

/** Cases of `matmul`. */
export const matmul = (draw: Draw): readonly Sample<MatmulAttrs>[] => {
  const leaf = (shape: Shape): Leaf => draw.uniform(shape, -1, 1);
  const product = (
    [batch, m, n, k]: Sizes,
    transposeA: boolean,
    transposeB: boolean,
  ): Sample<MatmulAttrs> => ({
    label: `[${batch}] ${m} x ${k}${transposeA ? ' transposed' : ''} by ${k} x ${n}${transposeB ? ' transposed' : ''}`,
    inputs: [
      leaf([...batch, ...(transposeA ? [k, m] : [m, k])]),
      leaf([...batch, ...(transposeB ? [n, k] : [k, n])]),
    ],
    attrs: { transposeA, transposeB },
    smooth: true,
  });
  const strided = (label: string, inputs: readonly SampleInput[]): Sample<MatmulAttrs> => ({
    label,
    inputs,
    attrs: { transposeA: false, transposeB: false },
    smooth: true,
  });
  const ways = [false, true].flatMap((a) => [false, true].map((b) => [a, b] as const));
  return [
    ...sizes.flatMap((size) => ways.map(([a, b]) => product(size, a, b))),
    ...largeSizes.flatMap((size) => ways.map(([a, b]) => product(size, a, b))),
    strided('left operand read across', [transposed(leaf([5, 3]), [1, 0]), leaf([5, 4])]),
    strided('right operand read across', [leaf([3, 5]), transposed(leaf([4, 5]), [1, 0])]),
    strided('one weight for a batch', [leaf([2, 3, 5]), repeated(leaf([5, 4]), [2, 5, 4])]),
    strided('one row for all', [repeated(leaf([1, 5]), [3, 5]), leaf([5, 4])]),
  ];
};
