// Comparing derivatives with difference quotients, in random directions and double precision.
import type { Backend, Tensor, Tree } from '@autoassign/tensor';
import {
  add,
  createBackend,
  DTypeError,
  div,
  equal,
  evaluate,
  fillTree,
  identity,
  isFiniteValue,
  key,
  leaves,
  leavesWithPaths,
  mapTree,
  mul,
  normal,
  read,
  release,
  scalar,
  select,
  sentence,
  split,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  zeros,
} from '@autoassign/tensor';
import { backward } from '../backward.ts';

/** A derivative that differs from the difference quotient. */
export class GradientError extends Error {
  override readonly name = 'GradientError';
}

/** Options of `checkGrad`. */
export interface CheckGradOptions {
  /** Must compute in double precision; a new `cpu` backend with `precision: 'f64'` by default. */
  readonly backend?: Backend;
  /** 2 also checks the derivatives of the gradients, with respect to the arguments and to the cotangents. 1 by default. */
  readonly order?: 1 | 2;
  /** Chooses the random directions; 1 by default. */
  readonly seed?: number;
  /** How many random directions are tried; 2 by default. */
  readonly directions?: number;
  /** The step of the central difference, 1e-5 by default. Keep arguments further than a few steps from kinks. */
  readonly step?: number;
  /** The error allowed, as a share of |gradient| |direction|; 1e-6 by default. */
  readonly tolerance?: number;
}

/** A function of f32 tensors to f32 tensors, and where it is looked at. */
interface Problem {
  readonly fn: (xs: readonly Tensor[]) => readonly Tensor[];
  readonly at: readonly Tensor[];
  /** Names of `at`, for errors. */
  readonly paths: readonly string[];
}

interface Settings {
  readonly backend: Backend;
  readonly seed: number;
  readonly directions: number;
  readonly step: number;
  readonly tolerance: number;
}

/**
 * The largest relative error found between derivatives of `fn` and difference quotients; all f32 leaves of the arguments are moved.
 *
 * For random u and v it compares ⟨u, J v⟩, by central differences, with ⟨vjp(u), v⟩. Order 2 does the same to the vjp itself.
 *
 * Throws   GradientError when the two differ, naming order, seed, direction and the arguments at fault; DTypeError when `fn` returns no f32
 * Example  await checkGrad((x, y) => mul(x, y), [tensor([1, 2]), tensor([3, 4])], { order: 2 });
 */
export const checkGrad = async <Args extends readonly Tree[]>(
  fn: (...args: Args) => Tree,
  args: Args,
  options: CheckGradOptions = {},
): Promise<number> => {
  const { order = 1, seed = 1, directions = 2, step = 1e-5, tolerance = 1e-6 } = options;
  const backend = options.backend ?? (await createBackend('cpu', { precision: 'f64' }));
  const settings = { backend, seed, directions, step, tolerance };
  const first = problemOf(fn, await constantsOf(args, backend));
  const worst = await checkProblem(first, 1, settings);
  const isDone = order === 1 || first.at.length === 0;
  return isDone ? worst : Math.max(worst, await checkProblem(vjpOf(first, seed), 2, settings));
};

/** The arguments as constants, so that evaluated tensors of any backend and unevaluated ones can be moved. */
const constantsOf = async <Args extends readonly Tree[]>(args: Args, backend: Backend): Promise<Args> => {
  const constants: Tensor[] = [];
  for (const leaf of leaves(args)) {
    const isKnown = leaf.source.kind === 'constant' || leaf.source.kind === 'buffer';
    const known = isKnown ? leaf : await evaluate(leaf, { backend });
    const data = await read(known);
    if (!isKnown) release(known);
    constants.push(tensor(data, { shape: leaf.shape, dtype: leaf.dtype }));
  }
  return fillTree(args, constants);
};

const isFloat = ({ dtype }: Tensor): boolean => dtype === 'f32';

const problemOf = <Args extends readonly Tree[]>(fn: (...args: Args) => Tree, args: Args): Problem => {
  const moved = leavesWithPaths(args).filter(([, leaf]) => isFloat(leaf));
  return {
    at: moved.map(([, leaf]) => leaf),
    paths: moved.map(([path]) => path),
    fn: (xs) => {
      let next = 0;
      const outputs = leaves(fn(...mapTree((leaf) => (isFloat(leaf) ? xs[next++]! : leaf), args)));
      const floats = outputs.filter(isFloat);
      if (floats.length > 0) return floats;
      throw new DTypeError(
        sentence({
          where: 'checkGrad',
          needs: 'a function with an f32 output',
          got: `outputs of dtype ${outputs.map(({ dtype }) => dtype).join(', ') || 'none'}`,
          advice: 'Integers and bools have no derivative.',
        }),
      );
    },
  };
};

/** The gradients of a problem's outputs as a problem: a function of its arguments and of the cotangents. */
const vjpOf = ({ fn, at, paths }: Problem, seed: number): Problem => {
  const cotangents = drawLike(fn(at), seed, 'cotangents');
  return {
    at: [...at, ...cotangents],
    paths: [...paths, ...cotangents.map((_, i) => `cotangent ${i}`)],
    fn: (xs) => gradientsOf(fn, xs.slice(0, at.length), xs.slice(at.length)),
  };
};

const gradientsOf = (
  fn: Problem['fn'],
  xs: readonly Tensor[],
  cotangents: readonly Tensor[],
): readonly Tensor[] => {
  const fresh = xs.map((x) => identity(x));
  const gradients = backward({ outputs: fn(fresh), cotangents, wrt: fresh });
  return gradients.map((gradient, i) => gradient ?? zeros(xs[i]!.shape));
};

/** Random tensors of the given shapes; different purposes of one seed give independent ones. */
const drawLike = (
  like: readonly Tensor[],
  seed: number,
  purpose: 'cotangents' | 'directions' | 'weights',
  index = 0,
): readonly Tensor[] => {
  const offset = { cotangents: 0, directions: 1, weights: 2 }[purpose];
  const keys = split(key(seed * 3 + offset + index * 2 ** 32), like.length);
  return like.map(({ shape }, i) => normal(keys[i]!, shape));
};

const checkProblem = async (problem: Problem, order: 1 | 2, settings: Settings): Promise<number> => {
  let worst = 0;
  for (let index = 0; index < settings.directions; index++) {
    const direction = drawLike(problem.at, settings.seed, 'directions', index);
    const found = await measure(problem, direction, index, settings);
    if (!agrees(found, settings)) {
      const culprits = await findCulprits(problem, direction, index, settings);
      throw new GradientError(
        sentence({
          where: 'checkGrad',
          label: `order ${order}, seed ${settings.seed}, direction ${index}`,
          needs: `the slope ${found.numeric} of the difference quotient`,
          got: `${found.analytic} from the gradient; at fault: ${culprits.join(', ') || 'no argument alone'}`,
          advice: 'Check the rules on the path, and that no kink is within a step.',
        }),
      );
    }
    if (found.scale > 0) worst = Math.max(worst, Math.abs(found.numeric - found.analytic) / found.scale);
  }
  return worst;
};

/** The arguments along which alone the two slopes already differ. */
const findCulprits = async (
  problem: Problem,
  direction: readonly Tensor[],
  index: number,
  settings: Settings,
): Promise<string[]> => {
  const culprits: string[] = [];
  for (const [k, path] of problem.paths.entries()) {
    const alone = direction.map((v, i) => (i === k ? v : zeros(v.shape)));
    if (!agrees(await measure(problem, alone, index, settings), settings)) culprits.push(path);
  }
  return culprits;
};

/** A slope found twice, what it would be if all were aligned, and the size of the numbers whose difference was taken. */
interface Slopes {
  readonly numeric: number;
  readonly analytic: number;
  readonly scale: number;
  readonly magnitude: number;
}

const measure = async (
  { fn, at }: Problem,
  direction: readonly Tensor[],
  index: number,
  { backend, seed, step }: Settings,
): Promise<Slopes> => {
  const here = fn(at);
  const weights = drawLike(here, seed, 'weights', index);
  const forwards = fn(at.map((x, i) => add(x, mul(direction[i]!, step))));
  const backwards = fn(at.map((x, i) => sub(x, mul(direction[i]!, step))));
  const differences = forwards.map((y, i) => div(difference(y, backwards[i]!), 2 * step));
  const gradients = gradientsOf(fn, at, weights);
  const results = {
    numeric: innerProduct(weights, differences),
    analytic: innerProduct(gradients, direction),
    scale: sqrt(mul(innerProduct(gradients, gradients), innerProduct(direction, direction))),
    magnitude: sqrt(mul(innerProduct(weights, weights), total(here.map((y) => sum(square(finite(y))))))),
  };
  const evaluated = await evaluate(results, { backend });
  const numberOf = async (t: Tensor): Promise<number> => (await read(t))[0]!;
  const slopes = {
    numeric: await numberOf(evaluated.numeric),
    analytic: await numberOf(evaluated.analytic),
    scale: await numberOf(evaluated.scale),
    magnitude: await numberOf(evaluated.magnitude),
  };
  release(evaluated);
  return slopes;
};

/** a - b, and 0 where both are the same infinity: the maximum of nothing does not move. */
const difference = (a: Tensor, b: Tensor): Tensor => select(equal(a, b), 0, sub(a, b));
const finite = (x: Tensor): Tensor => select(isFiniteValue(x), x, 0);

/** Whether the slopes differ by no more than the tolerance and the rounding of the difference quotient; NaN never agrees. */
const agrees = (found: Slopes, { step, tolerance }: Settings): boolean => {
  const rounding = (1e-14 * found.magnitude) / step;
  return Math.abs(found.numeric - found.analytic) <= tolerance * found.scale + rounding;
};

const innerProduct = (a: readonly Tensor[], b: readonly Tensor[]): Tensor =>
  total(a.map((x, i) => sum(mul(x, b[i]!))));

const total = (terms: readonly Tensor[]): Tensor =>
  terms.reduce((sumSoFar, t) => add(sumSoFar, t), scalar(0));
