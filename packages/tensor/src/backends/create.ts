// Choosing a backend by name.
import { sentence, UnsupportedError } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { CpuOptions } from './cpu/index.ts';
import { cpuBackend } from './cpu/index.ts';
import type { GpujsOptions } from './gpujs/index.ts';
import type { WasmOptions } from './wasm/index.ts';
import { wasmBackend } from './wasm/index.ts';

/** The options of every backend, by name. */
export interface BackendOptions {
  readonly cpu: CpuOptions;
  readonly wasm: WasmOptions;
  readonly gpujs: GpujsOptions;
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
  if (name === 'gpujs') {
    const { gpujsBackend } = await import('./gpujs/index.ts');
    return gpujsBackend(options as GpujsOptions);
  }
  throw new UnsupportedError(
    sentence({
      where: 'createBackend',
      needs: 'one of the backends cpu, wasm, gpujs',
      got: `'${String(name)}'`,
      advice: 'Choose one of these.',
    }),
  );
};

/** The backend that suits this machine best. */
export interface DefaultBackend {
  readonly backend: Backend;
  /** Why it was chosen. */
  readonly reason: string;
}

/** The fastest backend that works here, and why: wasm, or the reference where the engine lacks SIMD. */
export const defaultBackend = async (): Promise<DefaultBackend> => {
  try {
    return { backend: await createBackend('wasm'), reason: 'the fastest of this version that runs here' };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { backend: await createBackend('cpu'), reason: `wasm cannot run here. ${error.message}` };
  }
};
