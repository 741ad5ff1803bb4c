// Who races in a page: on WebGL2 our GPU.js backend against TensorFlow.js, on WebGPU both our backends against all that have it.
import { tfjs } from '../../cpu/libraries/tfjs.ts';
import type { Library, Peers } from '../../cpu/library.ts';
import { openAll } from '../../cpu/library.ts';
import type { Importer, Versions } from '../../cpu/peers.ts';
import { countCalls, withLaunches } from '../launches.ts';
import { oursNamed } from '../ours.ts';
import { openWebgpuPeers } from '../peers.ts';
import { surveyAdapter } from '../surveyAdapter.ts';

/** How a page reaches the GPU. */
export type PageApi = 'webgl2' | 'webgpu';

/** Who races. */
export interface Field {
  /** What the API calls the GPU. */
  readonly adapter: string;
  readonly ours: Library;
  /** Ours on another backend. */
  readonly oursToo: readonly Library[];
  readonly openPeers: (load: Importer, versions: Versions) => Promise<Peers>;
}

const rendererName = (): string => {
  const gl = document.createElement('canvas').getContext('webgl2');
  const info = gl?.getExtension('WEBGL_debug_renderer_info');
  if (!(gl && info)) throw new Error('bench gpu: needs WebGL2, got none. Use another browser.');
  return String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
};

const webgl2Field = async (): Promise<Field> => {
  const launches = countCalls(WebGL2RenderingContext.prototype, ['drawArrays', 'drawElements']);
  return {
    adapter: rendererName(),
    ours: oursNamed('ours on gpu.js', 'gpujs', { mode: 'webgl2' }),
    oursToo: [],
    openPeers: async (load) => {
      const { libraries, absent } = await openAll({ 'tfjs-webgl': () => tfjs(load, 'webgl') });
      return { libraries: libraries.map((library) => withLaunches(library, launches)), absent };
    },
  };
};

const webgpuField = async (): Promise<Field> => {
  const launches = countCalls(GPUComputePassEncoder.prototype, [
    'dispatchWorkgroups',
    'dispatchWorkgroupsIndirect',
  ]);
  return {
    adapter: (await surveyAdapter()).description,
    ours: oursNamed('ours', 'webgpu'),
    oursToo: [oursNamed('ours on gpu.js', 'gpujs', { mode: 'webgpu' })],
    openPeers: (load, versions) => openWebgpuPeers(load, versions, launches),
  };
};

/** Who races on an API, for a page that uses no other. */
export const openField = (api: PageApi): Promise<Field> => (api === 'webgpu' ? webgpuField() : webgl2Field());
