// The libraries of the suite `gpu`: ours on a backend that is opened for every piece of work, and peers with their launches counted.
import type { Backend } from '@autoassign/tensor';
import { evaluate, read, release, scalar } from '@autoassign/tensor';
import { gpuJs } from '../cpu/libraries/gpuJs.ts';
import { jax } from '../cpu/libraries/jax.ts';
import { prepareWork } from '../cpu/libraries/ours.ts';
import { tfjs } from '../cpu/libraries/tfjs.ts';
import type { Library } from '../cpu/library.ts';
import type { Peers } from '../cpu/peers.ts';
import { importPeer, installedVersion, openAll } from '../cpu/peers.ts';

/** Our engine on a backend; every piece of work gets its own, whose statistics are then those of the work. */
export const oursOn = (name: string, open: () => Promise<Backend>): Library => ({
  name,
  version: 'this commit',
  isThreaded: true,
  compilesFirst: true,
  prepare: async (work) => {
    const backend = await open();
    const prepared = await prepareWork({ backend }, work);
    // runs resolve when they are queued; what is read after them has waited for them
    const marker = await evaluate(scalar(0), { backend });
    return {
      run: async () => {
        await prepared.run();
        await read(marker);
      },
      outputs: prepared.outputs,
      usage: () => {
        const { launches, peakBytes } = backend.stats();
        return { launches, peakBytes };
      },
      free: () => {
        prepared.free();
        release(marker);
        void backend.destroy();
      },
    };
  },
});

/** The library with launches counted in each of its runs, and in none between them. */
const withLaunches = (library: Library, launchesNow: () => number): Library => ({
  ...library,
  prepare: async (work) => {
    const prepared = await library.prepare(work);
    if (typeof prepared === 'string') return prepared;
    let launches = 0;
    const run = async (): Promise<void> => {
      const before = launchesNow();
      await prepared.run();
      launches += launchesNow() - before;
    };
    return { ...prepared, run, usage: () => ({ launches }) };
  },
});

/** Peers that compute with WebGPU, for the adapter that is this process's `navigator.gpu`. */
export const openGpuPeers = async (launchesNow: () => number): Promise<Peers> => {
  const { libraries, absent } = await openAll({
    'tfjs-webgpu': () => tfjs(importPeer, 'webgpu'),
    'jax-js': () => jax(importPeer, installedVersion('@jax-js/jax'), 'webgpu'),
    'gpu.js': () => gpuJs(importPeer, installedVersion('gpu.js'), 'webgpu'),
  });
  return { libraries: libraries.map((library) => withLaunches(library, launchesNow)), absent };
};
