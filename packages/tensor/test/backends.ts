// The backends that suites run on. A new backend joins every one of them here.
import type { Backend } from '../src/index.ts';
import { createBackend } from '../src/index.ts';

export const backends: readonly { readonly name: string; readonly make: () => Promise<Backend> }[] = [
  { name: 'cpu f32', make: () => createBackend('cpu') },
  { name: 'wasm', make: () => createBackend('wasm') },
];
