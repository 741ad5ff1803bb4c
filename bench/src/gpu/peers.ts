// The libraries that compute with WebGPU, in Node, in pages and on the device, their launches counted.
import { gpuJs } from '../cpu/libraries/gpuJs.ts';
import { jax } from '../cpu/libraries/jax.ts';
import { tfjs } from '../cpu/libraries/tfjs.ts';
import type { Peers } from '../cpu/library.ts';
import { openAll } from '../cpu/library.ts';
import type { Importer, Versions } from '../cpu/peers.ts';
import { withLaunches } from './launches.ts';

/** Their packages. */
export const webgpuPackages = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-webgpu',
  '@jax-js/jax',
  'gpu.js',
] as const;

/** Libraries for the adapter that is the `navigator.gpu` of this process or page. */
export const openWebgpuPeers = async (
  load: Importer,
  versions: Versions,
  launchesNow: () => number,
): Promise<Peers> => {
  const { libraries, absent } = await openAll({
    'tfjs-webgpu': () => tfjs(load, 'webgpu'),
    'jax-js': () => jax(load, versions['@jax-js/jax'], 'webgpu'),
    'gpu.js': () => gpuJs(load, versions['gpu.js'], 'webgpu'),
  });
  return { libraries: libraries.map((library) => withLaunches(library, launchesNow)), absent };
};
