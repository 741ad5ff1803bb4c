// The golden head cases on every backend that runs in a thread of Node.
import { createBackend } from '@autoassign/tensor';
import { wasmBackends } from '../../../tensor/test/backends.ts';
import { goldenHeadCases } from './headSuite.ts';

goldenHeadCases([
  { name: 'cpu', precision: 'f64', create: () => createBackend('cpu', { precision: 'f64' }) },
  ...wasmBackends.map(({ name, make }) => ({ name, precision: 'f32' as const, create: make })),
  ...(['cpu', 'webasm'] as const).map((mode) => ({
    name: `gpujs ${mode}`,
    precision: 'f32' as const,
    create: () => createBackend('gpujs', { mode }),
  })),
]);
