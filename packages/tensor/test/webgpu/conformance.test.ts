// Every primitive on WebGPU in Node, against the double-precision reference.
import { describe, test } from 'vitest';
import { createBackend } from '../../src/index.ts';
import { conformance } from '../../src/testing/conformance.ts';

conformance('webgpu', () => createBackend('webgpu'), { describe, test }, { flushesSubnormals: true });
