// Cases of bilinear sampling and its two adjoints: inside, across the borders and outside, groups, derivatives of the interpolation.
import type { SampleAttrs, SampleInputGradAttrs } from '../../ops/sampling.ts';
import type { Shape } from '../../tensor.ts';
import type { Draw, Leaf } from '../draw.ts';
import { f32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

/** One sampling: the image, the groups of channels, taps and places of the points, and how often it is differentiated. */
interface Geometry {
  readonly label: string;
  readonly x: readonly [number, number, number, number];
  readonly points: readonly [groups: number, taps: number, places: number];
  readonly order: SampleAttrs['order'];
}

const geometry = (
  label: string,
  x: Geometry['x'],
  points: Geometry['points'],
  order: Geometry['order'] = [0, 0],
): Geometry => ({ label, x, points, order });

const geometries: readonly Geometry[] = [
  geometry('one pixel', [1, 2, 1, 1], [1, 1, 6]),
  geometry('one column', [2, 1, 5, 1], [1, 2, 7]),
  geometry('two columns', [1, 3, 3, 2], [1, 1, 9]),
  geometry('nine taps, groups', [2, 6, 4, 5], [3, 9, 4]),
  geometry('slope along y', [1, 2, 4, 5], [1, 3, 6], [1, 0]),
  geometry('slope along x', [2, 2, 4, 5], [2, 1, 7], [0, 1]),
  geometry('slope along both', [1, 3, 5, 4], [1, 2, 6], [1, 1]),
  geometry('no images', [0, 2, 4, 4], [1, 9, 4]),
  geometry('no places', [1, 2, 4, 4], [1, 9, 0]),
];

/** More places than kernels look up at a time. */
const long = geometry('many places', [1, 6, 7, 9], [2, 2, 601]);

/** Coordinates from a pixel and a half before the first to as far behind the last, at least 0.1 from whole ones. */
const coordinates = (draw: Draw, count: number, size: number): readonly number[] => {
  const fractions = draw.uniform([count], 0.1, 0.9).data;
  return Array.from(draw.integers([count], -2, size + 1).data, (whole, i) => whole + fractions[i]!);
};

const pointsOf = (draw: Draw, { x, points: [groups, taps, places] }: Geometry): Leaf => {
  const rows = x[0] * groups * taps;
  const [ys, xs] = [coordinates(draw, rows * places, x[2]), coordinates(draw, rows * places, x[3])];
  const values = Array.from({ length: rows }, (_, row) => [
    ...ys.slice(row * places, (row + 1) * places),
    ...xs.slice(row * places, (row + 1) * places),
  ]).flat();
  return f32Leaf([x[0], groups, taps, 2, places], values);
};

const signal = (draw: Draw, shape: Shape): Leaf => draw.uniform(shape, -1, 1);
const imageOf = (draw: Draw, { x }: Geometry): Leaf => signal(draw, x);
const maskOf = (draw: Draw, { x, points }: Geometry): Leaf => signal(draw, [x[0], ...points]);
const columnsOf = (draw: Draw, { x, points }: Geometry): Leaf =>
  signal(draw, [x[0], x[1], points[1], points[2]]);

/** On pixels, on the border, beyond it, far away and nowhere. */
const delicatePoints: Leaf = f32Leaf(
  [1, 1, 1, 2, 8],
  [...[0, 2, -1, 3, 1, 1e9, Number.NEGATIVE_INFINITY, Number.NaN], ...[0, 3, 1, 1, 4, 1, 1, 1]],
);
const delicate = geometry('whole and impossible coordinates', [1, 2, 3, 4], [1, 1, 8]);

const cases = (draw: Draw): readonly (readonly [Geometry, Leaf])[] => [
  ...[...geometries, long].map((g) => [g, pointsOf(draw, g)] as const),
  [delicate, delicatePoints],
];
const isSmooth = (g: Geometry): boolean => g !== delicate && g !== long;

/** Cases of `sampleBilinear`. */
export const sampleBilinear = (draw: Draw): readonly Sample<SampleAttrs>[] => {
  const arranged = (label: string, x: SampleInput, g: Geometry, mask: SampleInput): Sample<SampleAttrs> => ({
    label,
    inputs: [x, pointsOf(draw, g), mask],
    attrs: { order: [0, 0] },
    smooth: true,
  });
  const plain = geometry('', [2, 3, 4, 5], [1, 2, 6]);
  return [
    ...cases(draw).map(([g, points]) => ({
      label: g.label,
      inputs: [imageOf(draw, g), points, maskOf(draw, g)],
      attrs: { order: g.order },
      smooth: isSmooth(g),
    })),
    arranged(
      'channels last',
      transposed(signal(draw, [2, 4, 5, 3]), [0, 3, 1, 2]),
      plain,
      maskOf(draw, plain),
    ),
    arranged('one mask for all', imageOf(draw, plain), plain, repeated(signal(draw, [6]), [2, 1, 2, 6])),
  ];
};

/** Cases of `sampleBilinearInputGrad`: points collide. */
export const inputGradient = (draw: Draw): readonly Sample<SampleInputGradAttrs>[] =>
  cases(draw).map(([g, points]) => ({
    label: g.label,
    inputs: [columnsOf(draw, g), points, maskOf(draw, g)],
    attrs: { order: g.order, size: [g.x[2], g.x[3]] },
    smooth: isSmooth(g),
  }));

/** Cases of `sampleBilinearPointGrad`. */
export const pointGradient = (draw: Draw): readonly Sample<SampleAttrs>[] =>
  cases(draw).map(([g, points]) => ({
    label: g.label,
    inputs: [imageOf(draw, g), columnsOf(draw, g), points],
    attrs: { order: g.order },
    smooth: isSmooth(g),
  }));
