// Every primitive on GPU.js' mode webgpu, against the double-precision reference; and what the backend relies on in GPU.js.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { hostContract } from '../gpujs/hostContract.ts';
import { strictly } from '../gpujs/strictly.ts';

conformance('gpujs webgpu', strictly('webgpu'), { describe, test }, { flushesSubnormals: true });
hostContract('webgpu');
