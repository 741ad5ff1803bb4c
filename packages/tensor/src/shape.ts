// Shapes: sizes, strides, broadcasting, axes, and the size arithmetic of convolution and pooling.
import { ShapeError, sentence } from './errors.ts';
import type { Shape, Spec } from './tensor.ts';

/** The number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** Row-major strides of a shape, in elements. */
export const stridesOf = (shape: Shape): number[] => {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
};

/** Whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, d) => n === b[d]);

/** The shape both shapes broadcast to (NumPy rules), or undefined. */
export const broadcastShapes = (a: Shape, b: Shape): Shape | undefined => {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let d = 0; d < rank; d++) {
    const m = a[a.length - rank + d] ?? 1;
    const n = b[b.length - rank + d] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    shape.push(m === 1 ? n : m);
  }
  return shape;
};

/** Axes as sorted non-negative numbers without repeats; all axes when none are given. */
export const normalizeAxes = (
  where: string,
  axes: number | readonly number[] | undefined,
  spec: Spec,
): number[] => {
  const rank = spec.shape.length;
  const list = axes === undefined ? spec.shape.map((_, d) => d) : typeof axes === 'number' ? [axes] : axes;
  const found = list.map((axis) => normalizeAxis(where, axis, rank));
  return [...new Set(found)].sort((a, b) => a - b);
};

/** An axis as a number in [0, rank); negative axes count from the end. */
export const normalizeAxis = (where: string, axis: number, rank: number): number => {
  const positive = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(positive) && positive >= 0 && positive < rank) return positive;
  throw new ShapeError(
    sentence({
      where,
      needs: `an axis in [${-rank}, ${rank})`,
      got: `axis ${axis}`,
      advice: 'Check the rank of the input.',
    }),
  );
};

/** The shape without the given axes (or with size 1 there). `axes` are normalised. */
export const reduceShape = (shape: Shape, axes: readonly number[], keepDims: boolean): Shape => {
  const reduced = new Set(axes);
  return keepDims ? shape.map((n, d) => (reduced.has(d) ? 1 : n)) : shape.filter((_, d) => !reduced.has(d));
};

/** The number of positions of a window along one axis: floor((size + padding - reach) / stride) + 1, never below 0. */
export const windowCount = (
  size: number,
  window: number,
  stride: number,
  padding: number,
  dilation = 1,
): number => {
  const reach = dilation * (window - 1) + 1;
  return Math.max(0, Math.floor((size + padding - reach) / stride) + 1);
};
