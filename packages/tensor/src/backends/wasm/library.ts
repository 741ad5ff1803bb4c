// The kernels that a backend has compiled. Programs borrow them, so that equal steps, in one program or in several, are
// emitted and compiled once.
import type { ModuleBuilder } from './assembler/module.ts';
import { moduleBuilder } from './assembler/module.ts';
import type { Kernel } from './kernels/kernel.ts';
import type { BlockMemory } from './memory.ts';
import { mostPages } from './memory.ts';
import type { StepPart, WholeStep } from './split.ts';
import { stepKey } from './stepKey.ts';
import type { Pool } from './threads/pool.ts';

/** The kernels of a step: one, or one for each of its parts. */
export interface StepKernels {
  readonly kernels: readonly Kernel[];
  readonly parts: readonly Pick<StepPart, 'offsets'>[];
  /** Scratch memory of each part. */
  readonly scratchBytes: number;
}

/** A kernel as JavaScript calls it. */
export type KernelFunction = (...addresses: number[]) => void;

/** The functions of a step's kernels. */
export interface StepFunctions {
  readonly functions: readonly KernelFunction[];
  /** For a divided step, the program of the thread pool, and the function in it of every part. */
  readonly job?: { readonly program: number; readonly functions: readonly number[] };
}

/** Kernels that a program holds until it releases them. */
interface Loan {
  /** By step; undefined where an op has no kernel. */
  readonly kernels: readonly (StepKernels | undefined)[];
  /** The functions of those kernels, when all are compiled and known to all threads. */
  readonly functions: () => Promise<readonly (StepFunctions | undefined)[]>;
  readonly release: () => void;
}

/** What a library is made of. */
export interface LibraryRequest {
  readonly blocks: BlockMemory;
  readonly pool?: Pool;
  /** Emits the kernels of a step, which may depend on the step alone. */
  readonly emit: (builder: ModuleBuilder, step: WholeStep) => StepKernels | undefined;
  /** Bytes of modules that are kept for programs to come. */
  readonly mostBytes?: number;
}

/** Compiled kernels by step. */
export interface Library {
  /** The kernels of some steps. Those that are new are emitted into one module. */
  readonly borrow: (steps: readonly WholeStep[]) => Loan;
}

/** What an engine needs for a module besides its code, roughly. */
const bytesPerModule = 65536;

/** One compiled module and its steps. */
interface Shelf {
  readonly keys: string[];
  readonly bytes: number;
  readonly exports: Promise<ModuleExports>;
  /** Programs that hold it. */
  loans: number;
}

interface ModuleExports {
  readonly functionOf: (kernel: Kernel) => KernelFunction;
  /** Its program in the thread pool, where it has parts of steps. */
  readonly program?: number;
  readonly tasks: ReadonlyMap<string, number>;
}

interface Entry {
  readonly kernels: StepKernels;
  readonly shelf: Shelf;
}

/**
 * An empty library. Programs keep what they borrowed; for programs to come the most recently used modules are kept, up to `mostBytes`: 16
 * MiB by default, which are some fifty training steps, or 250 modules of a few kernels.
 */
export const openLibrary = ({ blocks, pool, emit, mostBytes = 2 ** 24 }: LibraryRequest): Library => {
  const entries = new Map<string, Entry>();
  /** By last use, oldest first. */
  const shelves = new Set<Shelf>();

  /** Other threads keep a module until neither the library nor a program needs it; this one has a garbage collector. */
  const dropUnused = (shelf: Shelf): void => {
    if (shelf.loans > 0 || shelves.has(shelf)) return;
    shelf.exports.then(
      ({ program }) => program !== undefined && pool?.drop(program),
      () => undefined,
    );
  };

  const forget = (shelf: Shelf): void => {
    if (!shelves.delete(shelf)) return;
    for (const key of shelf.keys) entries.delete(key);
    dropUnused(shelf);
  };

  const forgetOldest = (): void => {
    let bytes = [...shelves].reduce((sum, shelf) => sum + shelf.bytes, 0);
    for (const shelf of shelves) {
      if (bytes <= mostBytes) return;
      bytes -= shelf.bytes;
      forget(shelf);
    }
  };

  /** Emits steps that are not in the library yet. */
  const add = (steps: ReadonlyMap<string, WholeStep>): void => {
    const builder = moduleBuilder(pool === undefined ? {} : { shared: true, maximumPages: mostPages });
    const emitted = [...steps].flatMap(([key, step]) => {
      const kernels = emit(builder, step);
      return kernels === undefined ? [] : [{ key, kernels }];
    });
    if (emitted.length === 0) return;
    const code = builder.toBytes();
    const shelf: Shelf = {
      keys: emitted.map(({ key }) => key),
      bytes: code.length + bytesPerModule,
      exports: load(
        code,
        emitted.map(({ kernels }) => kernels),
        blocks,
        pool,
      ),
      loans: 0,
    };
    shelves.add(shelf);
    for (const { key, kernels } of emitted) entries.set(key, { kernels, shelf });
    // who waits for the module learns what failed; the next program tries again
    shelf.exports.catch(() => forget(shelf));
  };

  return {
    borrow: (steps) => {
      const keys = steps.map(stepKey);
      const missing = new Map<string, WholeStep>();
      keys.forEach((key, i) => {
        if (!entries.has(key)) missing.set(key, steps[i]!);
      });
      add(missing);
      const borrowed = keys.map((key) => entries.get(key));
      const held = new Set(borrowed.flatMap((entry) => (entry === undefined ? [] : [entry.shelf])));
      for (const shelf of held) {
        shelf.loans++;
        shelves.delete(shelf);
        shelves.add(shelf);
      }
      if (missing.size > 0) forgetOldest();
      return {
        kernels: borrowed.map((entry) => entry?.kernels),
        functions: () => Promise.all(borrowed.map((entry) => entry && functionsOf(entry))),
        release: () => {
          for (const shelf of held) {
            shelf.loans--;
            dropUnused(shelf);
          }
          held.clear();
        },
      };
    },
  };
};

const functionsOf = async ({ kernels: { kernels }, shelf }: Entry): Promise<StepFunctions> => {
  const { functionOf, program, tasks } = await shelf.exports;
  const functions = kernels.map(functionOf);
  if (program === undefined || kernels.length === 1) return { functions };
  return { functions, job: { program, functions: kernels.map(({ func }) => tasks.get(func.exportName!)!) } };
};

/** Compiles a module, and makes it known to the threads that will run parts of its steps. */
const load = async (
  code: Uint8Array<ArrayBuffer>,
  emitted: readonly StepKernels[],
  { memory }: BlockMemory,
  pool: Pool | undefined,
): Promise<ModuleExports> => {
  const { module, instance } = await WebAssembly.instantiate(code, {
    env: { memory },
    math: { pow: Math.pow },
  });
  const functionNamed = (name: string): KernelFunction => instance.exports[name] as KernelFunction;
  const functionOf = ({ func }: Kernel): KernelFunction => functionNamed(func.exportName!);
  const ofParts = emitted.flatMap(({ kernels }) => (kernels.length > 1 ? kernels : []));
  const functions = [...new Set(ofParts.map(({ func }) => func.exportName!))];
  const tasks = new Map(functions.map((name, at) => [name, at]));
  if (pool === undefined || functions.length === 0) return { functionOf, tasks };
  const program = await pool.load({ module, functions, local: functions.map(functionNamed) });
  return { functionOf, tasks, program };
};
