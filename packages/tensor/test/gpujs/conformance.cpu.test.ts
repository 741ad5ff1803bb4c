// Every primitive on GPU.js in plain JavaScript, against the double-precision reference.
import { describe, test } from 'vitest';
import { createBackend } from '../../src/index.ts';
import { conformance } from '../../src/testing/conformance.ts';

conformance('gpujs cpu', () => createBackend('gpujs', { mode: 'cpu' }), { describe, test });
