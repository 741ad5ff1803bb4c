// One picture on its way into a batch: read, compared with its record and changed, on whatever thread this runs.
import { openImage } from '../decode.ts';
import { DatasetError, oneLine } from '../errors.ts';
import { pictureFailureKind } from '../pictureFailure.ts';
import { applySteps, type TransformStep } from '../transforms/steps.ts';
import type { Dataset, ImageRecord, Pixels, Problem, Sample } from '../types.ts';

/** One image of the dataset to read, as plain data. */
export interface PictureSource {
  readonly index: number;
  /** The record with only those objects that are targets. */
  readonly record: ImageRecord;
  /** Path of the file, where the dataset has files. */
  readonly location: string | undefined;
}

/** What one image of a batch takes, as plain data. */
export interface PictureTask {
  readonly source: PictureSource;
  /** Further images that the steps need. */
  readonly companions: readonly PictureSource[];
  /** Random bits for the steps. */
  readonly key: number;
  /** Whether the pixels are wanted on the calling thread. */
  readonly wantsPixels: boolean;
}

/** Something made of a picture, or why there is none. */
export type Outcome<Value> = { readonly value: Value } | { readonly failure: PictureFailure };

/** Why a picture cannot be used. */
export interface PictureFailure {
  readonly problem: Problem;
  /** What the dataset rejected with, where it reads its pictures itself. */
  readonly cause?: unknown;
}

/**
 * The sample of a task after all steps; `read` gives the pixels of each of its images.
 *
 * Throws   whatever the steps throw: wrong steps are not the picture's fault
 */
export const preparedSample = async (
  { source, companions, key }: PictureTask,
  steps: readonly TransformStep[],
  read: (source: PictureSource) => Promise<Outcome<Pixels>>,
): Promise<Outcome<Sample>> => {
  const sources = [source, ...companions];
  const outcomes = await Promise.all(sources.map(read));
  const samples: Sample[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    if ('failure' in outcome) return outcome;
    samples.push({ ...sources[i]!.record, pixels: outcome.value });
  }
  const [first, ...others] = samples as [Sample, ...Sample[]];
  return { value: applySteps(steps, first, key, others) };
};

/**
 * The pixels of a picture file, when they are as many as annotated.
 *
 * Example  await readPicture(source, 2 ** 28)
 */
export const readPicture = async (
  { record, location = record.file }: PictureSource,
  maxPixels: number | undefined,
): Promise<Outcome<Pixels>> => {
  try {
    return asAnnotated(await openImage(location, { maxPixels }), record, location);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    const { message } = error;
    return {
      failure: { problem: { kind: pictureFailureKind(error), file: location, image: record.file, message } },
    };
  }
};

/**
 * The pixels of an image as its dataset gives them, for datasets that have no files.
 *
 * Example  await askDataset(dataset, source)
 */
export const askDataset = async (
  dataset: Dataset,
  { index, record }: PictureSource,
): Promise<Outcome<Pixels>> => {
  let sample: Sample;
  try {
    sample = await dataset.at(index);
  } catch (cause) {
    const file = (cause instanceof DatasetError ? cause.file : undefined) ?? record.file;
    const problem = { kind: pictureFailureKind(cause), file, image: record.file, message: oneLine(cause) };
    return { failure: { problem, cause } };
  }
  return asAnnotated(sample.pixels, record, record.file);
};

const asAnnotated = (pixels: Pixels, record: ImageRecord, file: string): Outcome<Pixels> => {
  if (pixels.width === record.width && pixels.height === record.height) return { value: pixels };
  const message = `batches(${file}): needs the annotated size ${record.width}x${record.height}, got an image of ${pixels.width}x${pixels.height}. Correct width and height, or annotate the image as it is.`;
  return { failure: { problem: { kind: 'wrong size', file, place: 'width', image: record.file, message } } };
};

/**
 * The error that stands for a picture that cannot be used.
 *
 * Example  throw errorOf(failure)
 */
export const errorOf = ({ problem, cause }: PictureFailure): unknown => {
  const { message, file, place } = problem;
  return cause ?? new DatasetError(message, place === undefined ? { file } : { file, field: place });
};
