// Arrays of the ONNX reference: strides, broadcasting, and loops over positions.
import type { OnnxArray, ReadType } from './readOnnx.ts';

/** The number of elements of a shape. */
export const countOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Values as a type holds them. */
const roundings: Readonly<Record<ReadType, (x: number) => number>> = {
  f32: Math.fround,
  u8: (x) => x & 255,
  i32: (x) => x | 0,
  i64: Math.trunc,
  bool: (x) => Number(x !== 0),
};

/** An array computed element by element. */
export const arrayOf = (
  type: ReadType,
  shape: readonly number[],
  valueAt: (index: number) => number,
): OnnxArray => {
  const round = roundings[type];
  return { type, shape, data: Float64Array.from({ length: countOf(shape) }, (_, i) => round(valueAt(i))) };
};

/** The position along every axis of an element. */
export const positionOf = (index: number, shape: readonly number[]): number[] => {
  const position: number[] = new Array<number>(shape.length).fill(0);
  let rest = index;
  for (let d = shape.length - 1; d >= 0; d--) {
    position[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return position;
};

/** The index of the element at a position. */
export const indexOf = (position: readonly number[], shape: readonly number[]): number =>
  position.reduce((index, p, d) => index * shape[d]! + p, 0);

/** The shape that arrays have together. */
const jointShape = (shapes: readonly (readonly number[])[]): number[] => {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = shapes.map((shape) => shape[d - rank + shape.length] ?? 1);
    const size = sizes.find((n) => n !== 1) ?? 1;
    if (sizes.some((n) => n !== 1 && n !== size)) throw new RangeError(`shapes ${shapes.join(' and ')}`);
    return size;
  });
};

/** A function of numbers, element by element, of arrays that are repeated to one shape. */
export const elementwise = (
  type: ReadType,
  f: (...values: number[]) => number,
  ...arrays: readonly OnnxArray[]
): OnnxArray => {
  const shape = jointShape(arrays.map((array) => array.shape));
  const count = countOf(shape);
  if (arrays.every(({ data }) => data.length === count || data.length === 1))
    return arrayOf(type, shape, (i) => f(...arrays.map(({ data }) => data[data.length === 1 ? 0 : i]!)));
  return arrayOf(type, shape, (i) => {
    const position = positionOf(i, shape);
    const values = arrays.map(({ shape: own, data }) => {
      const short = position.slice(shape.length - own.length);
      return data[
        indexOf(
          short.map((p, d) => (own[d] === 1 ? 0 : p)),
          own,
        )
      ]!;
    });
    return f(...values);
  });
};

/** An array whose elements are elements of another. */
export const moved = (
  x: OnnxArray,
  shape: readonly number[],
  from: (position: readonly number[]) => readonly number[],
): OnnxArray => arrayOf(x.type, shape, (i) => x.data[indexOf(from(positionOf(i, shape)), x.shape)]!);

/** An array folded along axes. */
export const folded = (
  x: OnnxArray,
  axes: readonly number[],
  keeps: boolean,
  fold: (values: readonly number[]) => number,
): OnnxArray => {
  const lists = new Map<number, number[]>();
  const kept = x.shape.map((n, d) => (axes.includes(d) ? 1 : n));
  x.data.forEach((value, i) => {
    const at = indexOf(
      positionOf(i, x.shape).map((p, d) => (axes.includes(d) ? 0 : p)),
      kept,
    );
    const list = lists.get(at);
    if (list === undefined) lists.set(at, [value]);
    else list.push(value);
  });
  const shape = keeps ? kept : x.shape.filter((_, d) => !axes.includes(d));
  return arrayOf(x.type, shape, (i) => fold(lists.get(i) ?? []));
};
