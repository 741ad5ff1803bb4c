// Matrix products against plain loops in double precision.

import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moduleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import type { MatmulGeometry } from '../../src/backends/wasm/kernels/matmul.ts';
import { emitMatmul } from '../../src/backends/wasm/kernels/matmul.ts';
import { randomValues, runKernel, worstError } from './harness.ts';

function product(g: MatmulGeometry, left: ArrayLike<number>, right: ArrayLike<number>): Float64Array {
  const { rows, columns, depth } = g;
  const result = new Float64Array(g.batch * rows * columns);
  for (let b = 0; b < g.batch; b++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < depth; k++) {
          const leftAt = g.transposeLeft ? k * rows + i : i * depth + k;
          const rightAt = g.transposeRight ? j * depth + k : k * columns + j;
          sum += (left[b * rows * depth + leftAt] ?? 0) * (right[b * depth * columns + rightAt] ?? 0);
        }
        result[(b * rows + i) * columns + j] = sum;
      }
  return result;
}

function check(g: MatmulGeometry, seed: number, fma = false): void {
  const left = randomValues(g.batch * g.rows * g.depth, seed);
  const right = randomValues(g.batch * g.depth * g.columns, seed + 1);
  const run = runKernel(
    (module) => emitMatmul(module, g, { fma }),
    [left, right],
    g.batch * g.rows * g.columns,
  );
  const magnitudes = product(g, left.map(Math.abs), right.map(Math.abs));
  expect(run.isOutsideUntouched).toBe(true);
  expect(worstError(run.output, product(g, left, right), magnitudes, g.depth)).toBeLessThanOrEqual(1);
}

const size = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 40 }));

describe('matmul kernel', () => {
  test('agrees with double precision for random sizes', () => {
    const geometry = fc.record({
      batch: fc.integer({ min: 0, max: 3 }),
      rows: size,
      columns: size,
      depth: size,
      transposeLeft: fc.boolean(),
      transposeRight: fc.boolean(),
    });
    fc.assert(
      fc.property(geometry, fc.nat(1000), (g, seed) => check(g, seed)),
      { numRuns: 300, seed: 7 },
    );
  });

  test.each([
    [33, 70, 300],
    [5, 131, 513],
    [1, 37, 600],
    [37, 1, 600],
    [130, 3, 257],
    [7, 9, 5000],
  ])('%i x %i over depth %i, beyond one block', (rows, columns, depth) => {
    for (const transposeLeft of [false, true])
      for (const transposeRight of [false, true])
        check({ batch: 1, rows, columns, depth, transposeLeft, transposeRight }, rows);
  });

  test('is as exact with fused multiply-add', () => {
    // Node 20 knows relaxed SIMD but has it switched off; later versions have no such switch to set.
    const module = moduleBuilder();
    const g = { batch: 1, rows: 9, columns: 21, depth: 50, transposeLeft: false, transposeRight: true };
    emitMatmul(module, g, { fma: true });
    if (!WebAssembly.validate(module.toBytes())) setFlagsFromString('--experimental-wasm-relaxed-simd');
    expect(WebAssembly.validate(module.toBytes())).toBe(true);
    check(g, 4, true);
  });

  test('emits equal products once', () => {
    const g = { batch: 1, rows: 2, columns: 2, depth: 2, transposeLeft: false, transposeRight: false };
    runKernel(
      (module) => {
        expect(emitMatmul(module, g)).toBe(emitMatmul(module, { ...g }));
        return emitMatmul(module, g);
      },
      [randomValues(4, 1), randomValues(4, 2)],
      4,
    );
  });
});
