// What a verb computes with: the backend of its options, the number of threads, and the kind of arithmetic.
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Backend } from '@autoassign/tensor';
import { createBackend } from '@autoassign/tensor';
import type { RunStart } from './environment.ts';
import { UsageError } from './exitCodes.ts';
import type { BackendName, EngineOptions, Precision } from './options.ts';
import { mostThreads } from './options.ts';
import type { VerbContext } from './program.ts';
import { readTiles } from './tunedTiles.ts';

/** A backend and everything that it is opened with. */
export interface Engine {
  readonly backend: BackendName;
  /** Results do not depend on it. */
  readonly threads: number;
  /** Fused multiply-add: the last bits of results depend on the machine. */
  readonly fma: boolean;
  /** The arithmetic of products; `mixed` only on webgpu. */
  readonly precision: Precision;
}

/**
 * The engine that options ask for: on wasm as many threads as there are cores available, and no fused multiply-add, unless they say
 * otherwise; everywhere single precision.
 *
 * Throws   UsageError when the backend has no such option
 */
export function engineOf({ backend, threads, fma, precision = 'f32' }: EngineOptions): Engine {
  if (precision !== 'f32' && backend !== 'webgpu')
    throw new UsageError(
      `--precision ${precision} needs --backend webgpu, got '${backend}'. Leave out --precision.`,
    );
  if (backend === 'wasm') {
    const most = Math.min(mostThreads, availableParallelism());
    return { backend, threads: threads ?? most, fma: fma ?? false, precision };
  }
  const given = threads !== undefined && threads > 1 ? '--threads' : fma === true ? '--fma' : undefined;
  if (given === undefined) return { backend, threads: 1, fma: false, precision };
  throw new UsageError(`${given} needs --backend wasm, got '${backend}'. Leave out ${given}.`);
}

/**
 * The backend of an engine.
 *
 * Throws   UnsupportedError when it cannot run here, UsageError for a file of tuned tiles that holds something else
 */
export async function openEngine({ backend, threads, fma, precision }: Engine): Promise<Backend> {
  if (backend === 'webgpu') return createBackend(backend, { tiles: await readTiles(), precision });
  if (backend !== 'wasm') return createBackend(backend);
  // Node 20 has relaxed SIMD behind this flag; later versions have it anyway and ignore a flag they no longer know
  if (fma) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return createBackend('wasm', { threads, fma });
}

/** How a run was started, for its `env.json`. */
export function startedBy({ commandLine }: VerbContext, { threads }: Engine): RunStart {
  return { commandLine, threads };
}

/** An engine in a few words, such as `wasm with 2 threads`. */
export function describeEngine({ backend, threads, fma, precision }: Engine): string {
  if (backend !== 'wasm') return precision === 'f32' ? backend : `${backend} in ${precision} precision`;
  const arithmetic = fma ? ' and fused multiply-add' : '';
  return `wasm with ${threads} ${threads === 1 ? 'thread' : 'threads'}${arithmetic}`;
}

/**
 * How many threads read pictures: none where the engine itself computes on all processors, as many as usual beside a GPU.
 *
 * Source   measured on two processors with pictures of 640x480 at 320x240: 0, 1 and 2 threads train equally fast
 */
export function pictureThreads({ backend }: Engine): { readonly workers?: number } {
  return backend === 'wasm' || backend === 'cpu' ? { workers: 0 } : {};
}
