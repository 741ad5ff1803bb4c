// Variables that a kernel folds values into: sums and maxima, of f32 and i32.
import type { DType } from '../../../tensor.ts';
import { largerOf, nameOf } from '../arithmetic.ts';
import type { Pair } from '../integers.ts';
import { choosePair, lessPair, pairOf, wrapped } from '../integers.ts';
import type { Value, Writer } from '../source.ts';

/** A variable that takes in one value after the other. */
export interface Fold {
  /** The variables, in which the fold is found at any time. */
  readonly value: Value;
  add(value: Value): void;
}

/** A sum, 0 at first. */
export const openSum = (writer: Writer, dtype: DType): Fold => {
  if (dtype !== 'i32') {
    const name = writer.define('0');
    return {
      value: { dtype: 'f32', name },
      add: (value) => writer.assign(name, `${name} + ${nameOf(value)}`),
    };
  }
  const total = pairOf(writer.define('0'), writer.define('0'));
  return {
    value: total,
    add: (value) => {
      const { low, high } = value as Pair;
      const sum = wrapped(
        writer,
        writer.define(`${total.low} + ${low}`),
        writer.define(`${total.high} + ${high}`),
      );
      assignPair(writer, total, sum);
    },
  };
};

/** The largest value, NaN where one is, and at first the given one. */
export const openMaximum = (writer: Writer, first: Value): Fold => {
  if (first.dtype !== 'i32') {
    const name = writer.define(first.name);
    return {
      value: { dtype: 'f32', name },
      add: (value) => writer.assign(name, largerOf(writer, name, nameOf(value))),
    };
  }
  const best = pairOf(writer.define(first.low), writer.define(first.high));
  return {
    value: best,
    add: (value) => {
      assignPair(writer, best, choosePair(writer, lessPair(best, value as Pair), value as Pair, best));
    },
  };
};

/** Writes the variables of one pair into those of another. */
export const assignPair = (writer: Writer, to: Pair, from: Pair): void => {
  writer.assign(to.low, from.low);
  writer.assign(to.high, from.high);
};

/** The condition that one value is larger than another; never where either is NaN. */
export const isLarger = (a: Value, b: Value): string =>
  a.dtype === 'i32' ? lessPair(b as Pair, a) : `${a.name} > ${nameOf(b)}`;

/** The condition that two values are equal. */
export const isEqual = (a: Value, b: Value): string =>
  a.dtype === 'i32'
    ? `(${a.low} === ${(b as Pair).low} && ${a.high} === ${(b as Pair).high})`
    : `${a.name} === ${nameOf(b)}`;

/** New variables that hold a value. */
export const copyOf = (writer: Writer, value: Value): Value =>
  value.dtype === 'i32'
    ? pairOf(writer.define(value.low), writer.define(value.high))
    : { ...value, name: writer.define(value.name) };

/** Writes one value over another of its dtype. */
export const assignValue = (writer: Writer, to: Value, from: Value): void => {
  if (to.dtype === 'i32') assignPair(writer, to, from as Pair);
  else writer.assign(to.name, nameOf(from));
};

/** A whole number below 2^24 as an i32. */
export const indexPair = (writer: Writer, index: string): Pair => {
  const high = writer.define(`Math.floor(${index} / 65536)`);
  return pairOf(writer.define(`${index} - ${high} * 65536`), high);
};
