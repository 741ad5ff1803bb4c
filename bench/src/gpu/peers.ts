// The libraries that the suite `gpu` compares us with in Node, their launches counted.
import { gpuJs } from '../cpu/libraries/gpuJs.ts';
import { jax } from '../cpu/libraries/jax.ts';
import { tfjs } from '../cpu/libraries/tfjs.ts';
import type { Peers } from '../cpu/library.ts';
import { openAll } from '../cpu/library.ts';
import { importPeer, installedVersion } from '../cpu/peers.ts';
import { withLaunches } from './launches.ts';

/** Peers that compute with WebGPU, for the adapter that is this process's `navigator.gpu`. */
export const openGpuPeers = async (launchesNow: () => number): Promise<Peers> => {
  const { libraries, absent } = await openAll({
    'tfjs-webgpu': () => tfjs(importPeer, 'webgpu'),
    'jax-js': () => jax(importPeer, installedVersion('@jax-js/jax'), 'webgpu'),
    'gpu.js': () => gpuJs(importPeer, installedVersion('gpu.js'), 'webgpu'),
  });
  return { libraries: libraries.map((library) => withLaunches(library, launchesNow)), absent };
};
