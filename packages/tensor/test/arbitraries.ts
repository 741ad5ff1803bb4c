// fast-check arbitraries: shapes, broadcastable pairs, tensors with special values, random graphs.
import * as fc from 'fast-check';
import { sizeOf } from '../src/shape.ts';
import type { DType, Shape } from '../src/tensor.ts';
import type { Leaf } from '../src/testing/draw.ts';
import { f32Leaf } from '../src/testing/draw.ts';
import type { Instruction, Recipe } from '../src/testing/recipe.ts';
import { instructionNames } from '../src/testing/recipe.ts';

/** Limits of `shape`. */
export interface ShapeLimits {
  readonly maxRank?: number;
  readonly maxDim?: number;
  /** Smallest size of a dimension; 0 by default. */
  readonly minDim?: number;
}

/** Shapes of every rank up to `maxRank`; sizes 0 and 1 and odd ones are frequent. */
export const shape = ({ maxRank = 4, maxDim = 7, minDim = 0 }: ShapeLimits = {}): fc.Arbitrary<Shape> => {
  const size = fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: Math.max(minDim, 1), max: maxDim }) },
    { weight: 4, arbitrary: fc.constant(Math.max(minDim, 1)) },
    { weight: 1, arbitrary: fc.constant(minDim) },
  );
  return fc.array(size, { maxLength: maxRank });
};

/** Two shapes that broadcast, and the shape they broadcast to. */
export const broadcastPair = (limits: ShapeLimits = {}): fc.Arbitrary<{ a: Shape; b: Shape; joint: Shape }> =>
  shape(limits).chain((joint) => {
    const rank = joint.length;
    const part = fc
      .tuple(fc.array(fc.boolean(), { minLength: rank, maxLength: rank }), fc.nat({ max: rank }))
      .map(([ones, dropped]) => ({ ones, dropped }));
    return fc.tuple(part, part).map(([left, right]) => {
      // In every dimension one of the two keeps its size, and one of the two keeps its rank.
      const a = joint.map((n, d) => (left.ones[d] === true ? 1 : n));
      const b = joint.map((n, d) => (right.ones[d] === true && left.ones[d] !== true ? 1 : n));
      const droppable = a.slice(0, left.dropped).every((n, d) => n === 1 && b[d] === joint[d]);
      return { a: droppable ? a.slice(left.dropped) : a, b, joint };
    });
  });

/** Options of `tensorOf`. */
export interface TensorRange {
  readonly range?: readonly [low: number, high: number];
  /** Mixes in zeros of both signs, infinities, NaN and subnormals. */
  readonly special?: boolean;
}

const special = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-40,
  1,
  -1,
] as const;

/** f32 data of a shape. */
export const tensorOf = (
  of: Shape,
  { range = [-10, 10], special: withSpecial = false }: TensorRange = {},
): fc.Arbitrary<Leaf> => {
  const [min, max] = [Math.fround(range[0]), Math.fround(range[1])];
  const ordinary = fc.float({ min, max, noNaN: true });
  const element = withSpecial ? fc.oneof(ordinary, fc.constantFrom(...special)) : ordinary;
  const count = sizeOf(of);
  return fc
    .array(element, { minLength: count, maxLength: count, size: 'max' })
    .map((values) => f32Leaf(of, values));
};

/** Random graphs of the public ops: elementwise, movement, reductions, indexing, products. Build one with `buildRecipe`. */
export const graph = ({ maxSteps = 40 }: { readonly maxSteps?: number } = {}): fc.Arbitrary<Recipe> => {
  // Late values are chosen more often: chains grow, and most steps matter to some result.
  const operand = fc.oneof(fc.nat(1), fc.nat(12));
  const argument = fc.record({
    shape: shape({ maxRank: 3, maxDim: 5 }),
    dtype: fc.constantFrom<DType[]>('f32', 'f32', 'f32', 'i32', 'bool'),
    donated: fc.boolean(),
  });
  const instruction = (names: readonly string[]): fc.Arbitrary<Instruction> =>
    fc.record({
      name: fc.constantFrom(...names),
      operands: fc.tuple(operand, operand, operand),
      choice: fc.nat(100_000),
    });
  // A graph uses few ops, so that the same ones meet often in one graph and rarely in others.
  const chosen = fc.subarray([...instructionNames], { minLength: 2, maxLength: 9 });
  const recipe = (names: readonly string[]): fc.Arbitrary<Recipe> =>
    fc.record({
      arguments: fc.array(argument, { minLength: 1, maxLength: 4 }),
      instructions: fc.array(instruction(names), { minLength: 1, maxLength: maxSteps, size: 'max' }),
      results: fc.array(operand, { minLength: 1, maxLength: 5 }),
      seed: fc.nat(1000),
    });
  return chosen.chain(recipe);
};
