// The backends that suites run on. A new backend joins every one of them here.
import { wasmBackend } from '../src/backends/wasm/index.ts';
import type { Backend } from '../src/index.ts';
import { createBackend } from '../src/index.ts';

/** A backend under test. */
export interface BackendUnderTest {
  readonly name: string;
  readonly make: () => Promise<Backend>;
}

/** Node 20 has relaxed SIMD behind a flag of the whole process; it counts for every module compiled after this. */
export const allowFusing = (): void => {
  const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  const v8 = process?.getBuiltinModule?.('node:v8');
  v8?.setFlagsFromString('--experimental-wasm-relaxed-simd');
};

/** A wasm backend of so many threads that divides every step it can, however small. */
export const dividedWasm = (threads: number, { fma = false }: { readonly fma?: boolean } = {}): Backend => {
  if (fma) allowFusing();
  return wasmBackend({ threads, fma }, { products: 1, elements: 1 });
};

const wasmOf = (threads: number, fma: boolean): BackendUnderTest => ({
  name: `wasm${threads === 1 ? '' : ` ${threads} threads`}${fma ? ' fma' : ''}`,
  make: async () => dividedWasm(threads, { fma }),
});

/** One thread, with and without fused multiply-add: what numbers are checked on, since `threads/sameBits` finds those of more the same. */
export const wasmBackends: readonly BackendUnderTest[] = [wasmOf(1, false), wasmOf(1, true)];

/** Those whose numbers are checked. */
export const computingBackends: readonly BackendUnderTest[] = [
  { name: 'cpu f32', make: () => createBackend('cpu') },
  ...wasmBackends,
];

/** Every number of threads that differs in kind, with and without fused multiply-add. */
export const backends: readonly BackendUnderTest[] = [
  ...computingBackends,
  ...[2, 3].flatMap((threads) => [wasmOf(threads, false), wasmOf(threads, true)]),
];
