// What runs in the page: ours on GPU.js' mode webgl2 against TensorFlow.js on WebGL, from work that the page fetches.
import { createBackend } from '@autoassign/tensor';
import { tfjs } from '../../cpu/libraries/tfjs.ts';
import { openAll } from '../../cpu/library.ts';
import type { Importer } from '../../cpu/peers.ts';
import { race } from '../../cpu/race.ts';
import type { NamedWork } from '../../cpu/work.ts';
import { countCalls, withLaunches } from '../launches.ts';
import { oursOn } from '../ours.ts';
import type { GpuOptions, GpuResult } from '../suite.ts';

/** What the page gets. */
interface Task {
  readonly entries: readonly NamedWork[];
  /** Where the modules of peers are, by name. */
  readonly modules: Readonly<Record<string, string>>;
  readonly options: GpuOptions;
}

declare const benchDone: (result: GpuResult) => void;
declare const benchFailed: (message: string) => void;

const isPacked = (value: unknown): value is { readonly base64: string } =>
  typeof value === 'object' && value !== null && 'base64' in value;

const withArrays = (_: string, value: unknown): unknown => {
  if (!isPacked(value)) return value;
  const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};

/** What WebGL calls the GPU. */
const rendererName = (): string => {
  const gl = document.createElement('canvas').getContext('webgl2');
  const info = gl?.getExtension('WEBGL_debug_renderer_info');
  if (!(gl && info)) throw new Error('bench gpu: needs WebGL2, got none. Use another browser.');
  return String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
};

const run = async (): Promise<GpuResult> => {
  const text = await (await fetch('/bench-gpu/work.json')).text();
  const { entries, modules, options } = JSON.parse(text, withArrays) as Task;
  const adapter = rendererName();
  const launches = countCalls(WebGL2RenderingContext.prototype, ['drawArrays', 'drawElements']);
  const load: Importer = (name) => import(/* @vite-ignore */ modules[name]!);
  const openers = { 'tfjs-webgl': () => tfjs(load, 'webgl') };
  const { libraries, absent } = options.peers ? await openAll(openers) : { libraries: [], absent: {} };
  const { time, rounds, slow } = options;
  const rows = await race(
    entries,
    oursOn('ours on gpu.js', () => createBackend('gpujs', { mode: 'webgl2' })),
    libraries.map((library) => withLaunches(library, launches)),
    {
      ...{ time, rounds, slow, threads: 1 },
      reference: oursOn('wasm', () => createBackend('wasm')),
      tell: (line) => console.info(`gpu, WebGL2: ${line}`),
    },
  );
  return { rows, adapter, missing: absent };
};

try {
  benchDone(await run());
} catch (error) {
  benchFailed((error as Error).message);
}
