// Runs emitted kernels on plain arrays, with canaries around everything they may write.

import type { ModuleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import { moduleBuilder } from '../../src/backends/wasm/assembler/module.ts';
import type { Kernel } from '../../src/backends/wasm/kernels/kernel.ts';
import { readableBytesAfter } from '../../src/backends/wasm/kernels/kernel.ts';

const canary = 0x7fc0dead; // a NaN, so that a result that used it shows
const pageBytes = 65536;

/** What a run wrote, and whether it wrote anything else. */
export interface KernelRun {
  readonly output: Float32Array<ArrayBuffer>;
  readonly isOutsideUntouched: boolean;
}

/** Emits a kernel into a module of its own and runs it on the given inputs. */
export function runKernel(
  emit: (module: ModuleBuilder) => Kernel,
  inputs: readonly ArrayLike<number>[],
  outputLength: number,
  imports: WebAssembly.Imports = {},
): KernelRun {
  const module = moduleBuilder();
  const { func, scratchBytes } = emit(module);
  const lengths = [...inputs.map((values) => 4 * values.length), 4 * outputLength, scratchBytes];
  const pointers: number[] = [];
  let end = 64;
  for (const length of lengths) {
    pointers.push(end);
    end += Math.ceil((length + readableBytesAfter) / 16) * 16;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / pageBytes) });
  const words = new Int32Array(memory.buffer).fill(canary);
  inputs.forEach((values, at) => {
    const target = values instanceof Int32Array ? words : new Float32Array(memory.buffer);
    target.set(values, (pointers[at] ?? 0) / 4);
  });
  const before = words.slice();
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), {
    ...imports,
    env: { memory },
  });
  const run = instance.exports[func.exportName ?? ''] as (...pointers: number[]) => void;
  run(...pointers);

  const outputAt = (pointers.at(-2) ?? 0) / 4;
  const scratchAt = (pointers.at(-1) ?? 0) / 4;
  const isWritable = (word: number): boolean =>
    (word >= outputAt && word < outputAt + outputLength) ||
    (word >= scratchAt && word < scratchAt + scratchBytes / 4);
  return {
    output: new Float32Array(memory.buffer).slice(outputAt, outputAt + outputLength),
    isOutsideUntouched: words.every((word, at) => word === before[at] || isWritable(at)),
  };
}

/** Numbers between -1 and 1 that depend on the seed only. */
export function randomValues(length: number, seed: number): Float32Array<ArrayBuffer> {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * (1 - (state & 15) / 32);
  });
}

/** The largest error in units of the bound 4 eps sqrt(k) reference(|inputs|); at most 1 is right. */
export function worstError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  magnitudes: ArrayLike<number>,
  terms: number,
): number {
  const bound = 4 * 2 ** -24 * Math.sqrt(Math.max(1, terms));
  let worst = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs((actual[at] ?? Number.NaN) - (expected[at] ?? Number.NaN));
    const allowed = bound * (magnitudes[at] ?? 0);
    // NaN compares false with everything, so it must be named.
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
    if (error > 0) worst = Math.max(worst, error / allowed);
  }
  return worst;
}

/** The inner product of two arrays in double precision. */
export function innerProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
