// The suite `gpu`: our engine on WebGPU and on GPU.js, alone or against the libraries of bench/peers, on one adapter.
import type { BackendName, BackendOptions } from '@autoassign/tensor';
import { createBackend } from '@autoassign/tensor';
import { installPeers } from '../cpu/peers.ts';
import { race } from '../cpu/race.ts';
import { wantedWork } from '../cpu/suite.ts';
import { chainWork, matmulWork } from '../cpu/work.ts';
import type { Row } from '../record.ts';
import { openAdapter } from './adapter.ts';
import { openGpuPeers, oursOn } from './libraries.ts';

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
}

/** Rows of the suite, and what they were measured on. */
export interface GpuResult {
  readonly rows: readonly Row[];
  readonly adapter: string;
  /** Libraries that did not load here, and why. */
  readonly missing: Readonly<Record<string, string>>;
}

/** Work that a software adapter does in seconds. */
const small: readonly RegExp[] = [
  /^matmul (256|512|1024)$/,
  /^3x3 256@40 /,
  /^(1x1 256->1024@20|3x3 64@56) forward$/,
  /^elementwise chain/,
  /^small-CNN/,
  /^AutoAssign loss forward and backward/,
  /^demo training step/,
];

const ours = <Name extends BackendName>(label: string, name: Name, options?: BackendOptions[Name]) =>
  oursOn(label, () => createBackend(name, options));

/**
 * The suite's rows, every result checked against ours on WebAssembly first.
 *
 * Throws  Error without a GPU adapter, or when ours fails at a task
 */
export const gpuSuite = async ({ peers, large, only, seed, ...timing }: GpuOptions): Promise<GpuResult> => {
  if (peers) installPeers();
  const { description, isSoftware, launches } = await openAdapter();
  const { libraries, absent } = peers ? await openGpuPeers(launches) : { libraries: [], absent: {} };
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    (large || !isSoftware || small.some((pattern) => pattern.test(name))) &&
    (only === undefined || new RegExp(only).test(name));
  const more = [2048, 4096].map((size) => matmulWork(size, seed));
  const entries = [...(await wantedWork(seed, isChosen)), ...[...more, chainWork(seed)].filter(isChosen)];
  const tell = (line: string): void => console.error(`gpu, ${description}: ${line}`);
  const rows = await race(
    entries,
    ours('ours', 'webgpu'),
    [ours('ours on gpu.js', 'gpujs', { mode: 'webgpu' }), ...libraries],
    { ...timing, threads: 1, reference: ours('wasm', 'wasm'), tell },
  );
  return { rows, adapter: description, missing: absent };
};
