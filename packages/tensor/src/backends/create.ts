// Choosing a backend by name.
import { sentence, UnsupportedError } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { CpuOptions } from './cpu/index.ts';
import { cpuBackend } from './cpu/index.ts';
import type { GpujsOptions } from './gpujs/index.ts';
import type { WasmOptions } from './wasm/index.ts';
import { wasmBackend } from './wasm/index.ts';
import type { WebgpuOptions } from './webgpu/device.ts';
import type { TunedTiles } from './webgpu/tune.ts';

/** The options of every backend, by name. */
export interface BackendOptions {
  readonly cpu: CpuOptions;
  readonly wasm: WasmOptions;
  readonly gpujs: GpujsOptions;
  readonly webgpu: WebgpuOptions;
}

/** The backends of this version. */
export type BackendName = keyof BackendOptions;

/**
 * A backend of the given name.
 *
 * Throws   UnsupportedError when the name is unknown or the backend cannot run here, saying what is missing
 * Example  const backend = await createBackend('cpu', { precision: 'f64' });
 */
export const createBackend = async <Name extends BackendName>(
  name: Name,
  options?: BackendOptions[Name],
): Promise<Backend> => {
  if (name === 'cpu') return cpuBackend(options as CpuOptions);
  if (name === 'wasm') return wasmBackend(options as WasmOptions);
  if (name === 'webgpu') {
    // loaded when it is asked for: who stays on the CPU need not carry shaders
    const { webgpuBackend } = await import('./webgpu/index.ts');
    return webgpuBackend(options as WebgpuOptions);
  }
  if (name === 'gpujs') {
    const { gpujsBackend } = await import('./gpujs/index.ts');
    return gpujsBackend(options as GpujsOptions);
  }
  throw new UnsupportedError(
    sentence({
      where: 'createBackend',
      needs: 'one of the backends cpu, wasm, gpujs, webgpu',
      got: `'${String(name)}'`,
      advice: 'Choose one of these.',
    }),
  );
};

/**
 * The tiles with which products run fastest on a GPU, found by trying: for the option `tiles` of backend webgpu. `sides` are those of the
 * square matrices that are multiplied.
 *
 * Throws   UnsupportedError without WebGPU or an adapter
 * Example  const { adapter, tiles } = await tuneTiles();
 *          const backend = await createBackend('webgpu', { tiles: { [adapter]: tiles } });
 */
export const tuneTiles = async (
  options?: WebgpuOptions,
  sides?: { readonly large: number; readonly small: number },
): Promise<TunedTiles> => {
  const webgpu = await import('./webgpu/tune.ts');
  return webgpu.tuneTiles(options, sides);
};

/** The backend that suits this machine best. */
export interface DefaultBackend {
  readonly backend: Backend;
  /** Why it was chosen. */
  readonly reason: string;
}

/**
 * The fastest backend that works here, and why: webgpu where there is a real GPU, else wasm, or the reference where the engine lacks
 * SIMD.
 */
export const defaultBackend = async (): Promise<DefaultBackend> => {
  const reasons: string[] = [];
  const attempts = [
    () => createBackend('webgpu', { realGpu: true }),
    () => createBackend('wasm'),
    () => createBackend('cpu'),
  ];
  for (const attempt of attempts)
    try {
      const backend = await attempt();
      return { backend, reason: [`${backend.name} is the fastest that runs here.`, ...reasons].join(' ') };
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      reasons.push(error.message);
    }
  throw new UnsupportedError(reasons.join(' '));
};
