// Runs emitted kernels on plain arrays, with canaries around everything they may write and every input in turn
// at the very end of the memory, where reading further than the contract allows traps.

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
  const kernel = emit(module);
  const compiled = new WebAssembly.Module(module.toBytes());
  const runs = inputs.map((_, last) => runOnce({ compiled, kernel, imports }, inputs, outputLength, last));
  const [first] = runs;
  if (first === undefined) throw new RangeError('runKernel: needs at least one input, got none.');
  const bits = (run: KernelRun): Int32Array => new Int32Array(run.output.buffer);
  return {
    output: first.output,
    // The same inputs give the same bits wherever they lie.
    isOutsideUntouched: runs.every(
      (run) => run.isOutsideUntouched && bits(run).every((word, at) => word === bits(first)[at]),
    ),
  };
}

/** Addresses from the end of the memory downwards: the input `last`, the other inputs, the output, the scratch. */
function layout(lengths: readonly number[], last: number): { pointers: number[]; bytes: number } {
  const order = [last, ...lengths.keys()].filter((region, at, all) => all.indexOf(region) === at);
  const sizes = lengths.map((length) => Math.ceil((4 * length) / 16) * 16 + readableBytesAfter);
  const total = sizes.reduce((sum, size) => sum + size, 64);
  const bytes = Math.ceil(total / pageBytes) * pageBytes;
  const pointers = lengths.map(() => 0);
  let end = bytes;
  for (const region of order) {
    end -= sizes[region] ?? 0;
    pointers[region] = end;
  }
  return { pointers, bytes };
}

interface CompiledKernel {
  readonly compiled: WebAssembly.Module;
  readonly kernel: Kernel;
  readonly imports: WebAssembly.Imports;
}

function runOnce(
  { compiled, kernel, imports }: CompiledKernel,
  inputs: readonly ArrayLike<number>[],
  outputLength: number,
  last: number,
): KernelRun {
  const { func, scratchBytes } = kernel;
  const scratchLength = scratchBytes / 4;
  const lengths = [...inputs.map(({ length }) => length), outputLength, scratchLength];
  const { pointers, bytes } = layout(lengths, last);
  const memory = new WebAssembly.Memory({ initial: bytes / pageBytes });
  const words = new Int32Array(memory.buffer).fill(canary);
  const floats = new Float32Array(memory.buffer);
  inputs.forEach((values, at) => {
    const target = values instanceof Int32Array ? words : floats;
    target.set(values, (pointers[at] ?? 0) / 4);
  });
  const before = words.slice();
  const { exports } = new WebAssembly.Instance(compiled, { ...imports, env: { memory } });
  (exports[func.exportName ?? ''] as (...pointers: readonly number[]) => void)(...pointers);

  const outputAt = (pointers.at(-2) ?? 0) / 4;
  const scratchAt = (pointers.at(-1) ?? 0) / 4;
  const isWritable = (word: number): boolean =>
    (word >= outputAt && word < outputAt + outputLength) ||
    (word >= scratchAt && word < scratchAt + scratchLength);
  return {
    output: floats.slice(outputAt, outputAt + outputLength),
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
