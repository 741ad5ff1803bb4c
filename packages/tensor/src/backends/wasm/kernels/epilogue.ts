// What a convolution does to the elements of its result before it stores them: a fused loop over the result, computed
// while the elements are in registers.

import type { Epilogue, EpilogueRead } from '../../../graph/epilogues.ts';
import type { Expression, Operand, Statement } from '../assembler/code.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { i32 } from '../assembler/scalar.ts';
import { v128 } from '../assembler/vector.ts';
import { expressionKey, expressionPrinter } from './elementExpression.ts';

type V = Expression<'v128'>;

/** Text that is equal for equal epilogues. */
export function epilogueKey(epilogue: Epilogue | undefined): string {
  return epilogue === undefined
    ? ''
    : ` then ${expressionKey(epilogue.expression)} of ${JSON.stringify(epilogue.reads)}`;
}

/** How many further inputs a kernel with the epilogue has. */
export function operandCount(epilogue: Epilogue | undefined): number {
  const operands = epilogue?.reads.map((read) => (read.kind === 'result' ? -1 : read.operand)) ?? [];
  return Math.max(-1, ...operands) + 1;
}

/** How many arguments a subroutine with the epilogue has for it. */
export function readCount(epilogue: Epilogue | undefined): number {
  return epilogue?.reads.filter(({ kind }) => kind !== 'result').length ?? 0;
}

/**
 * What subroutines are given of every further input: for one that lies like the result the bytes from an element of the
 * result to the input's, for one per channel the address of the first channel's element.
 */
export function epilogueArguments(
  epilogue: Epilogue | undefined,
  operands: readonly Expression<'i32'>[],
  result: Expression<'i32'>,
  firstChannel: Expression<'i32'> | number = 0,
): readonly Expression<'i32'>[] {
  return (epilogue?.reads ?? []).flatMap((read) => {
    if (read.kind === 'result') return [];
    const pointer = operands[read.operand] ?? result;
    if (read.kind === 'alike') return [i32.sub(pointer, result)];
    return [i32.add(i32.add(pointer, 4 * read.offset), i32.mul(firstChannel, 4 * read.stride))];
  });
}

/** An epilogue inside a subroutine that was given `epilogueArguments`. */
export interface EpilogueCode {
  /** The elements that replace four of the result; `alike` reads four elements of an input at `delta` bytes from the result's. */
  readonly apply: (sums: V, row: number, alike: (delta: Local<'i32'>) => V) => Applied;
  /** Moves on by so many channels. */
  readonly advance: (channels: number, increment: Increment) => readonly Statement[];
}

type Increment = (pointer: Local<'i32'>, bytes: Operand<'i32'>) => Statement;

/** Statements to run first, and the value. */
interface Applied {
  readonly statements: readonly Statement[];
  readonly value: V;
}

/** The code of an epilogue; without one the value is the sum itself. */
export function epilogueCode(
  module: ModuleBuilder,
  local: NewLocal,
  epilogue: Epilogue | undefined,
  given: readonly Local<'i32'>[],
): EpilogueCode {
  if (epilogue === undefined) return { apply: (value) => ({ statements: [], value }), advance: () => [] };
  const print = expressionPrinter(module, local, epilogue.expression);
  const inputs = epilogue.reads.filter(({ kind }) => kind !== 'result');
  const argumentOf = (read: EpilogueRead): Local<'i32'> => {
    const argument = given[inputs.indexOf(read)];
    if (argument === undefined) throw new RangeError('epilogueCode: needs an argument per read, got fewer.');
    return argument;
  };
  const sum = local('v128');
  return {
    apply: (sums, row, alike) => {
      const { statements, value } = print((input) => {
        const read = epilogue.reads[input] ?? { kind: 'result' };
        if (read.kind === 'result') return sum;
        if (read.kind === 'alike') return alike(argumentOf(read));
        return v128.load32Splat(argumentOf(read), 4 * read.stride * row);
      });
      return { statements: [sum.set(sums), ...statements], value };
    },
    advance: (channels, increment) =>
      inputs.flatMap((read) =>
        read.kind === 'channel' && read.stride > 0
          ? [increment(argumentOf(read), 4 * read.stride * channels)]
          : [],
      ),
  };
}
