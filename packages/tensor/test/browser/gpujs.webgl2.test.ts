// Every primitive on GPU.js' mode webgl2, against the double-precision reference; and what the backend relies on in GPU.js.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { hostContract } from '../gpujs/hostContract.ts';
import { strictly } from '../gpujs/strictly.ts';

conformance('gpujs webgl2', strictly('webgl2'), { describe, test }, { flushesSubnormals: true });
hostContract('webgl2');
