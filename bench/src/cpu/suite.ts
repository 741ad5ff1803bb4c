// The suite `cpu`: our engine alone, or against the libraries of bench/peers, with one number of threads.
import { setFlagsFromString } from 'node:v8';
import type { Backend, BackendOptions } from '@autoassign/tensor';
import { createBackend, UnsupportedError } from '@autoassign/tensor';
import type { Row } from '../record.ts';
import { ours } from './libraries/ours.ts';
import type { Library } from './library.ts';
import { lossWork } from './lossWork.ts';
import { installPeers, openPeers } from './peers.ts';
import { race } from './race.ts';
import { detectorWork } from './trainingWork.ts';
import type { NamedWork } from './work.ts';
import { allWork } from './work.ts';

/** Options of the suite. */
export interface CpuOptions {
  readonly threads: number;
  /** Asks for fused multiply-add; what the engine cannot do is not used. */
  readonly fma: boolean;
  /** Whether other libraries take part. */
  readonly peers: boolean;
  /** Only tasks whose name matches this regular expression; all without it. */
  readonly only?: string;
  readonly seed: number;
  readonly time: number;
  readonly rounds: number;
}

/** Rows of the suite, and what they were measured with. */
export interface CpuResult {
  readonly rows: readonly Row[];
  readonly fma: boolean;
  /** Libraries that did not load here, and why. */
  readonly missing: Readonly<Record<string, string>>;
}

/** Our backend, with fused multiply-add where that is asked for and there. */
export const openBackend = async (
  fma: boolean,
  threads: number,
): Promise<{ backend: Backend; fma: boolean }> => {
  // Node 20 has relaxed SIMD behind this flag; later versions have it anyway and ignore a flag they no longer know
  if (fma) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const options = { threads, fma } satisfies BackendOptions['wasm'] & { readonly threads: number };
  try {
    return { backend: await createBackend('wasm', options), fma };
  } catch (error) {
    if (!(fma && error instanceof UnsupportedError)) throw error;
    return { backend: await createBackend('wasm', { ...options, fma: false }), fma: false };
  }
};

/** The work whose names are wanted. */
export const wantedWork = async (seed: number, isWanted: (named: Named) => boolean): Promise<NamedWork[]> => {
  const entries = [...allWork(seed), ...(await lossWork(seed)).works].filter(isWanted);
  for (const { name, flops, make } of detectorWork(seed).filter(isWanted))
    entries.push({ name, flops, work: await make() });
  return entries;
};

interface Named {
  readonly name: string;
}

/**
 * The suite's rows.
 *
 * Throws  Error when ours fails at a task
 */
export const cpuSuite = async (options: CpuOptions): Promise<CpuResult> => {
  const { threads, seed, only, time, rounds } = options;
  if (options.peers) installPeers();
  const { backend, fma } = await openBackend(options.fma, threads);
  const { libraries, absent } = options.peers ? await openPeers(threads) : { libraries: [], absent: {} };
  const isWanted = ({ name }: Named): boolean => only === undefined || new RegExp(only).test(name);
  const entries = await wantedWork(seed, isWanted);
  const us: Library = ours(backend, 'this commit');
  const tell = (line: string): void => console.error(`cpu, threads ${threads}: ${line}`);
  const rows = await race(entries, us, libraries, { time, rounds, threads, tell });
  for (const { close } of libraries) await close?.();
  await backend.destroy();
  return { rows, fma, missing: absent };
};
