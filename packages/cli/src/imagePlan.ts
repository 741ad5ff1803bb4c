// How the images of a dataset become network input: their size, their padding and their mean colour, chosen from the data.
import type { Batch, Dataset, ImageSize, Sample, TransformStep } from '@autoassign/datasets';
import { batches, isTrainable, paddedSize, planBatches, resize, resizedSize } from '@autoassign/datasets';
import type { DetectorConfig } from '@autoassign/detector';
import type { TrainingRecipe } from './recipe.ts';

/** What is decided once for all images of a run, as `config.json` keeps it. */
export interface ImagePlan {
  /** Images whose longer side is above this many pixels are scaled down to it; smaller ones are kept. */
  readonly longestSide: number;
  /** Places for objects per training image. */
  readonly maxObjects: number;
}

/** The longest side of an image on a CPU: larger ones make a step of the small detector take seconds. */
export const defaultLongestSide = 320;
/** Every padded size is a program to compile and keep. */
const mostPaddedSizes = 4;
const padMultiples: readonly number[] = [32, 64, 160];
const coloursFrom = 64;
/** Reading a file and decoding it takes several turns of the event loop, and a training step leaves it only one. */
const batchesAhead = 8;

/** The target size that scales an image down to `longestSide` and leaves a smaller one as it is. */
function targetSize({ width, height }: ImageSize, longestSide: number): ImageSize {
  if (Math.max(width, height) <= longestSide) return { width, height };
  return resizedSize({ width, height }, { shortSide: longestSide, longSide: longestSide });
}

/** The step that does to a sample what `fitted` does. */
function fittingStep({ longestSide }: Pick<ImagePlan, 'longestSide'>): TransformStep {
  return { type: 'resize', shortSide: longestSide, longSide: longestSide, enlarge: false };
}

/** The sample with its longer side at most `longestSide` pixels. */
export function fitted(sample: Sample, longestSide: number): Sample {
  const { width, height } = sample;
  return Math.max(width, height) <= longestSide ? sample : resize(sample, targetSize(sample, longestSide));
}

/** The records one after the other: all at once they may take more memory than the pictures. */
function* recordsOf(dataset: Dataset): Generator<ReturnType<Dataset['record']>, void, undefined> {
  for (let index = 0; index < dataset.length; index += 1) yield dataset.record(index);
}

/** The plan for the images of a dataset: their size is kept up to `defaultLongestSide`. */
export function imagePlanOf(dataset: Dataset): ImagePlan {
  let most = 1;
  for (const { annotations } of recordsOf(dataset))
    most = Math.max(most, annotations.filter(isTrainable).length);
  return { longestSide: defaultLongestSide, maxObjects: Math.ceil(most / 8) * 8 };
}

/** The smallest multiple to pad to that leaves few different sizes; the coarsest one when none does. */
export function padMultipleFor(dataset: Dataset, { longestSide }: ImagePlan): number {
  const sizes = Array.from(recordsOf(dataset), (record) => targetSize(record, longestSide));
  const differentSizes = (multiple: number): number =>
    new Set(
      sizes.map((size) => {
        const { width, height } = paddedSize(size, multiple);
        return `${width}x${height}`;
      }),
    ).size;
  return padMultiples.find((multiple) => differentSizes(multiple) <= mostPaddedSizes) ?? 160;
}

/**
 * The mean colour of the images, from up to 64 of them spread evenly over the dataset.
 *
 * Units    bytes, red, green, blue
 */
export async function meanColour(dataset: Dataset): Promise<readonly [number, number, number]> {
  const count = Math.min(coloursFrom, dataset.length);
  const sums = [0, 0, 0] as [number, number, number];
  for (let i = 0; i < count; i += 1) {
    const { pixels } = await dataset.at(Math.floor((i * dataset.length) / count));
    const perImage = [0, 0, 0] as [number, number, number];
    for (let at = 0; at < pixels.data.length; at += 3) {
      perImage[0] += pixels.data[at] ?? 0;
      perImage[1] += pixels.data[at + 1] ?? 0;
      perImage[2] += pixels.data[at + 2] ?? 0;
    }
    const area = pixels.width * pixels.height * count;
    perImage.forEach((sum, channel) => {
      sums[channel as 0 | 1 | 2] += sum / area;
    });
  }
  const rounded = (value: number): number => Math.round(value * 10) / 10;
  return [rounded(sums[0]), rounded(sums[1]), rounded(sums[2])];
}

/** What batches are made with: the network's input, the recipe, the plan for images, the seed. */
export interface BatchPlan {
  readonly detector: DetectorConfig;
  readonly images: ImagePlan;
  readonly recipe: TrainingRecipe;
  readonly seed: number;
  /** Threads that read and change pictures beside the engine; as many as there are processors unless told otherwise. */
  readonly workers?: number;
}

/** How many batches an epoch has; the images that are left over when batches are full wait for another epoch. */
function batchesPerEpoch(dataset: Dataset, { recipe, seed }: BatchPlan): number {
  return planBatches(dataset, { batchSize: recipe.batchSize, seed, last: 'drop' }, 0).length;
}

/**
 * How many images of a dataset can be trained on.
 *
 * Throws   DatasetError when none can
 */
export function usableImages(dataset: Dataset): number {
  return planBatches(dataset, { batchSize: dataset.length }, 0).flat().length;
}

/**
 * The largest batch size up to `wanted` that the usable images of a dataset can fill.
 *
 * Throws   DatasetError when no image is usable
 */
export function fillableBatchSize(dataset: Dataset, wanted: number): number {
  return Math.min(wanted, usableImages(dataset));
}

/**
 * The training batches from step `step` on, without end: the same ones, whether a run was interrupted before or not.
 *
 * Throws   DatasetError; while iterating, at the batch concerned, when an image cannot be read
 */
export function trainingBatches(dataset: Dataset, plan: BatchPlan, step: number): AsyncIterable<Batch> {
  const { detector, images, recipe, seed, workers } = plan;
  const perEpoch = batchesPerEpoch(dataset, plan);
  const { padMultiple, ...normalization } = detector.input;
  return batches(dataset, {
    batchSize: recipe.batchSize,
    seed,
    last: 'drop',
    epoch: Math.floor(step / perEpoch),
    start: step % perEpoch,
    epochs: Number.POSITIVE_INFINITY,
    prefetch: batchesAhead,
    ...(workers === undefined ? {} : { workers }),
    normalization,
    padMultiple,
    maxObjects: images.maxObjects,
    steps: [fittingStep(images), ...recipe.augment],
  });
}

/** The batches of all images of a dataset, once, in its order. */
export function evaluationBatches(
  dataset: Dataset,
  { detector, images }: Pick<BatchPlan, 'detector' | 'images'>,
  batchSize: number,
): AsyncIterable<Batch> {
  const { padMultiple, ...normalization } = detector.input;
  return batches(dataset, {
    batchSize,
    purpose: 'evaluate',
    workers: 0, // an evaluation is over before threads would have paid for their start
    normalization,
    padMultiple,
    steps: [fittingStep(images)],
  });
}
