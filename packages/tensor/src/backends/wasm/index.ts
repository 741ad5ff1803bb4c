// The WebAssembly backend: fused plans over one memory, kernels emitted at run time.
import { describeSpec, sentence, UnsupportedError } from '../../errors.ts';
import type { Graph, Slot } from '../../graph/graph.ts';
import { sizeOf } from '../../shape.ts';
import type { Data, Spec } from '../../tensor.ts';
import type { Backend, Buffer, Program, ProgramOptions } from '../backend.ts';
import { openLedger, programDestroyed } from '../ledger.ts';
import { stopwatch } from '../profile.ts';
import { addressTable } from './addresses.ts';
import { requireFeatures } from './features.ts';
import { openKeptStore } from './kept.ts';
import { openLibrary } from './library.ts';
import type { Address, BlockMemory } from './memory.ts';
import { openMemory } from './memory.ts';
import { passed } from './passes.ts';
import type { Executable, Machine } from './program.ts';
import { buildExecutable, bytesOf, choiceFor, describeExecutable, emitStep } from './program.ts';
import { planPurpose, slotPurpose } from './purpose.ts';
import type { LeastWork } from './split.ts';
import { defaultLeastWork } from './split.ts';
import { controlWords } from './threads/control.ts';
import { missingForThreads, startWorker } from './threads/platform.ts';
import type { Pool } from './threads/pool.ts';
import { openPool } from './threads/pool.ts';

/** Options of the WebAssembly backend. */
export interface WasmOptions {
  /** Fused multiply-add where the engine has relaxed SIMD: faster, but the last bits then depend on the machine. Off by default. */
  readonly fma?: boolean;
  /**
   * Threads that compute, the calling one included; results do not depend on it. 1 by default. Where memory cannot be shared (a page
   * without cross-origin isolation) there is one whatever was asked for; `describe()` of a compiled function says so.
   */
  readonly threads?: number;
}

/** More threads than this are taken for a mistake. */
const mostThreads = 256;

/**
 * The WebAssembly backend. Steps of the `least` work or more are divided between its threads.
 *
 * Throws  UnsupportedError when the engine lacks WebAssembly SIMD, or relaxed SIMD when `fma` is asked for, or when `threads`
 *         is not a whole number from 1 to 256
 */
export const wasmBackend = (options: WasmOptions = {}, least: LeastWork = defaultLeastWork): Backend => {
  requireFeatures(options);
  const { threads, shortage, blocks } = memoryFor(options);
  const pool = threads > 1 ? startPool(blocks, threads) : undefined;
  const division = { threads, least };
  const library = openLibrary({
    ...(pool === undefined ? {} : { pool }),
    blocks,
    emit: (builder, step) => emitStep(builder, step, division, options),
  });
  const kept = openKeptStore(blocks);
  const machine: Machine = { ...(pool === undefined ? {} : { pool }), blocks, kept, division, library };
  const ledger = openLedger<Address>(blocks.free);
  const workspace = { address: 0, bytes: 0 };
  const reserve = (executable: Executable): Address => {
    const { bytes } = executable.plan;
    if (bytes <= workspace.bytes) return workspace.address;
    const purpose = (): string => planPurpose(executable);
    blocks.free(workspace.address);
    try {
      workspace.address = blocks.allocate(bytes, purpose);
      workspace.bytes = bytes;
    } catch (error) {
      // programs that have run before can still run: what was there fits again
      workspace.address = blocks.allocate(workspace.bytes, purpose);
      throw error;
    }
    return workspace.address;
  };
  /** A block for each of a program's slots, or none: when one cannot be had, those before it are given back. */
  const allocateAll = (executable: Executable, slots: readonly Slot[], role: string): Address[] => {
    const { specs } = executable.plan.graph;
    const addresses: Address[] = [];
    try {
      for (const slot of slots)
        addresses.push(blocks.allocate(bytesOf(specs[slot]!), () => slotPurpose(executable, slot, role)));
    } catch (error) {
      addresses.forEach(blocks.free);
      throw error;
    }
    return addresses;
  };
  const write = (address: Address, data: Data, spec: Spec): void => {
    if (spec.dtype === 'f32') blocks.floats().set(data, address / 4);
    else blocks.integers().set(data, address / 4);
  };

  const program = (executable: Executable, isProfiled: boolean): Program => {
    const { plan, keeper } = executable;
    const { graph } = plan;
    const watch = isProfiled ? stopwatch(graph, executable.choices, executable.runners) : undefined;
    const { runners } = watch ?? executable;
    const constants = allocateAll(
      executable,
      graph.constants.map(({ slot }) => slot),
      'a constant',
    );
    graph.constants.forEach(({ slot, data }, i) => {
      write(constants[i]!, data, graph.specs[slot]!);
    });
    let isDestroyed = false;
    const table = addressTable(plan, constants);
    const run = (args: readonly Buffer[]): Buffer[] => {
      if (isDestroyed) throw programDestroyed(backend.name);
      const places = args.map(ledger.placeOf);
      // everything is allocated before anything runs: a failure leaves all tensors as they were
      const { places: keptPlaces, skipped } = keeper.prepare(args.map(({ id }) => id));
      const base = reserve(executable);
      const results = allocateAll(executable, table.results, 'a result');
      const addresses = table.at({ args: places, results, kept: keptPlaces, workspace: base });
      for (let i = 0; i < runners.length; i++)
        if (!skipped.has(i)) runners[i]!(addresses, base + plan.scratch[i]!);
      keeper.confirm();
      ledger.count(runners.length - skipped.size, plan.bytes + kept.bytes());
      graph.args.forEach(({ donated }, i) => {
        if (table.taken.has(i)) ledger.handOver(args[i]!);
        else if (donated) ledger.close(args[i]!, 'donated');
      });
      return graph.results.map((slot) => {
        const spec = graph.specs[slot]!;
        return ledger.open(backend, spec, addresses[slot]!, bytesOf(spec));
      });
    };
    return {
      run,
      describe: () =>
        describeExecutable(
          executable,
          backend.name,
          describeThreads(pool?.threads() ?? threads, pool?.shortage() ?? shortage),
        ),
      profile: () => watch?.profile() ?? [],
      destroy: () => {
        if (isDestroyed) return;
        isDestroyed = true;
        constants.forEach(blocks.free);
        executable.release();
      },
    };
  };

  const backend: Backend = {
    name: 'wasm',
    kernelFor: choiceFor,
    compile: async (graph: Graph, programOptions: ProgramOptions = {}) => {
      ledger.requireOpen(backend.name);
      const executable = await buildExecutable(passed(graph), machine, programOptions);
      try {
        return program(executable, programOptions.profile === true);
      } catch (error) {
        executable.release();
        throw error;
      }
    },
    upload: (data, spec) => {
      ledger.requireOpen(backend.name);
      const address = blocks.allocate(bytesOf(spec), () => `an uploaded tensor ${describeSpec(spec)}`);
      write(address, data, spec);
      return ledger.open(backend, spec, address, bytesOf(spec));
    },
    download: async (buffer) => {
      const { shape, dtype } = buffer.spec;
      const start = ledger.placeOf(buffer) / 4;
      const end = start + sizeOf(shape);
      if (dtype === 'f32') return blocks.floats().slice(start, end);
      const integers = blocks.integers().slice(start, end);
      return dtype === 'i32' ? integers : Uint8Array.from(integers);
    },
    free: (buffer) => ledger.close(buffer, 'freed'),
    stats: ledger.stats,
    destroy: async () => {
      ledger.shut();
      await pool?.close();
    },
  };
  return backend;
};

/** A memory, and the number of threads that it is for. */
interface ThreadedMemory {
  readonly threads: number;
  /** Why there are fewer threads than could be expected. */
  readonly shortage?: string;
  readonly blocks: BlockMemory;
}

/** A shared memory where threads are wanted and can be had, else one for this thread alone. */
const memoryFor = ({ threads }: WasmOptions): ThreadedMemory => {
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0 && threads <= mostThreads))
    throw new UnsupportedError(
      sentence({
        where: 'createBackend',
        label: 'wasm',
        needs: `threads as a whole number from 1 to ${mostThreads}`,
        got: typeof threads === 'string' ? `'${threads}'` : String(threads),
        advice: "Leave out 'threads' for one.",
      }),
    );
  if (threads === undefined || threads === 1) return { threads: 1, blocks: openMemory() };
  const missing = missingForThreads();
  if (missing !== undefined) return { threads: 1, shortage: missing, blocks: openMemory() };
  try {
    return { threads, blocks: openMemory(true) };
  } catch {
    // some engines set all 4 GiB of address space aside for a shared memory, and some phones have too little
    return { threads: 1, shortage: 'this engine gives no shared memory of 4 GiB', blocks: openMemory() };
  }
};

/** Threads as text, such as `2 threads`. */
const describeThreads = (threads: number, shortage: string | undefined): string =>
  `${threads} ${threads === 1 ? 'thread' : 'threads'}${shortage === undefined ? '' : ` (${shortage})`}`;

const startPool = (blocks: BlockMemory, threads: number): Pool => {
  const control = blocks.allocate(4 * controlWords, () => 'the thread pool');
  return openPool({ memory: blocks.memory, control, threads, start: startWorker });
};
