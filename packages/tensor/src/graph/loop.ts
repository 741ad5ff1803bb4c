// The one fused step: a loop nest over strided inputs, an expression, and at most one reduction over trailing dimensions.
import type { Expression } from '../expression.ts';

/**
 * What a fused step computes. For every index of the iteration space, input k is read at
 * `offsets[k] + Σ index[d] * strides[k][d]` (in elements), and the expression gives the value. Without a reduction the values fill
 * the output in row-major order of `extents`. With one, the last `rank` dimensions are folded and the output is row-major over the others.
 */
export interface Loop {
  /** Sizes of the iteration space, outermost first; [] is a single element. */
  readonly extents: readonly number[];
  /** Per input, the step in elements along every dimension; 0 repeats. */
  readonly strides: readonly (readonly number[])[];
  /** Per input, the element of index 0. */
  readonly offsets: readonly number[];
  readonly expression: Expression;
  readonly reduction?: Reduction;
}

/** A fold over the last `rank` dimensions of the loop. An empty fold gives 0 for `sum` and -Infinity for `max`. */
export interface Reduction {
  readonly name: 'sum' | 'max';
  readonly rank: number;
}

/** The loop with size-1 dimensions dropped and neighbours merged where every input walks them as one. Same meaning, shorter nest. */
export const coalesce = (loop: Loop): Loop => {
  const boundary = loop.extents.length - (loop.reduction?.rank ?? 0);
  const extents: number[] = [];
  const strides = loop.strides.map((): number[] => []);
  let reduced = 0;
  loop.extents.forEach((extent, d) => {
    if (extent === 1) return;
    const isReduced = d >= boundary;
    const last = extents.length - 1;
    const mergeable =
      last >= 0 &&
      isReduced === reduced > 0 &&
      loop.strides.every((s, k) => strides[k]![last] === s[d]! * extent);
    if (mergeable) {
      extents[last] = extents[last]! * extent;
      loop.strides.forEach((s, k) => {
        strides[k]![last] = s[d]!;
      });
      return;
    }
    extents.push(extent);
    loop.strides.forEach((s, k) => {
      strides[k]!.push(s[d]!);
    });
    if (isReduced) reduced++;
  });
  const { reduction, ...rest } = loop;
  return reduction === undefined
    ? { ...rest, extents, strides }
    : { ...rest, extents, strides, reduction: { ...reduction, rank: reduced } };
};
