// The suite `gpu`: our engine on WebGPU and on GPU.js, alone or against the libraries of bench/peers, on one adapter.
import { importPeer, installedVersions, installPeers } from '../cpu/peers.ts';
import { race } from '../cpu/race.ts';
import type { Row } from '../record.ts';
import { openAdapter } from './adapter.ts';
import { oursNamed } from './ours.ts';
import { openWebgpuPeers, webgpuPackages } from './peers.ts';
import { gpuWork } from './work.ts';

/** Options of the suite. */
export interface GpuOptions {
  /** Whether other libraries take part. */
  readonly peers: boolean;
  /** All work even on a software adapter, which takes minutes for the largest. */
  readonly large: boolean;
  /** Only tasks whose name matches this regular expression; all without it. */
  readonly only?: string;
  readonly seed: number;
  readonly time: number;
  readonly rounds: number;
  /** Milliseconds from which a run counts alone. */
  readonly slow: number;
}

/** Rows of the suite, and what they were measured on. */
export interface GpuResult {
  readonly rows: readonly Row[];
  readonly adapter: string;
  /** Libraries that did not load here, and why. */
  readonly missing: Readonly<Record<string, string>>;
}

/**
 * The suite's rows, every result checked against ours on WebAssembly first.
 *
 * Throws  Error without a GPU adapter, or when ours fails at a task
 */
export const gpuSuite = async ({ peers, large, only, seed, ...timing }: GpuOptions): Promise<GpuResult> => {
  if (peers) installPeers();
  const { description, isSoftware, launches } = await openAdapter();
  const { libraries, absent } = peers
    ? await openWebgpuPeers(importPeer, installedVersions(webgpuPackages), launches)
    : { libraries: [], absent: {} };
  const entries = await gpuWork(seed, { large: large || !isSoftware, paperSized: !isSoftware, only });
  const tell = (line: string): void => console.error(`gpu, ${description}: ${line}`);
  const rows = await race(
    entries,
    oursNamed('ours', 'webgpu'),
    [oursNamed('ours on gpu.js', 'gpujs', { mode: 'webgpu' }), ...libraries],
    { ...timing, threads: 1, reference: oursNamed('wasm', 'wasm'), tell },
  );
  return { rows, adapter: description, missing: absent };
};
