// Files of weights. The network's configuration and the image plan travel with them, so that a file is all one needs to use it.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DetectorConfig, Params, StoredTensor } from '@autoassign/detector';
import { writeSafetensors } from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { leavesWithPaths, read } from '@autoassign/tensor';
import { openFileSource } from './fileSource.ts';
import type { ImagePlan } from './runConfig.ts';
import { RunFolderError } from './runFolder.ts';
import type { UsableDetector, WeightsSetting } from './usableDetector.ts';
import { detectorIn } from './usableDetector.ts';

/** The checkpoint files of a training run. */
export const checkpointNames = { last: 'last.safetensors', best: 'best.safetensors' } as const;

/** A detector read from a file, ready to be used. */
export interface LoadedDetector extends UsableDetector {
  /** The file that was read. */
  readonly path: string;
}

/** What the files of a run carry besides the arrays, as checkpoints keep it. */
export function weightsNotes(images: Pick<ImagePlan, 'test'>): Readonly<Record<string, string>> {
  return { images: JSON.stringify(images) };
}

/** What a file of weights says besides its arrays. */
interface WeightsOrigin {
  readonly config: DetectorConfig;
  readonly images: Pick<ImagePlan, 'test'>;
  /** Steps that they were trained for. */
  readonly step: number;
}

/** The metadata of a file with parameters alone, by which the file is all one needs to use them. */
export function weightsMetadata({ config, images, step }: WeightsOrigin): Readonly<Record<string, string>> {
  return {
    format: 'autoassign weights 1',
    config: JSON.stringify(config),
    step: String(step),
    notes: JSON.stringify(weightsNotes(images)),
  };
}

/** The bytes of a file with the parameters alone, without what only training needs. */
export async function weightsBytes(params: Params, origin: WeightsOrigin): Promise<Uint8Array> {
  const tensors: Record<string, StoredTensor> = {};
  for (const [name, leaf] of leavesWithPaths(params)) {
    tensors[name] = { dtype: 'F32', shape: leaf.shape, data: Float32Array.from(await read(leaf)) };
  }
  return writeSafetensors(tensors, weightsMetadata(origin));
}

async function modified(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.mtimeMs : undefined;
}

/** The weights of a run folder: the best that were evaluated, else the last; undefined when it has none. */
async function weightsOfRun(folder: string): Promise<string | undefined> {
  for (const name of [checkpointNames.best, checkpointNames.last]) {
    const path = join(folder, name);
    if ((await modified(path)) !== undefined) return path;
  }
  return undefined;
}

async function newestWeights(out: string): Promise<string> {
  const names = await readdir(out).catch(() => []);
  const found: { readonly path: string; readonly at: number }[] = [];
  for (const name of names) {
    const path = await weightsOfRun(join(out, name));
    if (path !== undefined) found.push({ path, at: (await modified(path)) ?? 0 });
  }
  const newest = found.sort((a, b) => b.at - a.at)[0];
  if (newest !== undefined) return newest.path;
  throw new RunFolderError(
    `findWeights(${out}): needs a training run in this folder, got none with weights. Train first, or give --weights.`,
  );
}

/**
 * The path of the weights that `--weights` means: a file, a run folder's best, or those of the newest run under `out`.
 *
 * Throws   RunFolderError when there are none
 */
export async function findWeights(given: string | undefined, out: string): Promise<string> {
  if (given === undefined) return newestWeights(out);
  if ((await modified(given)) !== undefined) return given;
  const path = await weightsOfRun(given);
  if (path !== undefined) return path;
  throw new RunFolderError(
    `findWeights(${given}): needs a folder with ${checkpointNames.best} or ${checkpointNames.last}, got one with neither. Give the folder of a training run, or a file.`,
  );
}

/**
 * The detector in a checkpoint or weights file.
 *
 * Throws   WeightsError naming the file, and the array where one is missing or of another shape; ConfigError
 */
export async function loadDetector(
  path: string,
  backend: Backend,
  setting: Pick<WeightsSetting, 'preset' | 'classes'> = {},
): Promise<LoadedDetector> {
  const source = await openFileSource(path);
  try {
    return { ...(await detectorIn(source, { ...setting, label: path, backend })), path };
  } finally {
    await source.close();
  }
}
