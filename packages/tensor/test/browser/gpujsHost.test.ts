// The contract with GPU.js in its modes for a GPU.
import { hostContract } from '../gpujs/hostContract.ts';

hostContract('webgl2');
hostContract('webgpu');
