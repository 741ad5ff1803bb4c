// SIMD instructions: v128 memory and bits, f32x4 and i32x4 arithmetic.

import type { Binary, Expression, Load, Named, Operand, Statement, Store, Unary } from './code.ts';
import { binary, expression, load, memoryOffset, operand, statement, store, unary } from './code.ts';
import { float32Bytes, int32Bytes, unsigned } from './encode.ts';

/** A position in a vector of four elements. */
export type Lane = 0 | 1 | 2 | 3;

/** An element of a pair of vectors: 0 to 3 of the first, 4 to 7 of the second. */
type PairLane = Lane | 4 | 5 | 6 | 7;

type Lanes = readonly [PairLane, PairLane, PairLane, PairLane];

type V = Expression<'v128'>;

function opcode(number: number): readonly number[] {
  return [0xfd, ...unsigned(number)];
}

function unaryV(number: number): Unary<'v128'> {
  return unary('v128', 'v128', opcode(number));
}

function binaryV(number: number): Binary<'v128'> {
  return binary('v128', 'v128', opcode(number));
}

function ternaryV(number: number): (a: V, b: V, c: V) => V {
  return (a, b, c) => expression('v128', [a.code, b.code, c.code, opcode(number)]);
}

function shiftV(number: number): (value: V, bits: Operand<'i32'>) => V {
  return (value, bits) => expression('v128', [value.code, operand('i32', bits), opcode(number)]);
}

/** Instructions that do not look at the element type. */
export const v128: Named<'and' | 'or' | 'xor' | 'andnot', Binary<'v128'>> & {
  readonly not: Unary<'v128'>;
  /** Bits of `whenSet` where the mask is 1, of `whenClear` where it is 0. */
  readonly bitselect: (whenSet: V, whenClear: V, mask: V) => V;
  readonly anyTrue: Unary<'v128', 'i32'>;
  readonly load: Load<'v128'>;
  readonly store: Store<'v128'>;
  /** All four lanes from one element in memory. */
  readonly load32Splat: Load<'v128'>;
  /** Lane 0 from memory, zero elsewhere. */
  readonly load32Zero: Load<'v128'>;
  /** Lanes 0 and 1 from memory, zero elsewhere. */
  readonly load64Zero: Load<'v128'>;
  readonly load32Lane: (address: Operand<'i32'>, value: V, lane: Lane, offset?: number) => V;
  /** The first (0) or last (1) two elements from memory. */
  readonly load64Lane: (address: Operand<'i32'>, value: V, half: 0 | 1, offset?: number) => V;
  readonly store32Lane: (address: Operand<'i32'>, value: V, lane: Lane, offset?: number) => Statement;
  /** The first (0) or last (1) two elements to memory. */
  readonly store64Lane: (address: Operand<'i32'>, value: V, half: 0 | 1, offset?: number) => Statement;
  /** Four elements of the pair (left, right). */
  readonly shuffle: (left: V, right: V, lanes: Lanes) => V;
} = {
  and: binaryV(0x4e),
  andnot: binaryV(0x4f),
  or: binaryV(0x50),
  xor: binaryV(0x51),
  not: unaryV(0x4d),
  bitselect: ternaryV(0x52),
  anyTrue: unary('v128', 'i32', opcode(0x53)),
  load: load('v128', opcode(0x00)),
  store: store('v128', opcode(0x0b)),
  load32Splat: load('v128', opcode(0x09)),
  load32Zero: load('v128', opcode(0x5c)),
  load64Zero: load('v128', opcode(0x5d)),
  load64Lane: (address, value, half, offset = 0) =>
    expression('v128', [operand('i32', address), value.code, opcode(0x57), memoryOffset(offset), half]),
  load32Lane: (address, value, lane, offset = 0) =>
    expression('v128', [operand('i32', address), value.code, opcode(0x56), memoryOffset(offset), lane]),
  store32Lane: (address, value, lane, offset = 0) =>
    statement([operand('i32', address), value.code, opcode(0x5a), memoryOffset(offset), lane]),
  store64Lane: (address, value, half, offset = 0) =>
    statement([operand('i32', address), value.code, opcode(0x5b), memoryOffset(offset), half]),
  shuffle: (left, right, lanes) =>
    expression('v128', [
      left.code,
      right.code,
      opcode(0x0d),
      lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
    ]),
};

type FloatUnary = 'abs' | 'neg' | 'sqrt' | 'ceil' | 'floor' | 'trunc' | 'nearest';
type FloatBinary = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'pmin' | 'pmax';
type FloatCompare = 'eq' | 'ne' | 'lt' | 'gt' | 'le' | 'ge';

/** Instructions on four 32-bit floats; comparisons give all ones or all zeros per lane. */
export const f32x4: Named<FloatUnary, Unary<'v128'>> &
  Named<FloatBinary | FloatCompare, Binary<'v128'>> & {
    readonly const: (value: number) => V;
    readonly splat: Unary<'f32', 'v128'>;
    readonly extractLane: (value: V, lane: Lane) => Expression<'f32'>;
    readonly replaceLane: (value: V, lane: Lane, by: Operand<'f32'>) => V;
    readonly convertI32x4: Unary<'v128'>;
    /** a * b + c, rounded once or twice as the machine likes: needs relaxed SIMD. */
    readonly relaxedMadd: (a: V, b: V, c: V) => V;
    /** c - a * b, rounded once or twice as the machine likes: needs relaxed SIMD. */
    readonly relaxedNmadd: (a: V, b: V, c: V) => V;
  } = {
  const: (value) => expression('v128', [opcode(0x0c), Array.from({ length: 4 }, () => float32Bytes(value))]),
  splat: unary('f32', 'v128', opcode(0x13)),
  extractLane: (value, lane) => expression('f32', [value.code, opcode(0x1f), lane]),
  replaceLane: (value, lane, by) => expression('v128', [value.code, operand('f32', by), opcode(0x20), lane]),
  eq: binaryV(0x41),
  ne: binaryV(0x42),
  lt: binaryV(0x43),
  gt: binaryV(0x44),
  le: binaryV(0x45),
  ge: binaryV(0x46),
  ceil: unaryV(0x67),
  floor: unaryV(0x68),
  trunc: unaryV(0x69),
  nearest: unaryV(0x6a),
  abs: unaryV(0xe0),
  neg: unaryV(0xe1),
  sqrt: unaryV(0xe3),
  add: binaryV(0xe4),
  sub: binaryV(0xe5),
  mul: binaryV(0xe6),
  div: binaryV(0xe7),
  min: binaryV(0xe8),
  max: binaryV(0xe9),
  pmin: binaryV(0xea),
  pmax: binaryV(0xeb),
  convertI32x4: unaryV(0xfa),
  relaxedMadd: ternaryV(0x105),
  relaxedNmadd: ternaryV(0x106),
};

type IntegerBinary = 'add' | 'sub' | 'mul' | 'minS' | 'maxS' | 'eq' | 'ne' | 'ltS' | 'gtS' | 'leS' | 'geS';

/** Instructions on four 32-bit integers; comparisons give -1 or 0 per lane. */
export const i32x4: Named<'abs' | 'neg', Unary<'v128'>> &
  Named<IntegerBinary, Binary<'v128'>> &
  Named<'shl' | 'shrS' | 'shrU', (value: V, bits: Operand<'i32'>) => V> & {
    readonly const: (value: number) => V;
    readonly consts: (values: readonly [number, number, number, number]) => V;
    readonly splat: Unary<'i32', 'v128'>;
    readonly extractLane: (value: V, lane: Lane) => Expression<'i32'>;
    readonly replaceLane: (value: V, lane: Lane, by: Operand<'i32'>) => V;
    readonly truncSaturateF32x4: Unary<'v128'>;
    readonly allTrue: Unary<'v128', 'i32'>;
  } = {
  const: (value) => i32x4.consts([value, value, value, value]),
  consts: (values) => expression('v128', [opcode(0x0c), values.map(int32Bytes)]),
  splat: unary('i32', 'v128', opcode(0x11)),
  extractLane: (value, lane) => expression('i32', [value.code, opcode(0x1b), lane]),
  replaceLane: (value, lane, by) => expression('v128', [value.code, operand('i32', by), opcode(0x1c), lane]),
  eq: binaryV(0x37),
  ne: binaryV(0x38),
  ltS: binaryV(0x39),
  gtS: binaryV(0x3b),
  leS: binaryV(0x3d),
  geS: binaryV(0x3f),
  abs: unaryV(0xa0),
  neg: unaryV(0xa1),
  allTrue: unary('v128', 'i32', opcode(0xa3)),
  shl: shiftV(0xab),
  shrS: shiftV(0xac),
  shrU: shiftV(0xad),
  add: binaryV(0xae),
  sub: binaryV(0xb1),
  mul: binaryV(0xb5),
  minS: binaryV(0xb6),
  maxS: binaryV(0xb8),
  truncSaturateF32x4: unaryV(0xf8),
};
