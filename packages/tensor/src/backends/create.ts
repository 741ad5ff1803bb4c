// Choosing a backend by name.
import { sentence, UnsupportedError } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { CpuOptions } from './cpu/index.ts';
import { cpuBackend } from './cpu/index.ts';

/** The options of every backend, by name. */
export interface BackendOptions {
  readonly cpu: CpuOptions;
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
  if (name === 'cpu') return cpuBackend(options);
  throw new UnsupportedError(
    sentence({
      where: 'createBackend',
      needs: 'one of the backends cpu',
      got: `'${String(name)}'`,
      advice: 'Choose one of these.',
    }),
  );
};
