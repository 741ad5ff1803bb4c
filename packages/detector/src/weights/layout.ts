// What a checkpoint of a detector contains, under the names of published checkpoints.
import { key, leavesWithPaths, sizeOf } from '@autoassign/tensor';
import type { DetectorConfig } from '../config.ts';
import { initParams, isTrained } from '../model/network.ts';

/** One array of a checkpoint. */
export interface CheckpointEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Trained, fixed, or a statistic that is no parameter. */
  readonly kind: 'trained' | 'frozen' | 'statistic';
}

const isStatistic = (name: string): boolean => /\.(running_mean|running_var)$/.test(name);

/**
 * All arrays that a published checkpoint of this detector has. Batch norms count their batches there (`num_batches_tracked`, an
 * int64 that nothing reads): those entries are listed too, though this package's parameters do not have them.
 */
export const checkpointLayout = (config: DetectorConfig): CheckpointEntry[] =>
  leavesWithPaths(initParams(config, key(0))).flatMap(([name, { shape }]) => {
    const kind = isStatistic(name) ? 'statistic' : isTrained(config, name) ? 'trained' : 'frozen';
    const entry: CheckpointEntry = { name, shape, kind };
    if (!name.endsWith('.running_var')) return [entry];
    const counter = name.replace(/running_var$/, 'num_batches_tracked');
    return [entry, { name: counter, shape: [], kind: 'statistic' } satisfies CheckpointEntry];
  });

/** The number of parameters, trained or not. */
export const parameterCount = (config: DetectorConfig): number =>
  checkpointLayout(config)
    .filter(({ kind }) => kind !== 'statistic')
    .reduce((count, { shape }) => count + sizeOf(shape), 0);
