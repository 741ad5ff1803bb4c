// A backend of GPU.js on which falling back is an error, and that a whole suite may share.
import type { Backend, GpujsMode } from '../../src/index.ts';
import { createBackend } from '../../src/index.ts';

/** Makes the same backend again and again: contexts are few, and kernels are shared. What a suite makes it need not destroy. */
export const strictly = (mode: GpujsMode): (() => Promise<Backend>) => {
  let opened: Promise<Backend> | undefined;
  return async () => {
    opened ??= createBackend('gpujs', { mode });
    const backend = await opened;
    return {
      ...backend,
      compile: (graph, options) => backend.compile(graph, { ...options, strict: true }),
      destroy: async () => undefined,
    };
  };
};
