// Scalar instructions: i32, f32, f64 arithmetic, comparison, conversion, loads and stores.

import type { Binary, Expression, Load, Named, Operand, Statement, Store, Unary } from './code.ts';
import { binary, constant, expression, load, operand, statement, store, unary } from './code.ts';

type I32Binary =
  | (
      | 'add'
      | 'sub'
      | 'mul'
      | 'divS'
      | 'divU'
      | 'remS'
      | 'remU'
      | 'and'
      | 'or'
      | 'xor'
      | 'shl'
      | 'shrS'
      | 'shrU'
    )
  | ('eq' | 'ne' | 'ltS' | 'ltU' | 'gtS' | 'gtU' | 'leS' | 'leU' | 'geS' | 'geU');

/** Instructions on 32-bit integers; comparisons give 0 or 1. */
export const i32: Named<I32Binary, Binary<'i32'>> & {
  readonly const: (value: number) => Expression<'i32'>;
  readonly eqz: Unary<'i32'>;
  readonly load: Load<'i32'>;
  readonly store: Store<'i32'>;
  readonly truncSaturateF32: Unary<'f32', 'i32'>;
  readonly truncSaturateF64: Unary<'f64', 'i32'>;
  readonly reinterpretF32: Unary<'f32', 'i32'>;
} = {
  const: (value) => constant('i32', value),
  eqz: unary('i32', 'i32', 0x45),
  eq: binary('i32', 'i32', 0x46),
  ne: binary('i32', 'i32', 0x47),
  ltS: binary('i32', 'i32', 0x48),
  ltU: binary('i32', 'i32', 0x49),
  gtS: binary('i32', 'i32', 0x4a),
  gtU: binary('i32', 'i32', 0x4b),
  leS: binary('i32', 'i32', 0x4c),
  leU: binary('i32', 'i32', 0x4d),
  geS: binary('i32', 'i32', 0x4e),
  geU: binary('i32', 'i32', 0x4f),
  add: binary('i32', 'i32', 0x6a),
  sub: binary('i32', 'i32', 0x6b),
  mul: binary('i32', 'i32', 0x6c),
  divS: binary('i32', 'i32', 0x6d),
  divU: binary('i32', 'i32', 0x6e),
  remS: binary('i32', 'i32', 0x6f),
  remU: binary('i32', 'i32', 0x70),
  and: binary('i32', 'i32', 0x71),
  or: binary('i32', 'i32', 0x72),
  xor: binary('i32', 'i32', 0x73),
  shl: binary('i32', 'i32', 0x74),
  shrS: binary('i32', 'i32', 0x75),
  shrU: binary('i32', 'i32', 0x76),
  load: load('i32', 0x28),
  store: store('i32', 0x36),
  truncSaturateF32: unary('f32', 'i32', [0xfc, 0x00]),
  truncSaturateF64: unary('f64', 'i32', [0xfc, 0x02]),
  reinterpretF32: unary('f32', 'i32', 0xbc),
};

type FloatUnary = 'abs' | 'neg' | 'ceil' | 'floor' | 'trunc' | 'nearest' | 'sqrt';
type FloatBinary = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'copysign';
type Comparison = 'eq' | 'ne' | 'lt' | 'gt' | 'le' | 'ge';

/** Instructions on 32-bit floats. */
export const f32: Named<FloatUnary, Unary<'f32'>> &
  Named<FloatBinary, Binary<'f32'>> &
  Named<Comparison, Binary<'f32', 'i32'>> & {
    readonly const: (value: number) => Expression<'f32'>;
    readonly load: Load<'f32'>;
    readonly store: Store<'f32'>;
    readonly demote: Unary<'f64', 'f32'>;
    readonly convertI32: Unary<'i32', 'f32'>;
    readonly reinterpretI32: Unary<'i32', 'f32'>;
  } = {
  const: (value) => constant('f32', value),
  eq: binary('f32', 'i32', 0x5b),
  ne: binary('f32', 'i32', 0x5c),
  lt: binary('f32', 'i32', 0x5d),
  gt: binary('f32', 'i32', 0x5e),
  le: binary('f32', 'i32', 0x5f),
  ge: binary('f32', 'i32', 0x60),
  abs: unary('f32', 'f32', 0x8b),
  neg: unary('f32', 'f32', 0x8c),
  ceil: unary('f32', 'f32', 0x8d),
  floor: unary('f32', 'f32', 0x8e),
  trunc: unary('f32', 'f32', 0x8f),
  nearest: unary('f32', 'f32', 0x90),
  sqrt: unary('f32', 'f32', 0x91),
  add: binary('f32', 'f32', 0x92),
  sub: binary('f32', 'f32', 0x93),
  mul: binary('f32', 'f32', 0x94),
  div: binary('f32', 'f32', 0x95),
  min: binary('f32', 'f32', 0x96),
  max: binary('f32', 'f32', 0x97),
  copysign: binary('f32', 'f32', 0x98),
  load: load('f32', 0x2a),
  store: store('f32', 0x38),
  demote: unary('f64', 'f32', 0xb6),
  convertI32: unary('i32', 'f32', 0xb2),
  reinterpretI32: unary('i32', 'f32', 0xbe),
};

/** Instructions on 64-bit floats. */
export const f64: Named<FloatUnary, Unary<'f64'>> &
  Named<FloatBinary, Binary<'f64'>> &
  Named<Comparison, Binary<'f64', 'i32'>> & {
    readonly const: (value: number) => Expression<'f64'>;
    readonly promote: Unary<'f32', 'f64'>;
    readonly convertI32: Unary<'i32', 'f64'>;
  } = {
  const: (value) => constant('f64', value),
  eq: binary('f64', 'i32', 0x61),
  ne: binary('f64', 'i32', 0x62),
  lt: binary('f64', 'i32', 0x63),
  gt: binary('f64', 'i32', 0x64),
  le: binary('f64', 'i32', 0x65),
  ge: binary('f64', 'i32', 0x66),
  abs: unary('f64', 'f64', 0x99),
  neg: unary('f64', 'f64', 0x9a),
  ceil: unary('f64', 'f64', 0x9b),
  floor: unary('f64', 'f64', 0x9c),
  trunc: unary('f64', 'f64', 0x9d),
  nearest: unary('f64', 'f64', 0x9e),
  sqrt: unary('f64', 'f64', 0x9f),
  add: binary('f64', 'f64', 0xa0),
  sub: binary('f64', 'f64', 0xa1),
  mul: binary('f64', 'f64', 0xa2),
  div: binary('f64', 'f64', 0xa3),
  min: binary('f64', 'f64', 0xa4),
  max: binary('f64', 'f64', 0xa5),
  copysign: binary('f64', 'f64', 0xa6),
  promote: unary('f32', 'f64', 0xbb),
  convertI32: unary('i32', 'f64', 0xb7),
};

/** Bulk memory instructions; lengths in bytes. */
export const memory: {
  readonly copy: (to: Operand<'i32'>, from: Operand<'i32'>, length: Operand<'i32'>) => Statement;
  readonly fill: (to: Operand<'i32'>, byte: Operand<'i32'>, length: Operand<'i32'>) => Statement;
} = {
  copy: (to, from, length) =>
    statement([operand('i32', to), operand('i32', from), operand('i32', length), [0xfc, 0x0a, 0x00, 0x00]]),
  fill: (to, byte, length) =>
    statement([operand('i32', to), operand('i32', byte), operand('i32', length), [0xfc, 0x0b, 0x00]]),
};

/** The smaller of two signed integers. Both operands are computed twice: pass locals or constants. */
export function minimumI32(left: Operand<'i32'>, right: Operand<'i32'>): Expression<'i32'> {
  return select('i32', left, right, i32.ltS(left, right));
}

/** `whenTrue` where the condition is not zero, else `whenFalse`; both are computed. */
export function select<T extends 'i32' | 'f32' | 'f64'>(
  type: T,
  whenTrue: Operand<T>,
  whenFalse: Operand<T>,
  condition: Operand<'i32'>,
): Expression<T> {
  return expression(type, [
    operand(type, whenTrue),
    operand(type, whenFalse),
    operand('i32', condition),
    0x1b,
  ]);
}
