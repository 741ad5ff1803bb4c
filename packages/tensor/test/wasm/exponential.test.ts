// exp and log in units in the last place of the double precision value, over the whole range of f32.

import { describe, expect, test } from 'vitest';
import { forRange, increment } from '../../src/backends/wasm/assembler/control.ts';
import type { ModuleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import { v128 } from '../../src/backends/wasm/assembler/vector.ts';
import type { VectorFunction } from '../../src/backends/wasm/kernels/exponential.ts';
import { exponential, logarithm } from '../../src/backends/wasm/kernels/exponential.ts';
import { runKernel } from './harness.ts';

type Make = (module: ModuleBuilder) => VectorFunction;

function apply(make: Make, values: Float32Array): Float32Array {
  const emit = (module: ModuleBuilder) => {
    const params = ['i32', 'i32', 'i32'] as const;
    const func = module.define(
      { exportName: 'map', params, result: 'void' },
      ([source, target, _scratch], local) => [
        forRange(local('i32'), 0, values.length, 4, [
          v128.store(target, make(module).call(v128.load(source))),
          increment(source, 16),
          increment(target, 16),
        ]),
      ],
    );
    return { func, scratchBytes: 0 };
  };
  return runKernel(emit, [values], values.length).output;
}

/** Every `step`-th float of the whole range, negative ones and NaNs included. */
function sweep(step: number): Float32Array {
  const count = Math.floor(2 ** 32 / step / 4) * 4;
  return new Float32Array(Uint32Array.from({ length: count }, (_, at) => at * step).buffer);
}

/** The distance of neighbouring floats at a value. */
function unitInLastPlace(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value))));
  return 2 ** (exponent - 23);
}

/** The largest error in units in the last place, and whether infinities, zeros and NaNs are where they belong. */
function worst(values: Float32Array, actual: Float32Array, exact: (x: number) => number): number {
  let most = 0;
  values.forEach((x, at) => {
    const expected = exact(x);
    const rounded = Math.fround(expected);
    const got = actual[at] ?? Number.NaN;
    if (!Number.isFinite(rounded) || !Number.isFinite(got)) {
      if (!Object.is(got, rounded)) most = Number.POSITIVE_INFINITY;
      return;
    }
    most = Math.max(most, Math.abs(got - expected) / unitInLastPlace(expected));
  });
  return most;
}

const specials = Float32Array.of(
  ...[0, -0, 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 2 ** -149],
  ...[-(2 ** -149), 2 ** -126, 3.4e38, -3.4e38, 88.72283, 88.72284, -103.97207, -103.97209],
);

describe('vector exp and log', () => {
  test('exp is within 2 ulp everywhere', () => {
    const values = sweep(6007);
    expect(worst(values, apply(exponential, values), Math.exp)).toBeLessThanOrEqual(2);
  });

  test('log is within 2 ulp everywhere', () => {
    const values = sweep(6011);
    expect(worst(values, apply(logarithm, values), Math.log)).toBeLessThanOrEqual(2);
  });

  test('log is within 2 ulp around 1, where it vanishes', () => {
    const values = Float32Array.from({ length: 40000 }, (_, at) => 1 + (at - 20000) * 2 ** -24);
    expect(worst(values, apply(logarithm, values), Math.log)).toBeLessThanOrEqual(2);
  });

  test('limits', () => {
    expect(worst(specials, apply(exponential, specials), Math.exp)).toBeLessThanOrEqual(2);
    expect(worst(specials, apply(logarithm, specials), Math.log)).toBeLessThanOrEqual(2);
  });
});
