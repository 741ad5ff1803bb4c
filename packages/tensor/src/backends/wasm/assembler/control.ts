// Control flow: blocks, branches, loops and conditionals.

import type { Expression, Operand, Statement, ValueType } from './code.ts';
import { expression, operand, statement, typeCode } from './code.ts';
import { unsigned } from './encode.ts';
import type { Local } from './module.ts';
import { i32 } from './scalar.ts';

const noResult = 0x40;
const end = 0x0b;

type Body = readonly Statement[];

function codeOf(body: Body): Statement['code'] {
  return body.map((part) => part.code);
}

/** The statements one after the other, as one statement. */
export function sequence(...body: Body): Statement {
  return statement(codeOf(body));
}

/** A block: a branch to it leaves it. */
export function block(...body: Body): Statement {
  return statement([0x02, noResult, codeOf(body), end]);
}

/** A loop: a branch to it starts the next turn; without one it ends. */
export function loop(...body: Body): Statement {
  return statement([0x03, noResult, codeOf(body), end]);
}

/** A branch to the enclosing block, loop or conditional, counted outwards from 0. */
export function branch(depth: number): Statement {
  return statement([0x0c, unsigned(depth)]);
}

/** A branch taken when the condition is not zero. */
export function branchIf(depth: number, condition: Operand<'i32'>): Statement {
  return statement([operand('i32', condition), 0x0d, unsigned(depth)]);
}

/** The first body where the condition is not zero, else the second. */
export function ifElse(condition: Operand<'i32'>, whenTrue: Body, whenFalse: Body = []): Statement {
  const otherwise = whenFalse.length === 0 ? [] : [0x05, codeOf(whenFalse)];
  return statement([operand('i32', condition), 0x04, noResult, codeOf(whenTrue), otherwise, end]);
}

/** The value of one branch only; the other is not computed. */
export function choose<T extends ValueType>(
  condition: Operand<'i32'>,
  whenTrue: Expression<T>,
  whenFalse: Expression<T>,
): Expression<T> {
  const { type } = whenTrue;
  return expression(type, [
    operand('i32', condition),
    [0x04, typeCode[type]],
    whenTrue.code,
    0x05,
    whenFalse.code,
    end,
  ]);
}

/** A loop whose body runs at least once and again while the condition holds. */
export function doWhile(body: Body, condition: Operand<'i32'>): Statement {
  return loop(...body, branchIf(0, condition));
}

/** A loop that checks its condition first. */
export function whileLoop(condition: Operand<'i32'>, body: Body): Statement {
  return ifElse(condition, [doWhile(body, condition)]);
}

/**
 * A loop over from, from + step, ... below `to` (signed). The test sits at the end, so a turn has one
 * branch; `to` is computed on every turn, so pass a local or a constant.
 */
export function forRange(
  counter: Local<'i32'>,
  from: Operand<'i32'>,
  to: Operand<'i32'>,
  step: Operand<'i32'>,
  body: Body,
): Statement {
  const turns = doWhile([...body, increment(counter, step)], i32.ltS(counter, to));
  if (typeof from !== 'number' || typeof to !== 'number') {
    return sequence(counter.set(operandOf(from)), ifElse(i32.ltS(counter, to), [turns]));
  }
  return from < to ? sequence(counter.set(i32.const(from)), turns) : sequence();
}

/** The local with an amount added to it. */
export function increment(local: Local<'i32'>, amount: Operand<'i32'>): Statement {
  return local.set(i32.add(local, amount));
}

function operandOf(value: Operand<'i32'>): Expression<'i32'> {
  return typeof value === 'number' ? i32.const(value) : value;
}
