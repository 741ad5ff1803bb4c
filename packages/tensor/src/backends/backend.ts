// What a backend is: eight members, none of which knows a single op by name.
import type { Graph } from '../graph/graph.ts';
import type { Attrs, Primitive } from '../primitive.ts';
import type { Data, Spec } from '../tensor.ts';
import type { StepProfile } from './profile.ts';

/** How a step is computed: by a kernel written for this backend, or by the op's reference loops. */
export interface KernelChoice {
  readonly tier: 'tuned' | 'reference';
  /** Why it is not tuned. */
  readonly reason?: string;
}

/** Storage held by a backend for one evaluated tensor. */
export interface Buffer {
  readonly backend: Backend;
  readonly spec: Spec;
  readonly id: number;
  /** Changes once, from live to donated or freed. */
  state: 'live' | 'donated' | 'freed';
  /** Who took or freed it, for the error of a later use. */
  retiredBy?: string;
}

/** What a backend holds now, and has done since it was made. */
export interface BackendStats {
  /** Live buffers. */
  readonly buffers: number;
  /** Bytes of live buffers. */
  readonly bytes: number;
  /** Most bytes of live buffers and plan memory at any time. */
  readonly peakBytes: number;
  /** Kernels run. */
  readonly launches: number;
  /** Buffers that nobody freed before their tensor was collected: a leak in the caller, caught by the net. */
  readonly reclaimed: number;
}

/** A graph made ready to run on one backend. */
export interface Program {
  /**
   * Runs on the arguments' buffers; donated ones are taken. Results are buffers of their own. A promise where the backend must first
   * wait for earlier runs; until it is kept, nothing has been taken.
   */
  run(args: readonly Buffer[]): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** Every step with its kernel choice, and the memory of the plan, as text. */
  describe(): string;
  /** What every step has cost in all runs so far; empty unless the program was compiled with `profile`. */
  profile(): readonly StepProfile[];
  /** Gives the program's memory back; running it afterwards throws LifetimeError. */
  destroy(): void;
}

/** Options of compiling a graph. */
export interface ProgramOptions {
  /** Makes a reference kernel an error on backends that have tuned ones. */
  readonly strict?: boolean;
  /** Measures the time of every step, which costs a little at each. Off by default. */
  readonly profile?: boolean;
}

/** A place where graphs run. Adding an op never changes this interface; adding a backend never touches an op. */
export interface Backend {
  readonly name: string;
  /** Which kernel an op gets here and, unless it is tuned, why. */
  kernelFor(op: Primitive, inputs: readonly Spec[], attrs: Attrs): KernelChoice;
  compile(graph: Graph, options?: ProgramOptions): Promise<Program>;
  upload(data: Data, spec: Spec): Buffer;
  download(buffer: Buffer): Promise<Data>;
  free(buffer: Buffer): void;
  stats(): BackendStats;
  /** Ends the backend: its tensors, programs and functions throw LifetimeError from here on. */
  destroy(): Promise<void>;
}
