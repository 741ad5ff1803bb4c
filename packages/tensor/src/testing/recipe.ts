// Random graphs as plain data: a recipe lists instructions, and building it applies public ops to leaves.
// All values stay whole numbers below 2^22, so every backend and every pass must give exactly the same.
import { square } from '../compose/arithmetic.ts';
import { full } from '../compose/fill.ts';
import { maxPool2d } from '../compose/image.ts';
import { conv2d } from '../ops/conv.ts';
import * as elementwise from '../ops/elementwise.ts';
import { gather, scatterAdd, topK } from '../ops/indexing.ts';
import { matmul } from '../ops/matmul.ts';
import { broadcastTo, concat, pad, reshape, slice, transpose } from '../ops/movement.ts';
import { argMax, max, sum } from '../ops/reduce.ts';
import { after, identity, stopGradient } from '../ops/structural.ts';
import { broadcastShapes, sizeOf } from '../shape.ts';
import type { DType, Shape, Tensor } from '../tensor.ts';
import { tensor } from '../tensor.ts';
import type { Leaf } from './draw.ts';
import { drawFrom, f32Leaf } from './draw.ts';

/** One application of an op; numbers choose operands and attrs by remainder, so that every instruction means something. */
export interface Instruction {
  /** One of `instructionNames`. */
  readonly name: string;
  readonly operands: readonly [number, number, number];
  readonly choice: number;
}

/** A random graph. */
export interface Recipe {
  /** Shape and dtype of the arguments. */
  readonly arguments: readonly { readonly shape: Shape; readonly dtype: DType; readonly donated: boolean }[];
  readonly instructions: readonly Instruction[];
  /** Which values are results, by remainder; they may repeat and may be arguments. */
  readonly results: readonly number[];
  /** Seed of the arguments' data. */
  readonly seed: number;
}

/** A value of the graph, and a bound on the magnitude of its elements. */
interface Value {
  readonly tensor: Tensor;
  readonly bound: number;
}

/** What an instruction works on: its operands among the values so far, of one dtype each. */
interface Operands {
  /** The operands among the values of a dtype. */
  pick(dtype: DType): readonly Value[];
  /** A number in [0, count). */
  choose(count: number): number;
}

const largestBound = 2 ** 22;
const mostElements = 512;

const unary =
  (op: (x: Tensor) => Tensor) =>
  ({ pick }: Operands): Value | undefined => {
    const [x] = pick('f32');
    return x && { tensor: op(x.tensor), bound: x.bound };
  };

const binary =
  (op: (a: Tensor, b: Tensor) => Tensor, bound: (a: number, b: number) => number) =>
  ({ pick, choose }: Operands): Value | undefined => {
    const [a, b] = pick(choose(4) === 0 ? 'i32' : 'f32');
    if (a === undefined || b === undefined) return undefined;
    const fits = broadcastShapes(a.tensor.shape, b.tensor.shape) !== undefined;
    return {
      tensor: op(a.tensor, fits ? b.tensor : a.tensor),
      bound: bound(a.bound, fits ? b.bound : a.bound),
    };
  };

const larger = Math.max;
const dtypes = ['f32', 'f32', 'i32', 'bool'] as const;

/** An instruction that moves elements of any dtype. */
const movement =
  (move: (x: Tensor, choose: Operands['choose']) => Tensor | undefined) =>
  ({ pick, choose }: Operands): Value | undefined => {
    const [x] = pick(dtypes[choose(4)]!);
    const moved = x && move(x.tensor, choose);
    return x && moved && { tensor: moved, bound: x.bound };
  };

/** An instruction on one axis, of at least one element, of an f32 value. */
const alongAxis =
  (apply: (x: Value, axis: number, choose: Operands['choose']) => Value) =>
  ({ pick, choose }: Operands): Value | undefined => {
    const [x] = pick('f32');
    const axes = x?.tensor.shape.flatMap((n, d) => (n > 0 ? [d] : [])) ?? [];
    return x && axes.length > 0 ? apply(x, axes[choose(axes.length)]!, choose) : undefined;
  };

const indices = (count: number, below: number, choose: Operands['choose']): Tensor =>
  tensor(Int32Array.from({ length: count }, (_, i) => (choose(below) + i * 7) % below));

/** The value as one image with one channel. */
const asImage = ({ tensor: x }: Value): Tensor =>
  reshape(x, [1, 1, sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);

const instructions: Readonly<Record<string, (operands: Operands) => Value | undefined>> = {
  neg: unary(elementwise.neg),
  abs: unary(elementwise.abs),
  floor: unary(elementwise.floor),
  identity: unary(identity),
  stopGradient: unary(stopGradient),
  addZero: unary((x) => elementwise.add(x, 0)),
  timesOne: unary((x) => elementwise.mul(full(x.shape, 1), x)),
  zeroMinus: unary((x) => elementwise.sub(0, x)),
  plusTwo: ({ pick, choose }) => {
    const [x] = pick(choose(2) === 0 ? 'i32' : 'f32');
    return x && { tensor: elementwise.add(x.tensor, 2), bound: x.bound + 2 };
  },
  minusOne: ({ pick, choose }) => {
    const [x] = pick(choose(2) === 0 ? 'i32' : 'f32');
    return x && { tensor: elementwise.sub(x.tensor, 1), bound: x.bound + 1 };
  },
  add: binary(elementwise.add, (a, b) => a + b),
  sub: binary(elementwise.sub, (a, b) => a + b),
  mul: binary(elementwise.mul, (a, b) => a * b),
  minimum: binary(elementwise.minimum, larger),
  maximum: binary(elementwise.maximum, larger),
  less: binary(elementwise.less, () => 1),
  equal: binary(elementwise.equal, () => 1),
  square: ({ pick }) => {
    const [x] = pick('f32');
    return x && { tensor: square(x.tensor), bound: x.bound ** 2 };
  },
  powTwo: ({ pick }) => {
    const [x] = pick('f32');
    return x && { tensor: elementwise.pow(x.tensor, 2), bound: x.bound ** 2 };
  },
  select: ({ pick }) => {
    const [a, b] = pick('f32');
    return (
      a &&
      b && {
        tensor: elementwise.select(elementwise.less(a.tensor, 1), a.tensor, 2),
        bound: larger(a.bound, 2),
      }
    );
  },
  cast: ({ pick, choose }) => {
    const [x] = pick(dtypes[choose(4)]!);
    const to = (['f32', 'i32', 'bool'] as const)[choose(3)]!;
    return x && { tensor: elementwise.cast(x.tensor, to), bound: x.bound };
  },
  flatten: movement((x) => reshape(x, [sizeOf(x.shape)])),
  split: movement((x) => {
    const size = sizeOf(x.shape);
    const factor = [2, 3, 5].find((n) => size % n === 0);
    return factor === undefined ? undefined : reshape(x, [size / factor, 1, factor]);
  }),
  transpose: movement((x) => transpose(x)),
  rotate: movement((x) =>
    transpose(
      x,
      [...x.shape.keys()].map((d) => (d + 1) % x.shape.length),
    ),
  ),
  rotateTwice: movement((x, choose) => {
    const turn = (t: Tensor, by: number): Tensor =>
      transpose(
        t,
        [...t.shape.keys()].map((d) => (d + by) % t.shape.length),
      );
    return transpose(turn(turn(x, 1), choose(2) + 1));
  }),
  repeat: movement((x, choose) => broadcastTo(x, [choose(3) + 1, ...x.shape])),
  widen: movement((x) =>
    broadcastTo(
      x,
      x.shape.map((n) => (n === 1 ? 3 : n)),
    ),
  ),
  slice: movement((x, choose) => {
    const begin = x.shape.map((n) => choose(n + 1));
    return slice(
      x,
      begin,
      x.shape.map((n, d) => choose(n - begin[d]! + 1)),
    );
  }),
  pad: movement((x, choose) =>
    pad(
      x,
      x.shape.map(() => [choose(3), choose(2)] as const),
      choose(2),
    ),
  ),
  concat: movement((x, choose) =>
    x.shape.length === 0 ? undefined : concat([x, x], choose(x.shape.length)),
  ),
  after: ({ pick }) => {
    const [x, y] = pick('f32');
    return x && y && { tensor: after(x.tensor, y.tensor), bound: x.bound };
  },
  sum: alongAxis((x, axis, choose) => ({
    tensor: sum(x.tensor, axis, { keepDims: choose(2) === 1 }),
    bound: x.bound * x.tensor.shape[axis]!,
  })),
  differences: alongAxis(({ tensor: x, bound }, axis) => {
    const size = x.shape.map((n, d) => (d === axis ? n - 1 : n));
    const later = x.shape.map((_, d) => (d === axis ? 1 : 0));
    const earlier = x.shape.map(() => 0);
    return { tensor: elementwise.sub(slice(x, later, size), slice(x, earlier, size)), bound: 2 * bound };
  }),
  sumAll: ({ pick }) => {
    const [x] = pick('f32');
    return x && { tensor: sum(x.tensor), bound: x.bound * sizeOf(x.tensor.shape) };
  },
  max: alongAxis((x, axis, choose) => ({
    tensor: max(x.tensor, axis, { keepDims: choose(2) === 1 }),
    bound: x.bound,
  })),
  argMax: alongAxis((x, axis) => ({ tensor: argMax(x.tensor, axis), bound: mostElements })),
  gather: alongAxis((x, axis, choose) => ({
    tensor: gather(x.tensor, indices(choose(4), x.tensor.shape[axis]!, choose), { axis }),
    bound: x.bound,
  })),
  scatterAdd: alongAxis((x, axis, choose) => ({
    tensor: scatterAdd(x.tensor, indices(x.tensor.shape[axis]!, 3, choose), 3, { axis }),
    bound: x.bound * x.tensor.shape[axis]!,
  })),
  topK: ({ pick, choose }) => {
    const [x] = pick('f32');
    if (x === undefined || x.tensor.shape.length === 0) return undefined;
    return { tensor: topK(x.tensor, choose(x.tensor.shape.at(-1)! + 1)).values, bound: x.bound };
  },
  matmul: ({ pick, choose }) => {
    const [x] = pick('f32');
    if (x === undefined || x.tensor.shape.length < 2) return undefined;
    const inner = x.tensor.shape.at(-1)!;
    const weight = full([inner, choose(4) + 1], 2);
    const product =
      choose(2) === 0 ? matmul(x.tensor, x.tensor, { transposeB: true }) : matmul(x.tensor, weight);
    return { tensor: product, bound: x.bound * larger(x.bound, 2) * inner };
  },
  conv2d: ({ pick, choose }) => {
    const [x] = pick('f32');
    const weight = tensor([1, -2, 0, 3, 1, 2], { shape: [1, 1, 2, 3] });
    return (
      x && { tensor: conv2d(asImage(x), weight, { padding: 1, stride: choose(2) + 1 }), bound: x.bound * 9 }
    );
  },
  maxPool2d: ({ pick }) => {
    const [x] = pick('f32');
    if (x === undefined || sizeOf(x.tensor.shape) === 0) return undefined;
    return { tensor: maxPool2d(asImage(x), { window: 2, stride: 1, padding: 1 }), bound: x.bound };
  },
};

/** The names of all instructions. */
export const instructionNames: readonly string[] = Object.keys(instructions);

const argumentBound = 4;

/** Data for the arguments of a recipe: whole numbers. */
export const leavesOfRecipe = (recipe: Recipe): Leaf[] => {
  const draw = drawFrom(recipe.seed);
  return recipe.arguments.map(({ shape, dtype }) => {
    if (dtype === 'bool') return draw.bools(shape);
    const whole = draw.integers(shape, -argumentBound, argumentBound + 1);
    return dtype === 'i32' ? whole : f32Leaf(shape, whole.data);
  });
};

/** The results of a recipe's graph over the given arguments. Instructions whose values would grow too large are left out. */
export const buildRecipe = (recipe: Recipe, args: readonly Tensor[]): Tensor[] => {
  const values: Value[] = args.map((leaf) => ({ tensor: leaf, bound: argumentBound }));
  for (const instruction of recipe.instructions) {
    const value: Value | undefined = instructions[instruction.name]!(operandsOf(instruction, values));
    if (value === undefined || value.bound >= largestBound) continue;
    if (sizeOf(value.tensor.shape) > mostElements || value.tensor.shape.length > 5) continue;
    values.push(value);
  }
  // Late values first: they rest on most of the graph.
  return recipe.results.map((n) => values[values.length - 1 - (n % values.length)]!.tensor);
};

const operandsOf = ({ operands, choice }: Instruction, values: readonly Value[]): Operands => {
  let left = choice;
  return {
    pick: (dtype) => {
      const fitting = values.filter((value) => value.tensor.dtype === dtype);
      return fitting.length === 0
        ? []
        : operands.map((n) => fitting[fitting.length - 1 - (n % fitting.length)]!);
    },
    choose: (count) => {
      const chosen = left % count;
      left = Math.floor(left / count) + 1;
      return chosen;
    },
  };
};
