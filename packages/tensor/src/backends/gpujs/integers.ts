// Arithmetic of i32 in single precision: on pairs of halves, each of which is exact.
import type { BinaryName, UnaryName } from '../../expression.ts';
import type { Value, Writer } from './source.ts';

/** An i32 in two halves. */
export type Pair = Extract<Value, { readonly dtype: 'i32' }>;

/** A pair of the given variables. */
export const pairOf = (low: string, high: string): Pair => ({ dtype: 'i32', low, high });

/** The pair of an integer known in advance. */
export const literalPair = (writer: Writer, value: number): Pair => {
  const low = value & 0xffff;
  return pairOf(writer.define(String(low)), writer.define(signed((value - low) / 65536)));
};

const signed = (value: number): string => (value < 0 ? `(${value})` : String(value));

/** The pair of sums that may lie outside the ranges of halves, below 2^24 in magnitude: what wraps is dropped. */
export const wrapped = (writer: Writer, low: string, high: string): Pair => {
  const carry = writer.define(`Math.floor(${low} / 65536)`);
  const carried = writer.define(`${high} + ${carry}`);
  const turns = writer.define(`Math.floor((${carried} + 32768) / 65536)`);
  return pairOf(writer.define(`${low} - ${carry} * 65536`), writer.define(`${carried} - ${turns} * 65536`));
};

/** The remainder of the product of two whole numbers in [0, 65536) divided by 65536. */
const lowProduct = (writer: Writer, a: string, b: string): string => {
  const { first, second } = bytesOf(writer, a);
  const upper = remainder(writer, writer.define(`${second} * ${b}`), 256);
  const lower = writer.define(`${first} * ${b}`);
  return remainder(writer, writer.define(`${lower} + ${upper} * 256`), 65536);
};

/** `value` without the multiples of a power of two. */
const remainder = (writer: Writer, value: string, divisor: number): string => {
  const turns = writer.define(`Math.floor(${value} / ${divisor})`);
  return writer.define(`${value} - ${turns} * ${divisor}`);
};

const bytesOf = (writer: Writer, value: string): { first: string; second: string } => {
  const second = writer.define(`Math.floor(${value} / 256)`);
  return { first: writer.define(`${value} - ${second} * 256`), second };
};

const product = (writer: Writer, a: Pair, b: Pair): Pair => {
  const [aHigh, bHigh] = [unsigned(writer, a.high), unsigned(writer, b.high)];
  const { first, second } = bytesOf(writer, a.low);
  const lower = writer.define(`${first} * ${b.low}`);
  const upper = writer.define(`${second} * ${b.low}`);
  const over = writer.define(`Math.floor(${upper} / 256)`);
  const rest = writer.define(`${upper} - ${over} * 256`);
  const low = writer.define(`${lower} + ${rest} * 256`);
  const crossed = [lowProduct(writer, aHigh, b.low), lowProduct(writer, a.low, bHigh)];
  return wrapped(writer, low, writer.define(`${over} + ${crossed[0]} + ${crossed[1]}`));
};

/** A high half as a number in [0, 65536). */
export const unsigned = (writer: Writer, half: string): string =>
  writer.define(`${half} < 0 ? ${half} + 65536 : ${half}`);

/** `a < b`, as text of a condition. */
export const lessPair = (a: Pair, b: Pair): string =>
  `(${a.high} < ${b.high} || (${a.high} === ${b.high} && ${a.low} < ${b.low}))`;

/** One of two pairs. */
export const choosePair = (writer: Writer, condition: string, a: Pair, b: Pair): Pair => {
  const chosen = writer.define(`${condition} ? 1 : 0`);
  return pairOf(
    writer.define(`${chosen} > 0.5 ? ${a.low} : ${b.low}`),
    writer.define(`${chosen} > 0.5 ? ${a.high} : ${b.high}`),
  );
};

const negated = (writer: Writer, x: Pair): Pair =>
  wrapped(writer, writer.define(`0 - ${x.low}`), writer.define(`0 - ${x.high}`));

/** A function of one i32, or undefined where there is none. */
export const unaryPair = (writer: Writer, name: UnaryName, x: Pair): Pair | undefined => {
  if (name === 'neg') return negated(writer, x);
  if (name === 'abs') return choosePair(writer, `${x.high} < 0`, negated(writer, x), x);
  return name === 'floor' ? x : undefined;
};

/** A function of two i32, or undefined where there is none. */
export const binaryPair = (writer: Writer, name: BinaryName, a: Pair, b: Pair): Value | undefined => {
  const bool = (condition: string): Value => ({
    dtype: 'bool',
    name: writer.define(`${condition} ? 1 : 0`),
  });
  switch (name) {
    case 'add':
      return wrapped(writer, writer.define(`${a.low} + ${b.low}`), writer.define(`${a.high} + ${b.high}`));
    case 'sub':
      return wrapped(writer, writer.define(`${a.low} - ${b.low}`), writer.define(`${a.high} - ${b.high}`));
    case 'mul':
      return product(writer, a, b);
    case 'minimum':
      return choosePair(writer, lessPair(b, a), b, a);
    case 'maximum':
      return choosePair(writer, lessPair(a, b), b, a);
    case 'less':
      return bool(lessPair(a, b));
    case 'lessEqual':
      return bool(`!${lessPair(b, a)}`);
    case 'equal':
      return bool(`(${a.low} === ${b.low} && ${a.high} === ${b.high})`);
    default:
      return undefined;
  }
};

/** A float cut to an integer; what lies outside the integers becomes the nearest, NaN becomes 0. */
export const truncatedPair = (writer: Writer, x: string): Pair => {
  const magnitude = writer.define(`Math.floor(Math.abs(${x}))`);
  const known = writer.define(`${magnitude} < 2147483648 ? ${magnitude} : 0`);
  const whole = writer.define(`${x} < 0 ? 0 - ${known} : ${known}`);
  const high = writer.define(`Math.floor(${whole} / 65536)`);
  const low = writer.define(`${whole} - ${high} * 65536`);
  const above = writer.define(`${x} >= 2147483648 ? 1 : 0`);
  const below = writer.define(`${x} <= -2147483648 ? 1 : 0`);
  const lowOrMost = writer.define(`${above} > 0.5 ? 65535 : ${low}`);
  const highOrMost = writer.define(`${above} > 0.5 ? 32767 : ${high}`);
  return pairOf(
    writer.define(`${below} > 0.5 ? 0 : ${lowOrMost}`),
    writer.define(`${below} > 0.5 ? 0 - 32768 : ${highOrMost}`),
  );
};

/** The float nearest to an i32. */
export const floatOfPair = (writer: Writer, x: Pair): string => {
  const upper = writer.define(`${x.high} * 65536`);
  return writer.define(`${upper} + ${x.low}`);
};
