// The backends that suites run on. A new backend joins every one of them here.
import { wasmBackend } from '../src/backends/wasm/index.ts';
import type { Backend } from '../src/index.ts';
import { createBackend } from '../src/index.ts';

/** A wasm backend of so many threads that divides every step it can, however small. */
export const dividedWasm = (threads: number): Backend =>
  wasmBackend({ threads }, { products: 1, elements: 1 });

export const backends: readonly { readonly name: string; readonly make: () => Promise<Backend> }[] = [
  { name: 'cpu f32', make: () => createBackend('cpu') },
  { name: 'wasm', make: () => createBackend('wasm') },
  { name: 'wasm 2 threads', make: async () => dividedWasm(2) },
];
