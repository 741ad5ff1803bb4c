// Loop nests over strided arrays: pointers that walk, and vectors read and written along one dimension.

import type { Loop } from '../../../graph/loop.ts';
import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment, sequence } from '../assembler/control.ts';
import type { Local, NewLocal } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import type { Lane } from '../assembler/vector.ts';
import { v128 } from '../assembler/vector.ts';
import type { ExpressionPrinter } from './elementExpression.ts';
import { gatherLanes } from './packing.ts';

type V = Expression<'v128'>;

/** An array that a loop walks over: its pointer, and its step in elements along every dimension. */
export interface Walker {
  readonly pointer: Local<'i32'>;
  readonly strides: readonly number[];
}

/** Code and the elements by which it has moved every walker's pointer. */
export interface Walk {
  readonly statements: readonly Statement[];
  readonly moved: readonly number[];
}

/** Statements that move every pointer by its number of elements. */
function move(walkers: readonly Walker[], elements: readonly number[]): readonly Statement[] {
  return walkers.flatMap(({ pointer }, at) => {
    const by = elements[at] ?? 0;
    return by === 0 ? [] : [increment(pointer, 4 * by)];
  });
}

/** The walk that repeats an inner one along a dimension, `step` elements at a time. */
export function walkAlong(
  walkers: readonly Walker[],
  local: NewLocal,
  dimension: number,
  count: number,
  inner: Walk,
  step = 1,
): Walk {
  const perTurn = walkers.map(({ strides }) => step * (strides[dimension] ?? 0));
  if (count === 1 && step === 1) return inner;
  const onward = perTurn.map((stride, at) => stride - (inner.moved[at] ?? 0));
  return {
    statements: [forRange(local('i32'), 0, count, 1, [...inner.statements, ...move(walkers, onward)])],
    moved: perTurn.map((stride) => count * stride),
  };
}

/** The walk over several nested dimensions, the first outermost. */
export function walkOver(
  walkers: readonly Walker[],
  local: NewLocal,
  extents: readonly number[],
  dimensions: readonly number[],
  innermost: Walk,
): Walk {
  return dimensions.reduceRight<Walk>(
    (inner, dimension) => walkAlong(walkers, local, dimension, extents[dimension] ?? 1, inner),
    innermost,
  );
}

/** One walk after the other. */
export function walkBoth(first: Walk, second: Walk): Walk {
  return {
    statements: [sequence(...first.statements), ...second.statements],
    moved: first.moved.map((by, at) => by + (second.moved[at] ?? 0)),
  };
}

/** The walk that does nothing. */
export function stay(walkers: readonly Walker[], statements: readonly Statement[]): Walk {
  return { statements, moved: walkers.map(() => 0) };
}

/** A loop whose pointers are known: what the code of its parts is made with. */
export interface LoopContext {
  readonly local: NewLocal;
  readonly loop: Loop;
  /** The inputs, then the output, which stands still along reduced dimensions. */
  readonly walkers: readonly Walker[];
  readonly output: Walker;
  readonly print: ExpressionPrinter;
}

/** The inputs of a loop as vectors along one dimension. */
export interface InputVectors {
  /** Loads the inputs that stand still along the dimension; to be done before walking along it. */
  readonly hold: readonly Statement[];
  /** The first `count` elements (1 to 4) of an input, `ahead` elements from where it stands. */
  readonly read: (input: number, count: number, ahead: number) => V;
}

/** How the inputs of a loop are read along a dimension. */
export function inputsAlong({ local, loop, walkers }: LoopContext, dimension: number): InputVectors {
  const holders = new Map<number, Local<'v128'>>();
  const hold: Statement[] = [];
  loop.strides.forEach((strides, input) => {
    const pointer = walkers[input]?.pointer;
    if ((strides[dimension] ?? 0) !== 0 || pointer === undefined) return;
    const holder = local('v128');
    holders.set(input, holder);
    hold.push(holder.set(v128.load32Splat(pointer)));
  });
  const read = (input: number, count: number, ahead: number): V => {
    const walker = walkers[input];
    if (walker === undefined) throw new RangeError(`inputsAlong: needs input ${input}, got fewer inputs.`);
    return holders.get(input) ?? readAlong(walker, dimension, count, ahead);
  };
  return { hold, read };
}

// Lanes behind `count` repeat the last element or hold what follows it in memory.
function readAlong({ pointer, strides }: Walker, dimension: number, count: number, ahead: number): V {
  const stride = strides[dimension] ?? 0;
  if (stride === 1) return v128.load(pointer, 4 * ahead);
  const offsets = [0, 1, 2, 3].map((lane) => 4 * stride * (ahead + Math.min(lane, count - 1)));
  // Constant offsets of instructions cannot be negative; those of walks backwards are added instead.
  if (stride < 0) return gatherLanes(offsets.map((offset) => i32.add(pointer, offset)));
  const pointers = offsets.map(() => pointer);
  return gatherLanes(pointers, offsets);
}

/** Writes the first `count` lanes to contiguous elements, starting `ahead` elements from the pointer. */
export function writeLanes(
  pointer: Local<'i32'>,
  value: Local<'v128'>,
  count: number,
  ahead: number,
): readonly Statement[] {
  if (count === 4) return [v128.store(pointer, value, 4 * ahead)];
  return Array.from({ length: count }, (_, lane) =>
    v128.store32Lane(pointer, value, lane as Lane, 4 * (ahead + lane)),
  );
}
