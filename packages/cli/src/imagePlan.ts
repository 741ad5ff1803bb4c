// How the images of a dataset become network input: their size, their padding and their mean colour, chosen from the data.
import type { Batch, BatchOptions, Dataset, Sample, TransformStep } from '@autoassign/datasets';
import { batches, isTrainable, paddedSize, planBatches, resize } from '@autoassign/datasets';
import type { DetectorConfig } from '@autoassign/detector';
import { fittedSize } from './fittedSize.ts';
import { trainingBuckets } from './imageBuckets.ts';
import type { ImagePlan, RunConfig, TestSize, TrainingRecipe, TrainingSize } from './runConfig.ts';

/** The longest side of an image on a CPU: larger ones make a step of the small detector take seconds. */
const defaultLongestSide = 320;

/** The size of images whose longer side is above so many pixels: scaled down to it, while smaller ones are kept. */
export function atMost(longestSide: number): TestSize {
  return { shortSide: longestSide, longSide: longestSide, enlarge: false };
}

/** The images of the small detector: their size is kept up to `defaultLongestSide`. */
export const smallImages: ImagePlan = {
  train: { shortSides: [defaultLongestSide], draw: 'choice', longSide: defaultLongestSide, enlarge: false },
  test: atMost(defaultLongestSide),
  groupByAspect: false,
};

/** Every padded size is a program to compile and keep. */
const mostPaddedSizes = 4;
const padMultiples: readonly number[] = [32, 64, 160];
const coloursFrom = 64;
/** Reading a file and decoding it takes several turns of the event loop, and a training step leaves it only one. */
const batchesAhead = 8;

/** The step that does to a sample what `fitted` does. */
export function fittingStep({ shortSide, longSide, enlarge }: TestSize): TransformStep {
  return { type: 'resize', shortSide, longSide, enlarge };
}

/** The step that gives a training image its size, drawn where there is a choice. */
function trainingStep({ shortSides, draw, longSide, enlarge }: TrainingSize): TransformStep {
  const [first = longSide, ...others] = shortSides;
  const last = others.at(-1);
  const shortSide = last === undefined ? first : draw === 'range' ? { from: first, to: last } : shortSides;
  return { type: 'resize', shortSide, longSide, enlarge };
}

/** The largest size that a training image can get. */
function largestTrainingSize({ shortSides, longSide, enlarge }: TrainingSize): TestSize {
  return { shortSide: Math.max(...shortSides), longSide, enlarge };
}

/** The sample at the size that it is evaluated at. */
export function fitted(sample: Sample, test: TestSize): Sample {
  const size = fittedSize(sample, test);
  return size.width === sample.width && size.height === sample.height ? sample : resize(sample, size);
}

/** The records one after the other: all at once they may take more memory than the pictures. */
function* recordsOf(dataset: Dataset): Generator<ReturnType<Dataset['record']>, void, undefined> {
  for (let index = 0; index < dataset.length; index += 1) yield dataset.record(index);
}

/** The places for objects that every training image of a dataset finds room in. */
export function placesForObjects(dataset: Dataset): number {
  let most = 1;
  for (const { annotations } of recordsOf(dataset))
    most = Math.max(most, annotations.filter(isTrainable).length);
  return Math.ceil(most / 8) * 8;
}

/** The smallest multiple to pad to that leaves few different sizes; the coarsest one when none does. */
export function padMultipleFor(dataset: Dataset, { train }: ImagePlan): number {
  const largest = largestTrainingSize(train);
  const sizes = Array.from(recordsOf(dataset), (record) => fittedSize(record, largest));
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

/** What training batches are made with. */
export interface BatchPlan extends Pick<RunConfig, 'detector' | 'images' | 'recipe' | 'maxObjects' | 'seed'> {
  /** Threads that read and change pictures beside the engine; as many as there are processors unless told otherwise. */
  readonly workers?: number;
}

/** How many images pass through the network together. */
function imagesPerPass({ batchSize, accumulate }: TrainingRecipe): number {
  return batchSize / accumulate;
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
  const { detector, images, recipe, maxObjects, seed, workers } = plan;
  const { padMultiple, ...normalization } = detector.input;
  const batchSize = imagesPerPass(recipe);
  const options: BatchOptions = {
    batchSize,
    seed,
    last: 'drop', // the images that are left over when batches are full wait for another epoch
    groupByAspect: images.groupByAspect,
    ...trainingBuckets(dataset, images, { padMultiple, perBatch: batchSize }),
    prefetch: batchesAhead,
    ...(workers === undefined ? {} : { workers }),
    normalization,
    padMultiple,
    maxObjects,
    steps: [trainingStep(images.train), ...recipe.augment],
    epochs: Number.POSITIVE_INFINITY,
  };
  const { batchesPerEpoch } = batches(dataset, options);
  const first = step * recipe.accumulate;
  const [epoch, start] = [Math.floor(first / batchesPerEpoch), first % batchesPerEpoch];
  return batches(dataset, { ...options, epoch, start });
}

/** Images of up to this many pixels are evaluated eight at a time. */
const evaluatedPixels = 8 * defaultLongestSide ** 2;

/** How many images are evaluated together: several small ones, or one large one, which needs memory enough. */
export function evaluationBatchSize({ shortSide, longSide }: TestSize, images: number): number {
  return Math.min(images, 8, Math.max(1, Math.floor(evaluatedPixels / (shortSide * longSide))));
}

/** The batches of all images of a dataset, once, in its order. */
export function evaluationBatches(
  dataset: Dataset,
  { detector, test }: { readonly detector: DetectorConfig; readonly test: TestSize },
  batchSize: number,
): AsyncIterable<Batch> {
  const { padMultiple, ...normalization } = detector.input;
  return batches(dataset, {
    batchSize,
    purpose: 'evaluate',
    workers: 0, // an evaluation is over before threads would have paid for their start
    normalization,
    padMultiple,
    steps: [fittingStep(test)],
  });
}
