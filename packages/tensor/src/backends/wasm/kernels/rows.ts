// Rows of a loop: loading up to four neighbouring positions of every input, walking a row, and the nest around it.
import type { Expression } from '../../../expression.ts';
import type { Loop } from '../../../graph/loop.ts';
import type { DType } from '../../../tensor.ts';
import type { Expression as Code, Statement } from '../assembler/code.ts';
import { forRange, increment, sequence } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import type { Lane } from '../assembler/vector.ts';
import { v128 } from '../assembler/vector.ts';
import { fromMemory, vectorCode } from './vectorCode.ts';

type V = Code<'v128'>;

/** A loop, and the dtypes of its inputs as the expression states them. */
export interface LoopParts {
  readonly module: ModuleBuilder;
  readonly loop: Loop;
  readonly dtypes: readonly DType[];
}

/** Everything a row needs. */
export interface RowParts {
  readonly module: ModuleBuilder;
  readonly expression: Expression;
  readonly inputs: readonly Local<'i32'>[];
  readonly dtypes: readonly DType[];
  /** Elements from one position of the row to the next, per input. */
  readonly steps: readonly number[];
  readonly local: NewLocal;
}

/** The value of up to four neighbouring positions. */
export interface RowValue {
  readonly statements: readonly Statement[];
  readonly value: V;
}

/** The code of a row: what comes before it, and the value and advance of each part. */
export interface RowCode {
  readonly before: readonly Statement[];
  /** The values at the inputs' pointers: `count` lanes mean something. */
  readonly values: (count: number) => RowValue;
  /** Moves the pointers on by so many positions. */
  readonly advance: (count: number) => Statement[];
}

/** Row code over inputs that step by 0 (loaded once), 1 (vectors) or more (gathered lane by lane). */
export const rowCode = ({ module, expression, inputs, dtypes, steps, local }: RowParts): RowCode => {
  const held = inputs.map(() => local('v128'));
  const load = (k: number, count: number): Statement => {
    const pointer = inputs[k]!;
    const raw =
      steps[k] === 0
        ? v128.load32Splat(pointer)
        : steps[k] === 1
          ? count === 1
            ? v128.load32Zero(pointer)
            : v128.load(pointer)
          : gatherLanes(pointer, steps[k]!, count);
    return held[k]!.set(fromMemory(raw, dtypes[k]!));
  };
  const order = [...inputs.keys()];
  const moving = order.filter((k) => steps[k] !== 0);
  return {
    before: order.filter((k) => steps[k] === 0).map((k) => load(k, 4)),
    values: (count) => {
      const { statements, value } = vectorCode(module, local, expression, held);
      return { statements: [...moving.map((k) => load(k, count)), ...statements], value };
    },
    advance: (count) => moving.map((k) => increment(inputs[k]!, 4 * steps[k]! * count)),
  };
};

const gatherLanes = (pointer: Local<'i32'>, step: number, count: number): V => {
  let value = v128.load32Zero(pointer);
  for (let lane = 1; lane < count; lane++)
    value = v128.load32Lane(i32Offset(pointer, 4 * step * lane), value, lane as Lane);
  return value;
};

const i32Offset = (pointer: Local<'i32'>, bytes: number): Code<'i32'> =>
  bytes === 0 ? pointer : i32.add(pointer, bytes);

/** A row of `width` positions: vectors of four, then the rest at once. `use` gets the value of each part. */
export const rowLoop = (
  width: number,
  row: RowCode,
  use: (value: RowValue, count: number) => readonly Statement[],
  local: NewLocal,
): Statement[] => {
  const part = (count: number): Statement[] => [...use(row.values(count), count), ...row.advance(count)];
  const whole = Math.floor(width / 4);
  const rest = width % 4;
  const vectors = whole === 0 ? [] : whole === 1 ? part(4) : [forRange(local('i32'), 0, whole, 1, part(4))];
  return [...vectors, ...(rest === 0 ? [] : part(rest))];
};

/**
 * Loops over the outer extents around a body that leaves every pointer `inner` positions of the next dimension further on.
 * Between turns each pointer is moved to where the next turn begins.
 */
export const nest = (
  outer: readonly number[],
  loop: Loop,
  inputs: readonly Local<'i32'>[],
  body: readonly Statement[],
  local: NewLocal,
  inner: number,
): Statement[] => {
  let code: readonly Statement[] = body;
  let covered = inner;
  for (let d = outer.length - 1; d >= 0; d--) {
    const passed = covered;
    const moves = inputs.flatMap((pointer, k) => {
      const strides = loop.strides[k]!;
      const bytes = 4 * (strides[d]! - (strides[d + 1] ?? 0) * passed);
      return bytes === 0 ? [] : [increment(pointer, bytes)];
    });
    code = [forRange(local('i32'), 0, outer[d]!, 1, [sequence(...code), ...moves])];
    covered = outer[d]!;
  }
  return [...code];
};
