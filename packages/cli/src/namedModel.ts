// A network by any name that people have for it: a run folder, a file of weights, a preset.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DetectorConfig } from '@autoassign/detector';
import { openWeights } from '@autoassign/detector';
import { nearestName } from '@autoassign/detector/schema';
import { UsageError } from './exitCodes.ts';
import { fittedSize } from './fittedSize.ts';
import type { ImageSides } from './options.ts';
import { presetDescriptions, presetNamed } from './presets.ts';
import { readTrainingConfig } from './readTrainingConfig.ts';
import { demoRecipe } from './recipe.ts';
import type { TestSize, TrainingRecipe } from './runConfig.ts';
import { configOf, testSizeIn } from './usableDetector.ts';
import { findWeights } from './weightsFile.ts';

/** A network, how it is trained, and the size that it sees pictures at. */
export interface NamedModel {
  readonly config: DetectorConfig;
  readonly recipe: TrainingRecipe;
  /** Places for objects per training image. */
  readonly objects: number;
  readonly test: TestSize;
}

/** No image of COCO needs more. */
const usualObjects = 96;

async function isPath(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined)) !== undefined;
}

/** How a network is trained: its recipe, and the places for objects of its batches. */
type Training = Pick<NamedModel, 'recipe' | 'objects'>;

/** What the run did that a file of weights belongs to; the demo's recipe where the file stands alone. */
async function trainingBeside(path: string): Promise<Training> {
  const folder = join(path, '..');
  if (!(await isPath(join(folder, 'config.json')))) return { recipe: demoRecipe, objects: usualObjects };
  const { recipe, maxObjects } = await readTrainingConfig(folder);
  return { recipe, objects: maxObjects };
}

async function storedModel(name: string, preset: string | undefined): Promise<NamedModel> {
  const path = await findWeights(name, '.');
  const file = await openWeights(new Uint8Array(await readFile(path)), { label: path });
  return {
    config: configOf(file, { label: path, preset }),
    ...(preset === undefined
      ? await trainingBeside(path)
      : { recipe: presetNamed(preset).recipe, objects: usualObjects }),
    test: preset === undefined ? testSizeIn(file.metadata.notes) : presetNamed(preset).images.test,
  };
}

/**
 * The network of a run folder, a file of weights (of a preset, where the file does not say), or a preset with so many classes.
 *
 * Throws   UsageError for a name that is none of them; RunFolderError, WeightsError or ConfigError for what cannot be read
 */
export async function namedModel(
  name: string,
  { classes, preset }: { readonly classes: number; readonly preset?: string | undefined },
): Promise<NamedModel> {
  const presetNames = Object.keys(presetDescriptions);
  if (presetNames.includes(name)) {
    const { detector, recipe, images } = presetNamed(name);
    const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
    return { config: detector(names), recipe, objects: usualObjects, test: images.test };
  }
  if (await isPath(name)) return storedModel(name, preset);
  const meant = nearestName(name, presetNames);
  throw new UsageError(
    `needs a run folder, a file of weights or a preset (${presetNames.join(', ')}), got '${name}'. ${meant === undefined ? 'Check the path.' : `Did you mean '${meant}'?`}`,
  );
}

/** The sides of a padded picture of 640x480 as a network sees it. */
export function usualSides({ config, test }: Pick<NamedModel, 'config' | 'test'>): ImageSides {
  const { padMultiple } = config.input;
  const padded = (side: number): number => Math.ceil(side / padMultiple) * padMultiple;
  const { width, height } = fittedSize({ width: 640, height: 480 }, test);
  return { height: padded(height), width: padded(width) };
}
