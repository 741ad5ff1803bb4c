// Every primitive on GPU.js' two modes for a GPU, against the double-precision reference.
import { afterAll, describe, test } from 'vitest';
import type { Backend } from '../../src/index.ts';
import { createBackend } from '../../src/index.ts';
import { conformance } from '../../src/testing/conformance.ts';

for (const mode of ['webgl2', 'webgpu'] as const) {
  // one for all primitives: contexts are few, and kernels are shared
  let backend: Promise<Backend> | undefined;
  const shared = async (): Promise<Backend> => {
    backend ??= createBackend('gpujs', { mode });
    return { ...(await backend), destroy: async () => undefined };
  };
  conformance(`gpujs ${mode}`, shared, { describe, test }, { flushesSubnormals: true });
  afterAll(async () => (await backend)?.destroy());
}
