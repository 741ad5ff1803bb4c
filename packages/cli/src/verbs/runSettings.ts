// The settings of a new run: a preset's, a file's, the options' and those of key=value, in this order, fitted to the data.
import type { DetectorConfig } from '@autoassign/detector';
import type { OpenedData } from '../dataSource.ts';
import { fillableBatchSize, meanColour, padMultipleFor, usableImages } from '../imagePlan.ts';
import type { DemoOptions, SettingOptions } from '../options.ts';
import type { Beginning } from '../presets.ts';
import { stepsForEpochs, totalSteps, upsideDown, withSteps } from '../recipe.ts';
import type { ImagePlan, TrainingRecipe } from '../runConfig.ts';
import { readSettings } from '../settings/configFile.ts';
import { assigned, withLayer } from '../settings/layers.ts';
import type { Settings } from '../settings/runSchema.ts';

/** Changes of settings, one after the other. */
type Layer = (settings: Settings) => Settings;

/** What comes before the options and after them. */
export interface Layers {
  readonly file: Layer;
  readonly words: Layer;
}

/**
 * What a file and the words of the command line change, around what the options between them do.
 *
 * Throws   UsageError when the file cannot be read or a word is no setting
 */
export async function layersOf({ config, settings: words }: SettingOptions): Promise<Layers> {
  const fromFile = config === undefined ? {} : await readSettings(config);
  const fromWords = assigned(words);
  return {
    file: (settings) => withLayer(settings, fromFile, config),
    words: (settings) => withLayer(settings, fromWords),
  };
}

/**
 * What the layers make of a preset where there are no data, or before they are opened.
 *
 * Throws   UsageError naming the field that does not exist, or does not take its value
 */
export function layeredPreset(
  { recipe, images, detector }: Beginning,
  { file, words }: Layers,
  classes: readonly string[] = ['object'],
): Settings {
  return words(file({ recipe, images, detector: detector(classes) }));
}

/** What the options say of the recipe, for data with so many images. */
function withOptions(recipe: TrainingRecipe, options: DemoOptions, images: number): TrainingRecipe {
  const { batch: batchSize = recipe.batchSize, epochs, flips } = options;
  const steps =
    options.steps ?? (epochs === undefined ? undefined : stepsForEpochs(epochs, images, batchSize));
  const mirrored = flips === 'both' ? [...recipe.augment, upsideDown] : recipe.augment;
  return {
    ...(steps === undefined ? recipe : withSteps(recipe, steps)),
    batchSize,
    augment: flips === 'none' ? mirrored.filter(({ type }) => type !== 'flip') : mirrored,
  };
}

/** The preset's recipe with enough steps to see every image often enough. */
function fittedRecipe({ recipe, fits }: Beginning, batchSize: number, images: number): TrainingRecipe {
  if (fits?.epochs === undefined) return recipe;
  const fewest = totalSteps(recipe, images);
  return withSteps(recipe, Math.max(fewest, stepsForEpochs(fits.epochs, images, batchSize)));
}

/** The preset's network for the data: its classes, its padding and their mean colour. */
async function fittedDetector(
  { fits, detector }: Beginning,
  { train }: OpenedData,
  images: ImagePlan,
): Promise<DetectorConfig> {
  const config = detector(train.classes);
  const padMultiple = fits?.padding ? padMultipleFor(train, images) : config.input.padMultiple;
  const mean = fits?.colour ? await meanColour(train) : config.input.mean;
  return { ...config, input: { ...config.input, mean, padMultiple } };
}

/**
 * The settings of a new run on data: what is chosen from the data gives way to a file, to options and to words, in this order.
 *
 * Throws   UsageError naming the field that does not exist, or does not take its value
 */
export async function settingsFor(
  preset: Beginning,
  layers: Layers,
  options: DemoOptions,
  data: OpenedData,
): Promise<Settings> {
  const images = usableImages(data.train);
  const layered = (settings: Settings): Settings => {
    const { recipe, ...others } = layers.file(settings);
    return layers.words({ ...others, recipe: withOptions(recipe, options, images) });
  };
  const { recipe, images: plan } = preset;
  const asked = layered({ recipe, images: plan, detector: preset.detector(data.train.classes) });
  const batchSize = fillableBatchSize(data.train, asked.recipe.batchSize);
  const fitted = layered({
    recipe: { ...fittedRecipe(preset, batchSize, images), batchSize },
    images: plan,
    detector: await fittedDetector(preset, data, asked.images),
  });
  const accumulate = partsOf(batchSize, fitted.recipe.accumulate);
  return { ...fitted, recipe: { ...fitted.recipe, batchSize, accumulate } };
}

/** The most equal parts, up to so many, that images can be divided into. */
function partsOf(images: number, most: number): number {
  for (let parts = Math.min(most, images); parts > 1; parts -= 1) if (images % parts === 0) return parts;
  return 1;
}
