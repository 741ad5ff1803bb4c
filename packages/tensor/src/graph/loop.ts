// The one fused step: a loop nest over strided inputs, an expression, and at most one reduction over trailing dimensions.
import type { Expression } from '../expression.ts';
import { toFunction } from '../expression.ts';
import { elementsOf, positionsOf } from '../ops/views.ts';
import type { Primitive } from '../primitive.ts';
import { sizeOf } from '../shape.ts';
import type { Data, Spec } from '../tensor.ts';

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

/** A fold over the last `rank` dimensions of the loop. An empty fold gives 0 for `sum` and -Infinity for `max` (the smallest integer of i32). */
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

/** Attrs of a loop step. */
export type LoopAttrs = { readonly loop: Loop; readonly spec: Spec };

/** The fused step as an op of its own. Fusion makes these; no user function does. */
export const loopOp: Primitive<LoopAttrs> = {
  name: 'loop',
  infer: (_inputs, { spec }) => spec,
  reference: (inputs, out, { loop }) => interpret(loop, inputs.map(elementsOf), out.data),
};

const interpret = (loop: Loop, inputs: readonly ArrayLike<number>[], out: Data): void => {
  const value = toFunction(loop.expression);
  const positions = inputs.map((_, k) =>
    positionsOf(loop.extents, { strides: loop.strides[k]!, offset: loop.offsets[k]! }),
  );
  const operands = new Float64Array(inputs.length);
  const at = (i: number): number => {
    inputs.forEach((data, k) => {
      operands[k] = data[positions[k]![i]!]!;
    });
    return value(operands);
  };
  const { reduction } = loop;
  if (reduction === undefined) {
    for (let i = 0; i < out.length; i++) out[i] = at(i);
    return;
  }
  const length = sizeOf(loop.extents.slice(loop.extents.length - reduction.rank));
  const least = out instanceof Int32Array ? -2147483648 : Number.NEGATIVE_INFINITY;
  for (let o = 0; o < out.length; o++) {
    let total = reduction.name === 'sum' ? 0 : least;
    for (let i = o * length; i < (o + 1) * length; i++)
      total = reduction.name === 'sum' ? total + at(i) : Math.max(total, at(i));
    out[o] = total;
  }
};
