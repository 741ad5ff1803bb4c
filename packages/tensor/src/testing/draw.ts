// Random plain data for tests, from an explicit seed: the same seed gives the same numbers everywhere.
import { randomBitsOp } from '../ops/random.ts';
import { viewOf } from '../ops/views.ts';
import { sizeOf } from '../shape.ts';
import type { Shape, Spec } from '../tensor.ts';

/** Data of one leaf: f32 values are held in double precision but are exact in single precision. */
export interface Leaf {
  readonly spec: Spec;
  readonly data: Float64Array | Int32Array | Uint8Array;
}

/** A stream of random leaves; every call takes fresh numbers. */
export interface Draw {
  /** f32 spread evenly over [low, high]. */
  uniform(shape: Shape, low: number, high: number): Leaf;
  /** f32 of either sign with |x| in [low, high]: at least `low` away from a kink at zero. */
  aroundZero(shape: Shape, low: number, high: number): Leaf;
  /** f32 of either sign whose magnitudes spread evenly in the exponent over [low, high]. */
  magnitudes(shape: Shape, low: number, high: number): Leaf;
  /** f32 in random order, any two at least `gap` apart: no ties, and no order that a small step could change. */
  distinct(shape: Shape, gap?: number): Leaf;
  /** i32 in [low, high). */
  integers(shape: Shape, low: number, high: number): Leaf;
  /** bool, true and false alike. */
  bools(shape: Shape): Leaf;
}

/** An f32 leaf of the given values, rounded to single precision. */
export const f32Leaf = (shape: Shape, values: Iterable<number>): Leaf => ({
  spec: { shape, dtype: 'f32' },
  data: Float64Array.from(values, Math.fround),
});

/** An i32 leaf of the given values. */
export const i32Leaf = (shape: Shape, values: Iterable<number>): Leaf => ({
  spec: { shape, dtype: 'i32' },
  data: Int32Array.from(values),
});

/** A bool leaf of the given values. */
export const boolLeaf = (shape: Shape, values: Iterable<number>): Leaf => ({
  spec: { shape, dtype: 'bool' },
  data: Uint8Array.from(values),
});

/** A stream of random leaves that depends on the seed alone. */
export const drawFrom = (seed: number): Draw => {
  let stream = 0;
  const unit = (count: number): number[] => {
    const bits = new Int32Array(count);
    const key = viewOf(Int32Array.of(seed, stream++), [2]);
    randomBitsOp.reference([key], viewOf(bits, [count]), { shape: [count], bits: 24 });
    return Array.from(bits, (x) => (x + 0.5) / 2 ** 24);
  };
  const signs = (count: number): number[] => unit(count).map((u) => (u < 0.5 ? -1 : 1));
  const fill = (shape: Shape, value: (u: number) => number): Leaf =>
    f32Leaf(shape, unit(sizeOf(shape)).map(value));
  const signed = (shape: Shape, magnitude: (u: number) => number): Leaf => {
    const sign = signs(sizeOf(shape));
    return f32Leaf(
      shape,
      unit(sizeOf(shape)).map((u, i) => sign[i]! * magnitude(u)),
    );
  };
  return {
    uniform: (shape, low, high) => fill(shape, (u) => low + (high - low) * u),
    aroundZero: (shape, low, high) => signed(shape, (u) => low + (high - low) * u),
    magnitudes: (shape, low, high) => signed(shape, (u) => low * (high / low) ** u),
    distinct: (shape, gap = 0.125) => {
      const count = sizeOf(shape);
      const order = unit(count)
        .map((u, i) => [u, i] as const)
        .sort(([a], [b]) => a - b);
      return f32Leaf(
        shape,
        order.map(([, rank]) => gap * (rank - count / 2)),
      );
    },
    integers: (shape, low, high) =>
      i32Leaf(
        shape,
        unit(sizeOf(shape)).map((u) => Math.floor(low + (high - low) * u)),
      ),
    bools: (shape) =>
      boolLeaf(
        shape,
        unit(sizeOf(shape)).map((u) => Number(u < 0.5)),
      ),
  };
};
