// The suite `device`: our engine on WebGPU against PyTorch on the same GPU, and against the peers that were packed.
import { resolve } from 'node:path';
import type { TorchOptions } from '../cpu/libraries/torch.ts';
import { torch } from '../cpu/libraries/torch.ts';
import type { Library, Peers } from '../cpu/library.ts';
import { openAll } from '../cpu/library.ts';
import { race } from '../cpu/race.ts';
import type { GpuAdapter } from '../gpu/adapter.ts';
import { oursNamed } from '../gpu/ours.ts';
import { openWebgpuPeers } from '../gpu/peers.ts';
import type { GpuOptions, GpuResult } from '../gpu/suite.ts';
import { gpuWork } from '../gpu/work.ts';
import type { Row } from '../record.ts';
import { importPacked, readPacked } from './packed.ts';

/** Options of the suite. */
export interface DeviceOptions extends GpuOptions {
  /** Where PyTorch computes. */
  readonly torch: NonNullable<TorchOptions['device']>;
}

/** Rows of the suite so far. */
export interface DeviceResult extends GpuResult {
  /** Tasks at which ours failed, and how. */
  readonly failed: Readonly<Record<string, string>>;
}

const torchOn = (options: Omit<TorchOptions, 'threads'>): Promise<Library> =>
  torch(resolve('bench/peers/torch_peer.py'), { threads: 1, ...options });

/** Ours in mixed precision, and PyTorch in two; with `peers` our GPU.js backend and the libraries that were packed as well. */
const openDevicePeers = async (
  { peers, torch: device }: DeviceOptions,
  { launches }: GpuAdapter,
): Promise<Peers> => {
  const native = await openAll({
    PyTorch: () => torchOn({ device }),
    'PyTorch f16': () => torchOn({ device, precision: 'f16' }),
  });
  const mixed = oursNamed('ours mixed', 'webgpu', { precision: 'mixed' });
  if (!peers) return { ...native, libraries: [mixed, ...native.libraries] };
  const others = await openWebgpuPeers(importPacked, readPacked().peers, launches);
  return {
    libraries: [
      mixed,
      ...native.libraries,
      oursNamed('ours on gpu.js', 'gpujs', { mode: 'webgpu' }),
      ...others.libraries,
    ],
    absent: { ...native.absent, ...others.absent },
  };
};

/**
 * The suite, task by task: `keep` gets all rows so far after every one, and a task at which ours fails does not end it, because time
 * on such a machine is short.
 */
export const deviceSuite = async (
  options: DeviceOptions,
  adapter: GpuAdapter,
  keep: (result: DeviceResult) => void,
): Promise<DeviceResult> => {
  const { large, only, seed, time, rounds, slow } = options;
  const { description, isSoftware } = adapter;
  const { libraries, absent } = await openDevicePeers(options, adapter);
  const rows: Row[] = [];
  const failed: Record<string, string> = {};
  const result = { rows, failed, adapter: description, missing: absent };
  for (const entry of await gpuWork(seed, { large, paperSized: !isSoftware, only })) {
    try {
      const raced = await race([entry], oursNamed('ours', 'webgpu'), libraries, {
        ...{ time, rounds, slow, threads: 1 },
        reference: oursNamed('wasm', 'wasm'),
        tell: (line) => console.error(`device, ${description}: ${line}`),
      });
      rows.push(...raced);
    } catch (error) {
      failed[entry.name] = (error as Error).message;
    }
    keep(result);
  }
  for (const { close } of libraries) await close?.();
  return result;
};
