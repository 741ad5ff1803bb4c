// Every primitive on GPU.js' two modes for a GPU, against the double-precision reference.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { strictly } from '../gpujs/strictly.ts';

for (const mode of ['webgl2', 'webgpu'] as const)
  conformance(`gpujs ${mode}`, strictly(mode), { describe, test }, { flushesSubnormals: true });
