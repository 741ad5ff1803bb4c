// The two kinds of code, typed expressions and statements, and the builders every instruction is made of.

import type { Chunk } from './encode.ts';
import { float32Bytes, float64Bytes, signed, unsigned } from './encode.ts';

/** The types a WebAssembly value of this assembler may have. */
export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

/** Code that leaves one value on the stack. Using it twice computes it twice; a local holds a value. */
export interface Expression<T extends ValueType> {
  readonly type: T;
  readonly code: Chunk;
}

/** Code that leaves nothing on the stack. */
export interface Statement {
  readonly type: 'void';
  readonly code: Chunk;
}

/** What an instruction accepts for a value of one type: an expression, or a number for a constant. */
export type Operand<T extends ValueType> = T extends 'v128' ? Expression<T> : Expression<T> | number;

/** An instruction of one operand. */
export type Unary<T extends ValueType, R extends ValueType = T> = (value: Operand<T>) => Expression<R>;

/** An instruction of two operands of one type. */
export type Binary<T extends ValueType, R extends ValueType = T> = (
  left: Operand<T>,
  right: Operand<T>,
) => Expression<R>;

/** An instruction that reads memory at an address plus a constant offset, in bytes. */
export type Load<R extends ValueType> = (address: Operand<'i32'>, offset?: number) => Expression<R>;

/** An instruction that writes memory at an address plus a constant offset, in bytes. */
export type Store<T extends ValueType> = (
  address: Operand<'i32'>,
  value: Operand<T>,
  offset?: number,
) => Statement;

/** Members of one type under several names: how the instruction tables are typed. */
export type Named<Names extends string, Member> = { readonly [Name in Names]: Member };

/** The byte that names a value type in the binary format. */
export const typeCode: { readonly [T in ValueType]: number } = {
  i32: 0x7f,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** An expression of the given type made of the given code. */
export function expression<T extends ValueType>(type: T, code: Chunk): Expression<T> {
  return { type, code };
}

/** A statement made of the given code. */
export function statement(code: Chunk): Statement {
  return { type: 'void', code };
}

/** The constant of a scalar type. */
export function constant<T extends 'i32' | 'f32' | 'f64'>(type: T, value: number): Expression<T> {
  if (type === 'i32') return expression(type, [0x41, signed(value)]);
  if (type === 'f32') return expression(type, [0x43, float32Bytes(value)]);
  return expression(type, [0x44, float64Bytes(value)]);
}

/** The code of an operand: a number becomes the constant of the operand's type. */
export function operand<T extends ValueType>(type: T, value: Operand<T>): Chunk {
  const given: Expression<ValueType> | number = value;
  if (typeof given !== 'number') return given.code;
  return constant(type === 'f32' || type === 'f64' ? type : 'i32', given).code;
}

/** A one-operand instruction with the given opcode. */
export function unary<T extends ValueType, R extends ValueType>(
  type: T,
  result: R,
  opcode: Chunk,
): Unary<T, R> {
  return (value) => expression(result, [operand(type, value), opcode]);
}

/** A two-operand instruction with the given opcode. */
export function binary<T extends ValueType, R extends ValueType>(
  type: T,
  result: R,
  opcode: Chunk,
): Binary<T, R> {
  return (left, right) => expression(result, [operand(type, left), operand(type, right), opcode]);
}

// Every element is four bytes and buffers promise no more than that, so all accesses hint alignment 2^2.
const alignmentHint = 2;

/** The immediate of a memory instruction. */
export function memoryOffset(offset: number): Chunk {
  return [alignmentHint, unsigned(offset)];
}

/** A load instruction with the given opcode. */
export function load<R extends ValueType>(result: R, opcode: Chunk): Load<R> {
  return (address, offset = 0) => expression(result, [operand('i32', address), opcode, memoryOffset(offset)]);
}

/** A store instruction with the given opcode. */
export function store<T extends ValueType>(type: T, opcode: Chunk): Store<T> {
  return (address, value, offset = 0) =>
    statement([operand('i32', address), operand(type, value), opcode, memoryOffset(offset)]);
}
