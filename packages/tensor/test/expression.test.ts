// The two meanings of every elementwise op, its reference loops and its scalar expression, are one function.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Expression } from '../src/expression.ts';
import * as expression from '../src/expression.ts';
import { coalesce, loopOp } from '../src/graph/loop.ts';
import type { Data, DType, Primitive, PrimitiveName } from '../src/index.ts';
import { primitives, sizeOf } from '../src/index.ts';
import { viewOf } from '../src/ops/views.ts';
import { leavesOf, outputOf } from '../src/testing/sample.ts';
import { samplesOf } from '../src/testing/samples.ts';

const { binary, castTo, choose, input, literal, substitute, toFunction, unary } = expression;

const elementwise = (Object.keys(primitives) as PrimitiveName[]).filter(
  (name) => primitives[name].expression !== undefined,
);

const storageFor = (dtype: DType, size: number): Data => {
  if (dtype === 'i32') return new Int32Array(size);
  return dtype === 'bool' ? new Uint8Array(size) : new Float64Array(size);
};

/** Equal, or nearly: the expression of log1p cancels its rounding up to a few units in the last place. */
const agree = (a: number, b: number): boolean =>
  Object.is(a, b) || Math.abs(a - b) <= 8 * Number.EPSILON * Math.abs(b);

test('the elementwise ops are the ones with an expression', () => {
  expect(elementwise).toHaveLength(20);
});

describe('toFunction of the expression is the reference', () => {
  test.each(elementwise)('%s', (name) => {
    const op = primitives[name] as Primitive;
    for (const sample of samplesOf(name)) {
      if (sample.inputs.some(({ arrangement }) => arrangement !== undefined)) continue;
      const out = outputOf(op, sample as never, leavesOf(sample));
      const size = sizeOf(out.shape);
      const expected = storageFor(out.dtype, size);
      const views = sample.inputs.map(({ data, spec }) => viewOf(data, spec.shape));
      op.reference(views, viewOf(expected, out.shape), sample.attrs);
      const tree = op.expression!(
        sample.inputs.map(({ spec }, i) => input(i, spec.dtype)),
        sample.attrs,
        out,
      );
      expect(tree.dtype, 'the dtype of the expression').toBe(out.dtype);
      const value = toFunction(tree);
      for (let i = 0; i < size; i++) {
        const operands = sample.inputs.map(({ data }) => data[i]!);
        const actual = storageFor(out.dtype, 1);
        actual[0] = value(operands);
        expect(
          agree(actual[0], expected[i]!),
          `${sample.label}: ${operands} gives ${actual[0]}, not ${expected[i]}`,
        ).toBe(true);
      }
    }
  });
});

describe('semantics stated for all printers', () => {
  const evaluate = (tree: Expression, ...inputs: number[]): number => toFunction(tree)(inputs);
  const [a, b] = [input(0, 'f32'), input(1, 'f32')];
  const [m, n] = [input(0, 'i32'), input(1, 'i32')];

  test('i32 sums wrap', () => {
    expect(evaluate(binary('add', m, n), 2147483647, 1)).toBe(-2147483648);
    expect(evaluate(binary('sub', m, n), -2147483648, 1)).toBe(2147483647);
  });

  test('comparisons with NaN are false; minimum and maximum pass NaN on', () => {
    for (const name of ['less', 'lessEqual', 'equal'] as const)
      expect(evaluate(binary(name, a, b), Number.NaN, 1)).toBe(0);
    for (const name of ['minimum', 'maximum'] as const)
      expect(evaluate(binary(name, a, b), 1, Number.NaN)).toBeNaN();
  });

  test('casts to i32 truncate and saturate; casts to bool test for zero', () => {
    const whole = castTo(a, 'i32');
    const cases = [
      [-2.9, -2],
      [2.9, 2],
      [3e9, 2147483647],
      [-3e9, -2147483648],
      [Number.NaN, 0],
    ] as const;
    for (const [x, expected] of cases) expect(evaluate(whole, x)).toBe(expected);
    expect([0, -0, 0.1, Number.NaN].map((x) => evaluate(castTo(a, 'bool'), x))).toEqual([0, 0, 1, 1]);
    expect(castTo(a, 'f32')).toBe(a);
  });

  test('a shared node counts once and stays shared when inputs are replaced', () => {
    const shared = unary('exp', a);
    const tree = binary(
      'add',
      binary('mul', shared, shared),
      choose(binary('less', shared, b), shared, literal(0)),
    );
    expect(expression.sizeOf(tree)).toBe(8);
    const replaced = substitute(tree, (index) => (index === 0 ? unary('neg', input(1, 'f32')) : literal(2)));
    expect(expression.sizeOf(replaced)).toBe(9);
    expect(evaluate(replaced, Number.NaN, 1.5)).toBeCloseTo(Math.exp(-3) + Math.exp(-1.5), 12);
  });
});

test('a coalesced loop gives the same values in a shorter nest', () => {
  const axis = fc.record({
    extent: fc.integer({ min: 1, max: 4 }),
    repeats: fc.boolean(),
    padded: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 5 }), fc.nat(3), fc.nat(5), (axes, folded, offset) => {
      const strides: number[] = [];
      let step = 1;
      for (const { extent, repeats, padded } of [...axes].reverse()) {
        strides.unshift(repeats ? 0 : step);
        step *= repeats ? 1 : extent + (padded ? 1 : 0);
      }
      const extents = axes.map(({ extent }) => extent);
      const rank = Math.min(folded, extents.length);
      const loop = {
        extents,
        strides: [strides],
        offsets: [offset],
        expression: binary('mul', input(0, 'f32'), literal(2)),
        ...(rank === 0 ? {} : { reduction: { name: 'sum' as const, rank } }),
      };
      const data = Float64Array.from({ length: step + offset + 1 }, (_, i) => i * i + 1);
      const outputs = [loop, coalesce(loop)].map((it) => {
        const out = new Float64Array(sizeOf(extents.slice(0, extents.length - rank)));
        const spec = { shape: [out.length], dtype: 'f32' } as const;
        loopOp.reference([viewOf(data, [data.length])], viewOf(out, spec.shape), { loop: it, spec });
        return out;
      });
      expect(outputs[1]).toEqual(outputs[0]);
      expect(coalesce(loop).extents.length).toBeLessThanOrEqual(extents.length);
      expect(coalesce(loop).extents).not.toContain(1);
    }),
    { seed: 3, numRuns: 300 },
  );
});
