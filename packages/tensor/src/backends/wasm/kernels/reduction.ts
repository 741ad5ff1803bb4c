// Loops that fold: sums and maxima over the trailing dimensions, in an order that depends on the sizes alone.
//
// Vectors run along the innermost folded dimension, or along the innermost kept one where that needs fewer
// scattered reads. Several partial results at once hide the latency of an addition and add to the precision.

import type { Reduction } from '../../../graph/loop.ts';
import type { DType } from '../../../tensor.ts';
import type { Expression } from '../assembler/code.ts';
import type { Local } from '../assembler/module.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';
import { toMemory } from './elementOps.ts';
import type { LoopContext, Walk } from './loopNest.ts';
import { inputsAlong, stay, walkAlong, walkBoth, walkOver, writeLanes } from './loopNest.ts';

type V = Expression<'v128'>;

/** Partial results kept at a time. */
const partialResults = 4;

/** A fold in registers: what it begins with, and how two partial results join. */
interface Fold {
  readonly identity: V;
  readonly join: (a: V, b: V) => V;
}

function foldOf(name: Reduction['name'], dtype: DType): Fold {
  if (dtype === 'f32') {
    return name === 'sum'
      ? { identity: f32x4.const(0), join: f32x4.add }
      : { identity: f32x4.const(Number.NEGATIVE_INFINITY), join: f32x4.max };
  }
  return name === 'sum'
    ? { identity: i32x4.const(0), join: i32x4.add }
    : { identity: i32x4.const(-(2 ** 31)), join: i32x4.maxS };
}

/** Dimension numbers of the kept and of the folded dimensions. */
interface Dimensions {
  readonly kept: readonly number[];
  readonly folded: readonly number[];
}

/** The walk over a loop that folds at least one dimension. */
export function reductionWalk(context: LoopContext): Walk {
  const { loop, walkers, output, local } = context;
  const { extents, reduction, expression } = loop;
  const { name, rank } = reduction ?? { name: 'sum', rank: 0 };
  const all = [...extents.keys()];
  const dimensions = { kept: all.slice(0, all.length - rank), folded: all.slice(all.length - rank) };
  if (dimensions.folded.some((dimension) => extents[dimension] === 0)) {
    const nothing = local('v128');
    const store = [
      nothing.set(foldOf(name, expression.dtype).identity),
      ...writeLanes(output.pointer, nothing, 1, 0),
    ];
    return walkOver(walkers, local, extents, dimensions.kept, stay(walkers, store));
  }
  const fold = foldOf(name, expression.dtype);
  return isKeptBetter(context, dimensions)
    ? foldAlongKept(context, dimensions, fold)
    : foldAlongFolded(context, dimensions, fold);
}

function isKeptBetter({ loop }: LoopContext, { kept, folded }: Dimensions): boolean {
  const innerKept = kept.at(-1);
  const innerFolded = folded.at(-1);
  if (innerKept === undefined || innerFolded === undefined || (loop.extents[innerKept] ?? 0) < 4)
    return false;
  const scattered = (dimension: number): number =>
    loop.strides.filter((strides) => ![0, 1].includes(strides[dimension] ?? 0)).length;
  return scattered(innerKept) < scattered(innerFolded);
}

/** One result at a time: vectors along the innermost folded dimension, joined at the end. */
function foldAlongFolded(context: LoopContext, { kept, folded }: Dimensions, { identity, join }: Fold): Walk {
  const { local, loop, walkers, output, print } = context;
  const { extents, expression } = loop;
  const inner = folded.at(-1) ?? 0;
  const extent = extents[inner] ?? 1;
  const vectors = Math.floor(extent / 4);
  const rest = extent % 4;
  const partials = newPartials(context, Math.max(1, Math.min(partialResults, vectors)));
  const [first] = partials;
  if (first === undefined) throw new RangeError('foldAlongFolded: needs a partial result, got none.');
  const inputs = inputsAlong(context, inner);

  const part = (targets: readonly Local<'v128'>[], count: number): Walk =>
    stay(
      walkers,
      targets.flatMap((target, at) => {
        const { statements, value } = print((input) => inputs.read(input, count, 4 * at));
        const stored = toMemory(value, expression.dtype);
        const counted = count === 4 ? stored : v128.bitselect(stored, identity, firstLanes(count));
        return [...statements, target.set(join(target, counted))];
      }),
    );
  const turns = Math.floor(vectors / partials.length);
  const leftOver = vectors % partials.length;
  const row = [
    stay(walkers, inputs.hold),
    ...(turns > 0 ? [walkAlong(walkers, local, inner, turns, part(partials, 4), 4 * partials.length)] : []),
    ...(leftOver > 0 ? [walkAlong(walkers, local, inner, leftOver, part([first], 4), 4)] : []),
    ...(rest > 0 ? [part([first], rest)] : []),
  ].reduce(walkBoth);
  const walked = walkOver(walkers, local, extents, folded.slice(0, -1), row);
  const one: Walk = {
    statements: [
      ...partials.map((partial) => partial.set(identity)),
      ...walked.statements,
      ...partials.slice(1).map((partial) => first.set(join(first, partial))),
      first.set(join(first, v128.shuffle(first, first, [2, 3, 0, 1]))),
      first.set(join(first, v128.shuffle(first, first, [1, 0, 3, 2]))),
      ...writeLanes(output.pointer, first, 1, 0),
    ],
    moved: walked.moved,
  };
  return walkOver(walkers, local, extents, kept, one);
}

/** Several neighbouring results at a time: vectors along the innermost kept dimension. */
function foldAlongKept(context: LoopContext, { kept, folded }: Dimensions, { identity, join }: Fold): Walk {
  const { local, loop, walkers, output, print } = context;
  const { extents, expression } = loop;
  const inner = kept.at(-1) ?? 0;
  const extent = extents[inner] ?? 1;
  const partials = newPartials(context, partialResults);
  const inputs = inputsAlong(context, inner);

  const part = (targets: readonly Local<'v128'>[], count: number): Walk => {
    const turn = targets.flatMap((target, at) => {
      const { statements, value } = print((input) => inputs.read(input, count, 4 * at));
      return [...statements, target.set(join(target, toMemory(value, expression.dtype)))];
    });
    const walked = walkOver(walkers, local, extents, folded, stay(walkers, [...inputs.hold, ...turn]));
    return {
      statements: [
        ...targets.map((target) => target.set(identity)),
        ...walked.statements,
        ...targets.flatMap((target, at) => writeLanes(output.pointer, target, count, 4 * at)),
      ],
      moved: walked.moved,
    };
  };
  const width = 4 * partialResults;
  const turns = Math.floor(extent / width);
  const leftOver = Math.floor((extent % width) / 4);
  const rest = extent % 4;
  const row = [
    ...(turns > 0 ? [walkAlong(walkers, local, inner, turns, part(partials, 4), width)] : []),
    ...(leftOver > 0 ? [walkAlong(walkers, local, inner, leftOver, part(partials.slice(0, 1), 4), 4)] : []),
    ...(rest > 0 ? [part(partials.slice(0, 1), rest)] : []),
  ].reduce(walkBoth);
  return walkOver(walkers, local, extents, kept.slice(0, -1), row);
}

function newPartials({ local }: LoopContext, count: number): readonly Local<'v128'>[] {
  return Array.from({ length: count }, () => local('v128'));
}

/** The mask of the first lanes. */
function firstLanes(count: number): V {
  const lane = (at: number): number => (at < count ? -1 : 0);
  return i32x4.consts([lane(0), lane(1), lane(2), lane(3)]);
}
