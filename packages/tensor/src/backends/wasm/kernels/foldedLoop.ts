// Loops that end in a reduction: either along rows, with partial results in the lanes, or across them, with one result per lane.
import type { Loop, Reduction } from '../../../graph/loop.ts';
import { sizeOf } from '../../../shape.ts';
import type { DType } from '../../../tensor.ts';
import type { Expression as Code, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, NewLocal } from '../assembler/module.ts';
import type { Lane } from '../assembler/vector.ts';
import { f32x4, i32x4, v128 } from '../assembler/vector.ts';
import type { LoopParts, RowCode } from './rows.ts';
import { nest, rowCode, rowLoop } from './rows.ts';
import { splatConstant } from './vectorCode.ts';

type V = Code<'v128'>;

/** How values are folded: the start, and one step. */
interface Fold {
  readonly start: V;
  readonly combine: (a: V, b: V) => V;
}

const foldOf = ({ name }: Reduction, dtype: DType): Fold => {
  if (name === 'sum')
    return { start: splatConstant(0, dtype), combine: dtype === 'i32' ? i32x4.add : f32x4.add };
  return dtype === 'i32'
    ? { start: i32x4.const(-2147483648), combine: i32x4.maxS }
    : { start: f32x4.const(Number.NEGATIVE_INFINITY), combine: f32x4.max };
};

/** The statements of a loop with a reduction. */
export const emitFoldedLoop = (
  parts: LoopParts,
  reduction: Reduction,
  inputs: readonly Local<'i32'>[],
  output: Local<'i32'>,
  local: NewLocal,
): Statement[] => {
  const { loop } = parts;
  const kept = loop.extents.slice(0, loop.extents.length - reduction.rank);
  if (sizeOf(kept) === 0) return [];
  const fold = foldOf(reduction, loop.expression.dtype);
  const start = inputs.map((pointer, k) => increment(pointer, 4 * loop.offsets[k]!));
  if (sizeOf(loop.extents) === 0) return fillWith(fold.start, sizeOf(kept), output, local);
  const across = kept.length > 0 && foldsAcross(loop, kept.length);
  const nested = across
    ? acrossRows(parts, fold, kept, inputs, output, local)
    : alongRows(parts, fold, kept, inputs, output, local);
  return [...start, ...nested];
};

const fillWith = (value: V, count: number, output: Local<'i32'>, local: NewLocal): Statement[] => [
  forRange(local('i32'), 0, count, 1, [v128.store32Lane(output, value, 0), increment(output, 4)]),
];

/** Whether the last kept dimension is the contiguous one: then four results at a time read whole vectors. */
const foldsAcross = (loop: Loop, rank: number): boolean => {
  const keptSteps = loop.strides.map((strides) => strides[rank - 1]!);
  const foldedSteps = loop.strides.map((strides) => strides.at(-1)!);
  return foldedSteps.some((s) => s > 1) && keptSteps.every((s) => s === 0 || s === 1);
};

/** Bits set in the first `count` lanes. */
const laneMask = (count: number): V =>
  i32x4.consts([0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0)) as [number, number, number, number]);

/** Each result folds rows of vectors into one accumulator per lane, and those into one value at the end. */
const alongRows = (
  { module, loop, dtypes }: LoopParts,
  fold: Fold,
  kept: readonly number[],
  inputs: readonly Local<'i32'>[],
  output: Local<'i32'>,
  local: NewLocal,
): Statement[] => {
  const folded = loop.extents.slice(kept.length);
  const width = folded.at(-1) ?? 1;
  const steps = loop.strides.map((strides) => (folded.length === 0 ? 0 : strides.at(-1)!));
  const row = rowCode({ module, expression: loop.expression, inputs, dtypes, steps, local });
  const total = local('v128');
  const rows = [...row.before, ...accumulateRow(width, row, fold, total, local)];
  const inner = nest(folded.slice(0, -1), innerLoop(loop, kept.length), inputs, rows, local, width);
  const covered = folded[0] ?? 1;
  const body = [
    total.set(fold.start),
    ...inner,
    ...acrossLanes(total, fold, local),
    v128.store32Lane(output, total, 0),
    increment(output, 4),
  ];
  return nest(kept, loop, inputs, body, local, covered);
};

/** The loop's dimensions from `from` on. */
const innerLoop = (loop: Loop, from: number): Loop => ({
  ...loop,
  extents: loop.extents.slice(from),
  strides: loop.strides.map((strides) => strides.slice(from)),
});

/** Long rows keep two accumulators busy, to hide the latency of the fold. */
const longRow = 32;

const accumulateRow = (
  width: number,
  row: RowCode,
  { start, combine }: Fold,
  total: Local<'v128'>,
  local: NewLocal,
): Statement[] => {
  const into = (target: Local<'v128'>, count: number): Statement[] => {
    const { statements, value } = row.values(count);
    const masked = count === 4 ? value : v128.bitselect(value, start, laneMask(count));
    return [...statements, target.set(combine(target, masked)), ...row.advance(count)];
  };
  if (width < longRow)
    return rowLoop(
      width,
      row,
      ({ statements, value }, count) => {
        const masked = count === 4 ? value : v128.bitselect(value, start, laneMask(count));
        return [...statements, total.set(combine(total, masked))];
      },
      local,
    );
  const second = local('v128');
  const pairs = Math.floor(width / 8);
  const rest = width - 8 * pairs;
  return [
    second.set(start),
    forRange(local('i32'), 0, pairs, 1, [...into(total, 4), ...into(second, 4)]),
    ...(rest >= 4 ? into(total, 4) : []),
    ...(rest % 4 === 0 ? [] : into(total, rest % 4)),
    total.set(combine(total, second)),
  ];
};

/** Folds the four lanes; lane 0 holds the result. */
const acrossLanes = (total: Local<'v128'>, { combine }: Fold, local: NewLocal): Statement[] => {
  const held = local('v128');
  return [
    held.set(v128.shuffle(total, total, [2, 3, 0, 1])),
    total.set(combine(total, held)),
    held.set(v128.shuffle(total, total, [1, 0, 3, 2])),
    total.set(combine(total, held)),
  ];
};

/** Four results side by side, each in its lane; the folded dimensions are walked inside. */
const acrossRows = (
  { module, loop, dtypes }: LoopParts,
  fold: Fold,
  kept: readonly number[],
  inputs: readonly Local<'i32'>[],
  output: Local<'i32'>,
  local: NewLocal,
): Statement[] => {
  const folded = loop.extents.slice(kept.length);
  const width = kept.at(-1)!;
  const last = kept.length - 1;
  const keptSteps = loop.strides.map((strides) => strides[last]!);
  const total = local('v128');
  /** One block of `count` results, after which the pointers are at the next block. */
  const block = (count: number): Statement[] => {
    const row = rowCode({ module, expression: loop.expression, inputs, dtypes, steps: keptSteps, local });
    const { statements, value } = row.values(count);
    const once = [...row.before, ...statements, total.set(fold.combine(total, value))];
    const walk = nest(folded, innerLoop(loop, kept.length), inputs, once, local, 0);
    const back = inputs.flatMap((pointer, k) => {
      const bytes = 4 * (keptSteps[k]! * count - loop.strides[k]![kept.length]! * folded[0]!);
      return bytes === 0 ? [] : [increment(pointer, bytes)];
    });
    const stores =
      count === 4
        ? [v128.store(output, total)]
        : Array.from({ length: count }, (_, lane) => v128.store32Lane(output, total, lane as Lane, 4 * lane));
    return [total.set(fold.start), ...walk, ...stores, increment(output, 4 * count), ...back];
  };
  const whole = Math.floor(width / 4);
  const rest = width % 4;
  const rows = [
    ...(whole === 0 ? [] : [forRange(local('i32'), 0, whole, 1, block(4))]),
    ...(rest === 0 ? [] : block(rest)),
  ];
  return nest(kept.slice(0, -1), loop, inputs, rows, local, width);
};
