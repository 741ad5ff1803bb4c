// The GPU.js backend: one kernel per fused step, on WebGL2, WebGPU, WebAssembly or in plain JavaScript.
import type { Graph } from '../../graph/graph.ts';
import type { Spec } from '../../tensor.ts';
import type { Backend, Buffer, Program, ProgramOptions } from '../backend.ts';
import { openLedger, programDestroyed } from '../ledger.ts';
import { stopwatch } from '../profile.ts';
import { decode, encode } from './contents.ts';
import type { Handle, Host } from './host.ts';
import { openHost } from './host.ts';
import { openKernelStore } from './kernelStore.ts';
import type { GpujsMode } from './modes.ts';
import { traitsOf } from './modes.ts';
import { prepare } from './passes.ts';
import { openPool } from './pool.ts';
import type { Executable, Machine } from './program.ts';
import { buildExecutable, bytesOf, choiceFor, describeExecutable, layoutOf, requireSize } from './program.ts';
import { openQueue } from './queue.ts';

/** Options of the GPU.js backend. */
export interface GpujsOptions {
  /** Where GPU.js computes; the best that works by default: webgpu, webgl2, webasm, cpu. */
  readonly mode?: GpujsMode;
}

/**
 * The GPU.js backend. It needs the package `gpu.js`, which it loads when it is made. Tests may open a host of their own, and say how many
 * multiplications a product must have to be computed on texels.
 *
 * Throws  UnsupportedError when `gpu.js` is not installed or the mode does not work here
 */
export const gpujsBackend = async (
  options: GpujsOptions = {},
  open: (mode?: GpujsMode) => Promise<Host> = openHost,
  leastProducts?: number,
): Promise<Backend> => {
  const host = await open(options.mode);
  const name = `gpujs (${host.mode})`;
  const traits = traitsOf[host.mode];
  const queue = openQueue();
  const pool = openPool(host, (handle) => queue.add(() => host.free(handle)));
  const kernels = openKernelStore(host, (kernel) => queue.add(() => kernel.destroy()));
  const machine: Machine = { host, queue, kernels };
  const ledger = openLedger<Handle>(pool.give);

  const write = (handle: Handle, data: Float32Array): void => queue.add(() => host.write(handle, data));

  const program = (executable: Executable, isProfiled: boolean): Program => {
    const { graph, moves, choices, owners, bytes, layouts } = executable;
    const watch = isProfiled ? stopwatch(graph, choices, executable.runners) : undefined;
    const { runners } = watch ?? executable;
    const endDemand = pool.reserve(executable.demand);
    const constants = graph.constants.map(({ slot, data }) => {
      const spec = graph.specs[slot]!;
      const handle = pool.take(layoutOf(spec));
      write(handle, encode(data, spec));
      return { slot, handle };
    });
    const launches = moves.filter(({ takes }) => takes !== undefined).length;
    let isDestroyed = false;
    const run = (args: readonly Buffer[]): Buffer[] => {
      if (isDestroyed) throw programDestroyed(backend.name);
      const handles: Handle[] = [];
      graph.args.forEach(({ slot }, i) => {
        handles[slot] = ledger.placeOf(args[i]!);
      });
      for (const { slot, handle } of constants) handles[slot] = handle;
      const close = (i: number): void => {
        if (graph.args[i]!.donated) ledger.close(args[i]!, 'donated');
      };
      const taken = new Set<Handle>();
      const give = (handle: Handle): void => {
        taken.delete(handle);
        pool.give(handle);
      };
      try {
        moves.forEach(({ takes, frees, endsArguments }, i) => {
          if (takes !== undefined) {
            const handle = pool.take(layouts[takes]!);
            taken.add(handle);
            handles[takes] = handle;
            runners[i]!(handles);
          }
          for (const slot of frees) give(handles[slot]!);
          endsArguments.forEach(close);
        });
      } catch (error) {
        for (const handle of [...taken]) give(handle);
        throw error;
      }
      graph.args.forEach((_, i) => {
        close(i);
      });
      ledger.count(launches, bytes);
      return graph.results.map((slot) => {
        const spec = graph.specs[slot]!;
        return ledger.open(backend, spec, handles[owners[slot]!]!, bytesOf(spec));
      });
    };
    return {
      run,
      describe: () => describeExecutable(executable, name),
      profile: () => watch?.profile() ?? [],
      destroy: () => {
        if (isDestroyed) return;
        isDestroyed = true;
        endDemand();
        for (const { handle } of constants) pool.give(handle);
        executable.release();
      },
    };
  };

  const backend: Backend = {
    name: 'gpujs',
    kernelFor: choiceFor,
    compile: async (graph: Graph, programOptions: ProgramOptions = {}) => {
      ledger.requireOpen(backend.name);
      const executable = await buildExecutable(
        prepare(graph, traits, leastProducts),
        machine,
        programOptions,
      );
      return program(executable, programOptions.profile === true);
    },
    upload: (data, spec: Spec) => {
      ledger.requireOpen(backend.name);
      requireSize(spec);
      const handle = pool.take(layoutOf(spec));
      write(handle, encode(data, spec));
      return ledger.open(backend, spec, handle, bytesOf(spec));
    },
    download: async (buffer) => {
      const handle = ledger.placeOf(buffer);
      let numbers: Float32Array | Promise<Float32Array> | undefined;
      // read in its turn: the caller may free the tensor meanwhile
      queue.add(() => {
        numbers = host.read(handle);
      });
      await queue.settled();
      return decode((await numbers)!, buffer.spec);
    },
    free: (buffer) => ledger.close(buffer, 'freed'),
    stats: ledger.stats,
    destroy: async () => {
      ledger.shut();
      await queue.settled();
      kernels.destroy();
      await host.destroy();
    },
  };
  return backend;
};
