// What each ONNX operator computes.
import { arrayOf, countOf, elementwise, folded, indexOf, moved, positionOf } from './arrays.ts';
import type { OnnxArray, ReadType } from './readOnnx.ts';
import type { Attributes } from './runOnnx.ts';
import { windowMeanings } from './windowMeanings.ts';

/** An operator: results from inputs (absent ones are undefined) and attributes. */
export type Meaning = (
  inputs: readonly OnnxArray[],
  attributes: Attributes,
  opset: number,
) => readonly OnnxArray[];

const unary =
  (f: (x: number) => number): Meaning =>
  ([x]) => [elementwise(x!.type, f, x!)];
const binary =
  (f: (a: number, b: number) => number, type?: ReadType): Meaning =>
  ([a, b]) => {
    if (a!.type !== b!.type) throw new RangeError(`operands ${a!.type} and ${b!.type}`);
    return [elementwise(type ?? a!.type, f, a!, b!)];
  };

const listOf = (array: OnnxArray): number[] => Array.from(array.data);
const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const reduction =
  (since: number, fold: (values: readonly number[]) => number): Meaning =>
  ([x, axes], { numbers, number }, opset) => {
    if (opset >= since !== (axes !== undefined))
      throw new RangeError(`axes of a reduction in version ${opset}`);
    const list = axes === undefined ? numbers('axes') : listOf(axes);
    return [folded(x!, list, number('keepdims', 1) === 1, fold)];
  };

const castTypes: Readonly<Record<number, ReadType>> = { 1: 'f32', 6: 'i32', 7: 'i64', 9: 'bool' };

const movement: Readonly<Record<string, Meaning>> = {
  Identity: ([x]) => [x!],
  Reshape: ([x, shape], { number }) => {
    const copies = number('allowzero', 0) === 0;
    const copied = listOf(shape!).map((n, d) => (n === 0 && copies ? x!.shape[d]! : n));
    const known = countOf(copied.filter((n) => n !== -1));
    const sizes = copied.map((n) => (n === -1 ? x!.data.length / known : n));
    if (countOf(sizes) !== x!.data.length) throw new RangeError(`[${x!.shape}] as [${copied}]`);
    return [{ ...x!, shape: sizes }];
  },
  Unsqueeze: ([x, axes]) => {
    const rank = x!.shape.length + axes!.data.length;
    const added = listOf(axes!).map((axis) => positive(axis, rank));
    const rest = [...x!.shape];
    const shape = Array.from({ length: rank }, (_, d) => (added.includes(d) ? 1 : rest.shift()!));
    return [{ ...x!, shape }];
  },
  Transpose: ([x], { numbers }) => {
    const axes = numbers('perm');
    const shape = axes.map((d) => x!.shape[d]!);
    return [moved(x!, shape, (position) => x!.shape.map((_, d) => position[axes.indexOf(d)]!))];
  },
  Expand: ([x, shape]) => [
    elementwise(
      x!.type,
      (a) => a,
      x!,
      arrayOf(x!.type, listOf(shape!), () => 0),
    ),
  ],
  Concat: (inputs, { number }) => {
    const axis = number('axis');
    const parts = inputs.flatMap((input, k) =>
      Array.from({ length: input.shape[axis]! }, (_, p) => [k, p] as const),
    );
    const [first] = inputs;
    const shape = first!.shape.map((n, d) => (d === axis ? parts.length : n));
    return [
      arrayOf(first!.type, shape, (i) => {
        const position = positionOf(i, shape);
        const [k, p] = parts[position[axis]!]!;
        const input = inputs[k]!;
        return input.data[
          indexOf(
            position.map((q, d) => (d === axis ? p : q)),
            input.shape,
          )
        ]!;
      }),
    ];
  },
  Slice: ([x, starts, ends, axes]) => {
    const list = listOf(axes!);
    const begin = x!.shape.map((_, d) => starts!.data[list.indexOf(d)] ?? 0);
    const end = x!.shape.map((n, d) => Math.min(ends!.data[list.indexOf(d)] ?? n, n));
    const shape = end.map((n, d) => n - begin[d]!);
    return [moved(x!, shape, (position) => position.map((p, d) => p + begin[d]!))];
  },
  Pad: ([x, counts, value]) => {
    const rank = x!.shape.length;
    const before = listOf(counts!).slice(0, rank);
    const shape = x!.shape.map((n, d) => before[d]! + n + counts!.data[rank + d]!);
    return [
      arrayOf(x!.type, shape, (i) => {
        const position = positionOf(i, shape).map((p, d) => p - before[d]!);
        const isInside = position.every((p, d) => p >= 0 && p < x!.shape[d]!);
        return isInside ? x!.data[indexOf(position, x!.shape)]! : value!.data[0]!;
      }),
    ];
  },
};

const indexing: Readonly<Record<string, Meaning>> = {
  Gather: ([x, indices], { number }) => {
    const axis = number('axis', 0);
    const rank = indices!.shape.length;
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)];
    return [
      moved(x!, shape, (position) => {
        const at = indices!.data[indexOf(position.slice(axis, axis + rank), indices!.shape)]!;
        return [...position.slice(0, axis), at, ...position.slice(axis + rank)];
      }),
    ];
  },
  GatherElements: ([x, indices], { number }) => {
    const axis = number('axis', 0);
    return [
      moved(x!, indices!.shape, (position) =>
        position.map((p, d) => (d === axis ? indices!.data[indexOf(position, indices!.shape)]! : p)),
      ),
    ];
  },
  GatherND: ([x, indices], { number }) => {
    const batch = number('batch_dims', 0);
    const outer = indices!.shape.slice(0, -1);
    const depth = indices!.shape.at(-1)!;
    const shape = [...outer, ...x!.shape.slice(batch + depth)];
    return [
      moved(x!, shape, (position) => {
        const row = indexOf(position.slice(0, outer.length), outer) * depth;
        const tuple = Array.from({ length: depth }, (_, k) => indices!.data[row + k]!);
        return [...position.slice(0, batch), ...tuple, ...position.slice(outer.length)];
      }),
    ];
  },
  ScatterND: ([x, indices, updates]) => {
    const data = x!.data.slice();
    const depth = indices!.shape.at(-1)!;
    updates!.data.forEach((value, row) => {
      const tuple = Array.from({ length: depth }, (_, k) => indices!.data[row * depth + k]!);
      data[indexOf(tuple, x!.shape)] = value;
    });
    return [{ ...x!, data }];
  },
  TopK: ([x, count]) => {
    const length = x!.shape.at(-1)!;
    const shape = [...x!.shape.slice(0, -1), count!.data[0]!];
    const order = Array.from({ length: x!.data.length / length }, (_, row) => {
      const values = x!.data.subarray(row * length, (row + 1) * length);
      const places = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
      return places.slice(0, count!.data[0]);
    });
    const flat = order.flat();
    const [rows, kept] = [order.length, count!.data[0]!];
    if (flat.length !== rows * kept) throw new RangeError(`the ${kept} highest of ${length}`);
    return [
      arrayOf(x!.type, shape, (i) => x!.data[Math.floor(i / kept) * length + flat[i]!]!),
      arrayOf('i64', shape, (i) => flat[i]!),
    ];
  },
  ArgMax: ([x], { number }) => {
    const axis = number('axis');
    const result = folded(x!, [axis], number('keepdims', 1) === 1, (values) =>
      values.indexOf(values.reduce((a, b) => Math.max(a, b))),
    );
    return [{ ...result, type: 'i64' }];
  },
  Shape: ([x]) => [arrayOf('i64', [x!.shape.length], (d) => x!.shape[d]!)],
  ConstantOfShape: ([shape]) => [arrayOf('f32', listOf(shape!), () => 0)],
  NonMaxSuppression: ([boxes, scores, most, overlap, least]) => {
    const [images, classes, count] = scores!.shape as [number, number, number];
    const selected: number[] = [];
    const side = (box: number, k: number): number => boxes!.data[box * 4 + k]!;
    const area = (box: number): number => (side(box, 2) - side(box, 0)) * (side(box, 3) - side(box, 1));
    const iou = (a: number, b: number): number => {
      const along = (k: number): number =>
        Math.max(Math.min(side(a, k + 2), side(b, k + 2)) - Math.max(side(a, k), side(b, k)), 0);
      const common = along(0) * along(1);
      return Math.fround(common / (area(a) + area(b) - common));
    };
    for (let n = 0; n < images; n++)
      for (let c = 0; c < classes; c++) {
        const score = (box: number): number => scores!.data[(n * classes + c) * count + box]!;
        const order = Array.from({ length: count }, (_, box) => box)
          .filter((box) => score(box) > least!.data[0]!)
          .sort((a, b) => score(b) - score(a) || a - b);
        const kept: number[] = [];
        for (const box of order) {
          if (kept.length === most!.data[0]) break;
          const isFree = kept.every((other) => iou(n * count + other, n * count + box) <= overlap!.data[0]!);
          if (isFree) kept.push(box);
        }
        selected.push(...kept.flatMap((box) => [n, c, box]));
      }
    return [arrayOf('i64', [selected.length / 3, 3], (i) => selected[i]!)];
  },
};

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The operators by name. */
export const operatorMeanings: Readonly<Record<string, Meaning>> = {
  ...movement,
  ...indexing,
  ...windowMeanings,
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Floor: unary(Math.floor),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Not: unary((x) => 1 - x),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Relu: unary((x) => Math.max(x, 0)),
  Clip: ([x, low, high]) => [
    elementwise(
      x!.type,
      (value) => {
        const above = low !== undefined && value < low.data[0]! ? low.data[0]! : value;
        return high !== undefined && above > high.data[0]! ? high.data[0]! : above;
      },
      x!,
    ),
  ],
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: ([a, b]) => [elementwise(a!.type, a!.type === 'i32' ? Math.imul : (x, y) => x * y, a!, b!)],
  Div: binary((a, b) => a / b),
  Mod: binary((a, b) => a - b * Math.floor(a / b)),
  Pow: binary((a, b) => a ** b),
  Min: binary(Math.min),
  Max: binary(Math.max),
  Less: binary((a, b) => Number(a < b), 'bool'),
  LessOrEqual: binary((a, b) => Number(a <= b), 'bool'),
  Greater: binary((a, b) => Number(a > b), 'bool'),
  Equal: binary((a, b) => Number(a === b), 'bool'),
  And: binary((a, b) => a * b),
  Where: ([condition, a, b]) => {
    if (condition!.type !== 'bool' || a!.type !== b!.type) throw new RangeError('types of Where');
    return [elementwise(a!.type, (c, x, y) => (c === 1 ? x : y), condition!, a!, b!)];
  },
  Cast: ([x], { number }) => {
    const type = castTypes[number('to')]!;
    if (type !== 'i32') return [elementwise(type, (value) => value, x!)];
    const whole = (value: number): number => {
      if (!(Math.abs(value) < 2 ** 31))
        throw new RangeError(`a cast of ${value} to i32, which ONNX leaves open`);
      return Math.trunc(value);
    };
    return [elementwise(type, whole, x!)];
  },
  ReduceSum: reduction(13, sum),
  ReduceMax: reduction(18, (values) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  ReduceMin: reduction(18, (values) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
};
