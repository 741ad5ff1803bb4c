// Reading the `config.json` of a training run, checked field by field.
import { parseSteps } from '@autoassign/datasets';
import { validateConfig } from '@autoassign/detector';
import { backendNames, precisions } from './options.ts';
import type { RunConfig } from './runConfig.ts';
import { RunFolderError, readRunConfig, runFiles } from './runFolder.ts';

type Check = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isFlag: Check = (value) => typeof value === 'boolean';
const isOneOf =
  (...choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const either =
  (first: string, ofFirst: Check, second: string, ofSecond: Check): Check =>
  (value) =>
    isRecord(value) &&
    Object.keys(value).length === 1 &&
    (ofFirst(value[first]) || (value[first] === undefined && ofSecond(value[second])));
const isSchedule: Check = (value) =>
  isRecord(value) &&
  (value.kind === 'cosine' ||
    (value.kind === 'multiStep' &&
      Array.isArray(value.milestones) &&
      value.milestones.every(isNumber) &&
      isNumber(value.factor)));
const isOptimizer: Check = (value) =>
  isRecord(value) &&
  isNumber(value.weightDecay) &&
  ((value.kind === 'adamw' && isNumber(value.priorRateFactor)) ||
    (value.kind === 'sgd' && isNumber(value.momentum)));
const isSides: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(isCount);

/** Dotted paths of the fields, and what must hold for each. */
const checks: Readonly<Record<string, Check>> = {
  preset: optional(isText),
  seed: isCount,
  backend: isOneOf(...backendNames),
  fma: optional(isFlag),
  precision: optional(isOneOf(...precisions)),
  'data.kind': isOneOf('shapes', 'folder'),
  'data.folder': isText,
  'imageCounts.train': isCount,
  'imageCounts.usable': isCount,
  'imageCounts.validation': isCount,
  maxObjects: isCount,
  'images.train.shortSides': isSides,
  'images.train.draw': isOneOf('choice', 'range'),
  'images.train.longSide': isCount,
  'images.train.enlarge': isFlag,
  'images.test.shortSide': isCount,
  'images.test.longSide': isCount,
  'images.test.enlarge': isFlag,
  'images.groupByAspect': isFlag,
  'images.mostShapes': optional(isCount),
  'recipe.batchSize': isCount,
  'recipe.accumulate': isCount,
  'recipe.length': either('steps', isCount, 'epochs', isNumber),
  'recipe.optimizer': isOptimizer,
  'recipe.rate': isNumber,
  'recipe.rateBatchSize': optional(isCount),
  'recipe.schedule': isSchedule,
  'recipe.warmup.steps': isCount,
  'recipe.warmup.from': isNumber,
  'recipe.warmup.form': isOneOf('mmdetection 3', 'mmdetection 2'),
  'recipe.clipNorm': optional(isNumber),
  'recipe.ema': optional((ema) => isRecord(ema) && isNumber(ema.decay) && isNumber(ema.rampSteps)),
  'recipe.recompute': isOneOf('none', 'blocks'),
  'recipe.evaluate': either('everyEpochs', isNumber, 'times', isCount),
  'recipe.checkpointEvery': isCount,
  'recipe.patience': optional(isCount),
  'recipe.timeBudget': optional(isNumber),
  detector: isRecord,
  init: optional(isText),
};

function fieldAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), config);
}

function requireFormat({ format }: Readonly<Record<string, unknown>>, path: string): void {
  if (format === 3) return;
  const advice =
    format === 1 || format === 2
      ? 'The run was begun by an earlier version: continue it with that one, or start a new run.'
      : 'Give the folder of a training run.';
  throw new RunFolderError(
    `readTrainingConfig(${path}): needs format 3, got ${format === undefined ? 'none' : JSON.stringify(format)}. ${advice}`,
  );
}

/**
 * The configuration of the training run in a folder.
 *
 * Throws   RunFolderError when the file is missing, is of an earlier version, or a field of it is not what training writes; ConfigError
 *          for the network's, DatasetError for the changes of training images
 */
export async function readTrainingConfig(folder: string): Promise<RunConfig> {
  const config = await readRunConfig(folder);
  const path = runFiles(folder).config;
  requireFormat(config, path);
  const wrong = Object.entries(checks).find(([name, check]) => !check(fieldAt(config, name)));
  if (wrong !== undefined) {
    const [name] = wrong;
    const value = fieldAt(config, name);
    const got = value === undefined ? 'nothing' : JSON.stringify(value);
    throw new RunFolderError(
      `readTrainingConfig(${path}): needs '${name}' as demo and train write it, got ${got.slice(0, 80)}. Give the folder of a training run.`,
    );
  }
  const checked = config as unknown as RunConfig;
  parseSteps(checked.recipe.augment, path);
  return { ...checked, detector: validateConfig(config.detector) };
}
