// Cases of the primitives that keep the value of their first input.
import type { NoAttrs } from '../../ops/elementwise.ts';
import type { RuleAttrs } from '../../ops/structural.ts';
import type { Draw } from '../draw.ts';
import { f32Leaf } from '../draw.ts';
import type { Sample, SampleInput } from '../sample.ts';
import { repeated, transposed } from '../sample.ts';

const cases = (draw: Draw): readonly (readonly [string, SampleInput])[] => [
  ['scalar', draw.uniform([], -1, 1)],
  ['empty', draw.uniform([0, 3], -1, 1)],
  ['vector', draw.uniform([17], -1, 1)],
  ['transposed', transposed(draw.uniform([4, 5], -1, 1), [1, 0])],
  ['repeated', repeated(draw.uniform([5], -1, 1), [3, 5])],
  ['delicate values', f32Leaf([4], [Number.NaN, -0, Number.NEGATIVE_INFINITY, 1e-40])],
  ['i32', draw.integers([3, 3], -9, 9)],
  ['bool', draw.bools([7])],
];

const isSmooth = (label: string, input: SampleInput): boolean =>
  label !== 'delicate values' && input.spec.dtype === 'f32';

/** Cases of `identity`. */
export const identity = (draw: Draw): readonly Sample<NoAttrs>[] =>
  cases(draw).map(([label, input]) => ({
    label,
    inputs: [input],
    attrs: {},
    smooth: isSmooth(label, input),
  }));

/** Cases of `stopGradient`, whose declared derivative is not the numeric one. */
export const stopGradient = (draw: Draw): readonly Sample<NoAttrs>[] =>
  cases(draw).map(([label, input]) => ({ label, inputs: [input], attrs: {}, smooth: false }));

/** Cases of `withRule`, whose declared derivative is not the numeric one. */
export const withRule = (draw: Draw): readonly Sample<RuleAttrs>[] =>
  cases(draw).map(([label, input]) => ({
    label,
    inputs: [input, draw.uniform([3], -1, 1)],
    attrs: { rule: (_cotangent, inputs) => inputs.map(() => null) },
    smooth: false,
  }));

/** Cases of `after`; the dependency may have any shape and dtype. */
export const after = (draw: Draw): readonly Sample<NoAttrs>[] =>
  cases(draw).map(([label, input], i) => ({
    label,
    inputs: [input, i % 2 === 0 ? draw.uniform([2, 2], -1, 1) : draw.integers([], 0, 5)],
    attrs: {},
    smooth: isSmooth(label, input),
  }));
