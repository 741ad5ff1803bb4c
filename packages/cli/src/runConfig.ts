// The `config.json` of a training run: everything needed to repeat it or to continue it, written once and checked when read.
import type { DetectorConfig } from '@autoassign/detector';
import { validateConfig } from '@autoassign/detector';
import type { DataSource } from './dataSource.ts';
import type { ImagePlan } from './imagePlan.ts';
import type { BackendName, Precision } from './options.ts';
import { backendNames, precisions } from './options.ts';
import type { TrainingRecipe } from './recipe.ts';
import { RunFolderError, readRunConfig, runFiles } from './runFolder.ts';

/** Everything that decides how a training run goes. */
export interface RunConfig {
  /** Counts up when older files can no longer be continued. */
  readonly format: 1;
  readonly seed: number;
  readonly backend: BackendName;
  /** Whether sums of products are fused; absent in runs of versions that could not. */
  readonly fma?: boolean;
  /** The arithmetic of products; absent in runs of versions that had one only. */
  readonly precision?: Precision;
  readonly data: DataSource;
  /** How many images each part had when the run began: other numbers mean other data. */
  readonly imageCounts: { readonly train: number; readonly validation: number };
  readonly images: ImagePlan;
  readonly recipe: TrainingRecipe;
  readonly detector: DetectorConfig;
}

type Check = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isOneOf =
  (...choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value);

/** Dotted paths of the fields, and what must hold for each. */
const checks: Readonly<Record<string, Check>> = {
  format: isOneOf(1),
  seed: isCount,
  backend: isOneOf(...backendNames),
  fma: isOneOf(true, false, undefined),
  precision: isOneOf(...precisions, undefined),
  'data.kind': isOneOf('shapes', 'coco'),
  'data.folder': isText,
  'imageCounts.train': isCount,
  'imageCounts.validation': isCount,
  'images.longestSide': isCount,
  'images.maxObjects': isCount,
  'recipe.batchSize': isCount,
  'recipe.steps': isCount,
  'recipe.rate': isNumber,
  'recipe.warmupSteps': isCount,
  'recipe.warmupFrom': isNumber,
  'recipe.priorRateFactor': isNumber,
  'recipe.weightDecay': isNumber,
  'recipe.evaluations': isCount,
  'recipe.checkpointEvery': isCount,
  'recipe.mirror': isOneOf(true, false),
  detector: isRecord,
};

function fieldAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), config);
}

/**
 * The configuration of the training run in a folder.
 *
 * Throws   RunFolderError when the file is missing or a field of it is not what training writes; ConfigError for the network's
 */
export async function readTrainingConfig(folder: string): Promise<RunConfig> {
  const config = await readRunConfig(folder);
  const wrong = Object.entries(checks).find(([path, check]) => !check(fieldAt(config, path)));
  if (wrong !== undefined) {
    const [path] = wrong;
    const value = fieldAt(config, path);
    const got = value === undefined ? 'nothing' : JSON.stringify(value);
    throw new RunFolderError(
      `readTrainingConfig(${runFiles(folder).config}): needs '${path}' as demo and train write it, got ${got.slice(0, 80)}. Give the folder of a training run.`,
    );
  }
  return { ...(config as unknown as RunConfig), detector: validateConfig(config.detector) };
}
