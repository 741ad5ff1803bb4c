// Every primitive on GPU.js on WebAssembly, against the double-precision reference.
import { describe, test } from 'vitest';
import { createBackend } from '../../src/index.ts';
import { conformance } from '../../src/testing/conformance.ts';

conformance('gpujs webasm', () => createBackend('gpujs', { mode: 'webasm' }), { describe, test });
