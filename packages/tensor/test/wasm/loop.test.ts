// Fused loops against their plain meaning: exactly, on integers that floats hold exactly; functions one by one.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moduleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import { emitLoop } from '../../src/backends/wasm/kernels/loop.ts';
import type { BinaryName, Expression } from '../../src/expression.ts';
import { binary, castTo, choose, input, literal, toFunction, unary } from '../../src/expression.ts';
import type { Loop } from '../../src/graph/loop.ts';
import type { DType } from '../../src/tensor.ts';
import { runKernel } from './harness.ts';

const math = { pow: Math.pow };

/** The output of a loop's kernel, in the dtype of its expression. */
function run(loop: Loop, inputs: readonly ArrayLike<number>[]): ArrayLike<number> {
  const kept = loop.extents.slice(0, loop.extents.length - (loop.reduction?.rank ?? 0));
  const length = kept.reduce((product, extent) => product * extent, 1);
  const { output, isOutsideUntouched } = runKernel((module) => emitLoop(module, loop), inputs, length, {
    math,
  });
  expect(isOutsideUntouched).toBe(true);
  return loop.expression.dtype === 'f32' ? output : new Int32Array(output.buffer);
}

/** What a loop means, in double precision. */
function meaning(loop: Loop, inputs: readonly ArrayLike<number>[]): Float64Array {
  const { extents, strides, offsets, reduction } = loop;
  const value = toFunction(loop.expression);
  const total = extents.reduce((product, extent) => product * extent, 1);
  const kept = extents.slice(0, extents.length - (reduction?.rank ?? 0));
  const length = kept.reduce((product, extent) => product * extent, 1);
  const isMax = reduction?.name === 'max';
  const empty = isMax ? (loop.expression.dtype === 'f32' ? Number.NEGATIVE_INFINITY : -(2 ** 31)) : 0;
  const output = new Float64Array(length).fill(total === 0 ? empty : isMax ? Number.NEGATIVE_INFINITY : 0);
  for (let at = 0; at < total; at++) {
    let rest = at;
    const index = extents.map(() => 0);
    for (let d = extents.length - 1; d >= 0; d--) {
      const extent = extents[d] ?? 1;
      index[d] = rest % extent;
      rest = Math.floor(rest / extent);
    }
    const elements = inputs.map((data, k) => {
      const place = index.reduce((sum, i, d) => sum + i * (strides[k]?.[d] ?? 0), offsets[k] ?? 0);
      return data[place] ?? Number.NaN;
    });
    const result = Math.floor(at / (total / length));
    const before = output[result] ?? 0;
    const here = value(elements);
    output[result] = reduction === undefined ? here : isMax ? Math.max(before, here) : before + here;
  }
  return output;
}

/** One input of a random loop: the order of its dimensions in memory, which repeat, which run backwards. */
interface InputShape {
  readonly dtype: DType;
  readonly order: readonly number[];
  readonly isRepeated: readonly boolean[];
  readonly isReversed: readonly boolean[];
}

function layoutOf(
  extents: readonly number[],
  shape: InputShape,
): { strides: number[]; offset: number; size: number } {
  const strides = extents.map(() => 0);
  let [offset, size] = [0, 1];
  for (const d of shape.order.filter((dimension) => dimension < extents.length)) {
    if (shape.isRepeated[d]) continue;
    const extent = extents[d] ?? 1;
    strides[d] = shape.isReversed[d] ? -size : size;
    if (shape.isReversed[d]) offset += size * Math.max(0, extent - 1);
    size *= Math.max(1, extent);
  }
  return { strides, offset, size };
}

/** A node and a bound of its absolute value, so that no product leaves the integers that floats hold. */
interface Bounded {
  readonly node: Expression;
  readonly bound: number;
}

const arithmetic: readonly BinaryName[] = ['add', 'sub', 'mul', 'minimum', 'maximum'];
const comparisons: readonly BinaryName[] = ['less', 'lessEqual', 'equal'];

/** Adds one node, chosen by random numbers, to those already there; old ones are used again and so shared. */
function grow(nodes: readonly Bounded[], [choice = 0, a = 0, b = 0, c = 0]: readonly number[]): Bounded {
  const pick = (random: number, dtype: DType): Bounded => {
    const fitting = nodes.filter(({ node }) => node.dtype === dtype);
    return (
      fitting[random % fitting.length] ?? {
        node: literal(random % (dtype === 'bool' ? 2 : 3), dtype),
        bound: 2,
      }
    );
  };
  const dtype = (['f32', 'i32'] as const)[choice % 2] ?? 'f32';
  const [left, right] = [pick(a, dtype), pick(b, dtype)];
  const bound = Math.max(left.bound, right.bound);
  switch (Math.floor(choice / 2) % 6) {
    case 0: {
      const from = pick(a, (['f32', 'i32', 'bool'] as const)[c % 3] ?? 'f32');
      return { node: castTo(from.node, b % 2 === 0 ? dtype : 'bool'), bound: from.bound };
    }
    case 1:
      return { node: binary(comparisons[c % 3] ?? 'less', left.node, right.node), bound: 1 };
    case 2:
      return { node: choose(pick(c, 'bool').node, left.node, right.node), bound };
    case 3:
      return { node: unary((['neg', 'abs', 'floor'] as const)[c % 3] ?? 'neg', left.node), bound };
    case 4:
      return { node: unary('not', pick(a, 'bool').node), bound: 1 };
    default: {
      const name = arithmetic[c % arithmetic.length] ?? 'add';
      const product = name === 'mul' ? left.bound * right.bound : left.bound + right.bound;
      // Sums fold up to some thousand elements, all within 2^24.
      if (product > 1000) return { node: binary('minimum', left.node, right.node), bound };
      return { node: binary(name, left.node, right.node), bound: product };
    }
  }
}

const inputShape: fc.Arbitrary<InputShape> = fc.record({
  dtype: fc.constantFrom<DType>('f32', 'i32', 'bool'),
  order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
  isRepeated: fc.array(
    fc.nat(3).map((n) => n === 0),
    { minLength: 4, maxLength: 4 },
  ),
  isReversed: fc.array(
    fc.nat(5).map((n) => n === 0),
    { minLength: 4, maxLength: 4 },
  ),
});

const randomLoop = fc
  .record({
    extents: fc
      .array(fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 23 })), { maxLength: 4 })
      .filter((extents) => extents.reduce((product, extent) => product * extent, 1) < 9000),
    shapes: fc.array(inputShape, { minLength: 1, maxLength: 4 }),
    growth: fc.array(fc.array(fc.nat(60), { minLength: 4, maxLength: 4 }), { maxLength: 12 }),
    fold: fc.constantFrom<'sum' | 'max' | 'none'>('sum', 'max', 'none'),
    rank: fc.nat(4),
    seed: fc.nat(1000),
  })
  .map(({ extents, shapes, growth, fold, rank, seed }) => {
    const layouts = shapes.map((shape) => layoutOf(extents, shape));
    const inputs = layouts.map(({ size }, k) => {
      const dtype = shapes[k]?.dtype;
      const values = Float32Array.from({ length: size }, (_, at) => ((at * 7 + k + seed) % 7) - 3);
      if (dtype === 'f32') return values;
      return Int32Array.from(values, (value) => (dtype === 'bool' ? value & 1 : value));
    });
    const nodes: Bounded[] = shapes.map(({ dtype }, k) => ({ node: input(k, dtype), bound: 3 }));
    for (const numbers of growth) nodes.push(grow(nodes, numbers));
    const last = nodes.at(-1)?.node ?? literal(0);
    const expression = last.dtype === 'bool' && fold === 'sum' ? castTo(last, 'i32') : last;
    const loop: Loop = {
      extents,
      strides: layouts.map(({ strides }) => strides),
      offsets: layouts.map(({ offset }) => offset),
      expression,
      ...(fold === 'none' ? {} : { reduction: { name: fold, rank: Math.min(rank, extents.length) } }),
    };
    return { loop, inputs };
  });

/** A loop over contiguous inputs of one dimension. */
const flat = (expression: Expression, length: number, inputs: number, rank?: number): Loop => ({
  extents: [length],
  strides: Array.from({ length: inputs }, () => [1]),
  offsets: Array.from({ length: inputs }, () => 0),
  expression,
  ...(rank === undefined ? {} : { reduction: { name: 'sum', rank } }),
});

describe('loop kernel', () => {
  test('is exact on integers, for random loops', () => {
    fc.assert(
      fc.property(randomLoop, ({ loop, inputs }) => {
        // Adding 0 makes zeros positive: the sign of a zero is not part of the law.
        const actual = Array.from(run(loop, inputs), (value) => value + 0);
        expect(actual).toEqual(Array.from(meaning(loop, inputs), (value) => value + 0));
      }),
      { numRuns: 400, seed: 11 },
    );
  });

  const x = input(0, 'f32');
  const y = input(1, 'f32');
  const specials = [0, -0, 1, -1, 0.5, -2.5, 3, 1e-40, 3e38, Infinity, -Infinity, Number.NaN];
  const lefts = Float32Array.from(specials.flatMap((value) => specials.map(() => value)));
  const rights = Float32Array.from(specials.flatMap(() => specials));

  test.each(['add', 'sub', 'mul', 'div', 'pow', 'minimum', 'maximum', 'less', 'lessEqual', 'equal'] as const)(
    '%s of special floats is that of JavaScript, rounded',
    (name) => {
      const loop = flat(binary(name, x, y), lefts.length, 2);
      expect(Array.from(run(loop, [lefts, rights]))).toEqual(
        Array.from(meaning(loop, [lefts, rights]), Math.fround),
      );
    },
  );

  test.each([-1, 1, 2, 3])('power %i is a product', (exponent) => {
    const loop = flat(binary('pow', x, literal(exponent)), lefts.length, 1);
    const expected = meaning(loop, [lefts]);
    Array.from(run(loop, [lefts])).forEach((value, at) => {
      const exact = Math.fround(expected[at] ?? 0);
      if (Number.isFinite(exact))
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -22);
      else expect(value).toBe(exact);
    });
  });

  test('integers divide towards zero, wrap, and give 0 by zero', () => {
    const [a, b] = [input(0, 'i32'), input(1, 'i32')];
    const values = [0, 1, -1, 7, -7, 2 ** 31 - 1, -(2 ** 31)];
    const left = Int32Array.from(values.flatMap((value) => values.map(() => value)));
    const right = Int32Array.from(values.flatMap(() => values));
    for (const name of ['div', 'add', 'sub'] as const) {
      const loop = flat(binary(name, a, b), left.length, 2);
      expect(Array.from(run(loop, [left, right]))).toEqual(Array.from(meaning(loop, [left, right])));
    }
  });

  test('casts from floats truncate and saturate', () => {
    const loop = flat(castTo(x, 'i32'), lefts.length, 1);
    expect(Array.from(run(loop, [lefts]))).toEqual(Array.from(meaning(loop, [lefts]), (value) => value + 0));
  });

  test('long sums stay within the bound of a sum', () => {
    const values = Float32Array.from({ length: 100_003 }, (_, at) => Math.sin(at) + 1);
    const exact = values.reduce((sum, value) => sum + value, 0);
    const [sum = Number.NaN] = Array.from(run(flat(x, values.length, 1, 1), [values]));
    expect(Math.abs(sum - exact)).toBeLessThan(4 * 2 ** -24 * Math.sqrt(values.length) * exact);
  });

  test('equal loops share a kernel, and what differs in sharing alone gives the same values', () => {
    const module = moduleBuilder();
    const twice = (): Expression => binary('mul', binary('add', x, y), binary('add', x, y));
    const sum = binary('add', x, y);
    const values = [Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(5, 4, 3, 2, 2)];
    expect(emitLoop(module, flat(twice(), 5, 2))).toBe(emitLoop(module, flat(twice(), 5, 2)));
    expect(emitLoop(module, flat(twice(), 5, 2))).not.toBe(emitLoop(module, flat(twice(), 6, 2)));
    expect(run(flat(twice(), 5, 2), values)).toEqual(run(flat(binary('mul', sum, sum), 5, 2), values));
  });
});
