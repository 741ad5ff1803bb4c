// A training run made ready: its detector and the state it goes on from, fresh or as the last checkpoint left it.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Detector, Params, TrainState } from '@autoassign/detector';
import {
  createDetector,
  initialState,
  loadCheckpoint,
  readCheckpoint,
  restoreState,
  WeightsError,
} from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { key } from '@autoassign/tensor';
import { isDraft } from './atomicFile.ts';
import type { OpenedData } from './dataSource.ts';
import type { Engine } from './engine.ts';
import { openFileSource } from './fileSource.ts';
import { readMetrics } from './metrics.ts';
import { optimizerOf } from './recipe.ts';
import type { RunConfig } from './runConfig.ts';
import type { RunFiles } from './runFolder.ts';
import { checkpointNames } from './weightsFile.ts';

/** A run that can be started or continued. */
export interface TrainingRun {
  readonly config: RunConfig;
  readonly engine: Engine;
  readonly files: RunFiles;
  readonly data: OpenedData;
  readonly backend: Backend;
  readonly detector: Detector;
  /** Where it begins: fresh, or as the last checkpoint left it. */
  readonly state: TrainState;
  /** Steps that `state` has behind it. */
  readonly step: number;
  /** What it began with, in words, where that is a file of weights. */
  readonly beganWith?: string;
}

/**
 * The bytes of a run's last checkpoint; undefined when it never wrote one.
 *
 * Throws   WeightsError when the file cannot be read, or is gone although the log tells of it: to begin anew would cut the log
 */
async function lastCheckpoint(path: string, { metrics }: RunFiles): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code !== 'ENOENT') {
      throw new WeightsError(
        `prepareRun(${path}): needs a checkpoint that can be read, got ${code}. Make the file readable, or start a new run.`,
        { cause },
      );
    }
  }
  const saved = readMetrics(metrics).findLast(({ event }) => event === 'checkpoint');
  if (saved === undefined) return undefined;
  throw new WeightsError(
    `prepareRun(${path}): needs the checkpoint of step ${saved.step} that ${metrics} tells of, got no such file. Put the file back, or start a new run.`,
  );
}

/**
 * The parameters that a run begins with: those of the seed, and of them those that its file of weights has from there.
 *
 * Throws   WeightsError when the file cannot be read, or has nothing of this network
 */
async function firstParams(
  { detector: config, init, seed }: RunConfig,
  detector: Detector,
): Promise<{ readonly params: Params; readonly beganWith?: string }> {
  if (init === undefined) return { params: await detector.init(key(seed)) };
  const source = await openFileSource(init);
  const { params, report } = await loadCheckpoint(source, config, { label: init, seed }).finally(
    source.close,
  );
  const { loaded, missing, mismatched, scheme } = report;
  const named = scheme === undefined ? '' : ` (names of ${scheme})`;
  const fresh = missing.length + mismatched.length;
  const rest =
    fresh === 0
      ? ''
      : `; ${fresh} are new, the first ${[...missing, ...mismatched.map(({ name }) => name)][0]}`;
  return { params, beganWith: `${loaded.length} arrays of ${init}${named}${rest}` };
}

/** Every padded size of the validation images is a program. */
const mostPaddedSizes = 1024;

/** Removes what a process left that was killed while it wrote. */
async function removeDrafts({ folder }: RunFiles): Promise<void> {
  const drafts = (await readdir(folder)).filter(isDraft);
  await Promise.all(drafts.map((name) => rm(join(folder, name), { force: true })));
}

/**
 * The run with the state that its last checkpoint holds, or with a fresh one when it has not saved any yet.
 *
 * Throws   WeightsError when the checkpoint is gone, cannot be read, is damaged or does not fit the run's configuration
 */
export async function prepareRun(
  run: Omit<TrainingRun, 'detector' | 'state' | 'step'>,
): Promise<TrainingRun> {
  const { config, files, backend } = run;
  await removeDrafts(files);
  const detector = createDetector(config.detector, { backend, maxTraces: mostPaddedSizes });
  const optimizer = optimizerOf(config.recipe, config.detector);
  const hasAverage = config.recipe.ema !== undefined;
  const path = join(files.folder, checkpointNames.last);
  const bytes = await lastCheckpoint(path, files);
  if (bytes === undefined) {
    const { params, ...first } = await firstParams(config, detector);
    const state = await initialState(config.detector, params, optimizer, { hasAverage });
    return { ...run, ...first, detector, state, step: 0 };
  }
  const params = await detector.init(key(config.seed));
  const fresh = await initialState(config.detector, params, optimizer, { hasAverage });
  const checkpoint = readCheckpoint(bytes, path);
  return { ...run, detector, state: restoreState(fresh, checkpoint, path), step: checkpoint.step };
}
