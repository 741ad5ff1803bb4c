// The golden head cases on WebGPU in Node.
import { createBackend } from '@autoassign/tensor';
import { goldenHeadCases } from '../golden/headSuite.ts';

goldenHeadCases([{ name: 'webgpu', precision: 'f32', create: () => createBackend('webgpu') }]);
