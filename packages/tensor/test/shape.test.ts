// Shape arithmetic against its definitions.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sizeOf, tensor } from '../src/index.ts';
import {
  broadcastShapes,
  normalizeAxes,
  normalizeAxis,
  reduceShape,
  stridesOf,
  windowCount,
} from '../src/shape.ts';
import { broadcastPair, shape } from './arbitraries.ts';

const seed = 7;

describe('strides', () => {
  test('the strides of a shape number its elements 0, 1, 2 … in row-major order', () => {
    fc.assert(
      fc.property(shape({ maxRank: 4, maxDim: 4 }), (of) => {
        let indices: number[][] = [[]];
        for (const n of of)
          indices = indices.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i]));
        const positions = indices.map((index) => index.reduce((sum, i, d) => sum + i * stridesOf(of)[d]!, 0));
        expect(positions).toEqual(Array.from({ length: sizeOf(of) }, (_, i) => i));
      }),
      { seed },
    );
  });
});

describe('broadcasting', () => {
  test('is symmetric, contains both shapes, and gives the shape the pair was made from', () => {
    fc.assert(
      fc.property(broadcastPair(), ({ a, b, joint }) => {
        expect(broadcastShapes(a, b)).toEqual(joint);
        expect(broadcastShapes(b, a)).toEqual(joint);
        expect(broadcastShapes(a, joint)).toEqual(joint);
      }),
      { seed },
    );
  });

  test('follows NumPy where sizes are 0 or 1, and refuses unequal sizes', () => {
    expect(broadcastShapes([], [2, 3])).toEqual([2, 3]);
    expect(broadcastShapes([1], [0])).toEqual([0]);
    expect(broadcastShapes([3, 1], [1, 4])).toEqual([3, 4]);
    expect(broadcastShapes([2], [3])).toBeUndefined();
    expect(broadcastShapes([0], [3])).toBeUndefined();
    expect(broadcastShapes([2, 3], [3, 2])).toBeUndefined();
  });
});

describe('axes', () => {
  test('count from the end when negative, come sorted and once', () => {
    const spec = { shape: [2, 3, 4], dtype: 'f32' } as const;
    expect(normalizeAxes('sum', [-1, 0, 2], spec)).toEqual([0, 2]);
    expect(normalizeAxes('sum', undefined, spec)).toEqual([0, 1, 2]);
    expect(normalizeAxes('sum', -2, spec)).toEqual([1]);
  });

  test.each([3, -4, 0.5])('axis %d of a tensor of rank 3 is refused', (axis) => {
    expect(() => normalizeAxis('sum', axis, 3)).toThrow(`sum: needs an axis in [-3, 3), got axis ${axis}.`);
  });

  test('folded axes disappear, or stay with size 1', () => {
    expect(reduceShape([2, 3, 4], [0, 2], false)).toEqual([3]);
    expect(reduceShape([2, 3, 4], [0, 2], true)).toEqual([1, 3, 1]);
  });
});

test('windowCount counts the windows that fit', () => {
  const sizes = fc.record({
    size: fc.nat(20),
    window: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 4 }),
    padding: fc.nat(4),
    dilation: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(sizes, ({ size, window, stride, padding, dilation }) => {
      let fitting = 0;
      for (let start = 0; start + dilation * (window - 1) < size + padding; start += stride) fitting++;
      expect(windowCount(size, window, stride, padding, dilation)).toBe(fitting);
    }),
    { seed },
  );
});

describe('tensor', () => {
  test('takes the shape of nested rows, and of typed arrays', () => {
    expect(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).shape,
    ).toEqual([2, 3]);
    expect(tensor(5).shape).toEqual([]);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor(new Float32Array(4)).shape).toEqual([4]);
    expect(tensor(new Float32Array(4), { shape: [2, 2] }).shape).toEqual([2, 2]);
  });

  test('copies a typed array unless it is its own to keep, and converts what is not stored as it is', () => {
    const dataOf = (...args: Parameters<typeof tensor>): unknown => {
      const { source } = tensor(...args);
      return source.kind === 'constant' ? source.data : undefined;
    };
    const [floats, integers] = [Float32Array.of(1, 2), Int32Array.of(1, 2)];
    expect(dataOf(floats)).toEqual(floats);
    expect(dataOf(floats)).not.toBe(floats);
    expect(dataOf(floats, { adopt: true })).toBe(floats);
    expect(dataOf(integers, { adopt: true })).toBe(integers);
    expect(dataOf(floats, { adopt: true, dtype: 'i32' })).toEqual(integers);
    expect(dataOf(Uint8Array.of(2), { adopt: true })).toEqual(Uint8Array.of(1));
  });

  test('takes the dtype of its data', () => {
    expect(tensor([1, 2]).dtype).toBe('f32');
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor(Int32Array.of(1)).dtype).toBe('i32');
    expect(tensor(Uint8Array.of(1)).dtype).toBe('bool');
    expect(tensor([1, 2], { dtype: 'i32' }).dtype).toBe('i32');
  });
});
