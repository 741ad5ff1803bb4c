// Who reads the pictures of a stream of batches: the calling thread here, worker threads where the platform has them.
import type { Normalization } from '../transforms/normalize.ts';
import type { ImageSize } from '../transforms/size.ts';
import { normalizationFor, type TransformStep } from '../transforms/steps.ts';
import type { Annotation, Dataset, Pixels, Sample } from '../types.ts';
import { askDataset, type Outcome, type PictureTask, preparedSample, readPicture } from './picture.ts';
import { byteTables, writePlanes } from './planes.ts';

/** What is the same for all pictures of a stream, as plain data. */
export interface ReadingRules {
  readonly steps: readonly TransformStep[];
  readonly normalization: Normalization;
  readonly maxPixels: number | undefined;
}

/** A picture after its steps, ready to be put into a batch. */
export interface PreparedPicture {
  readonly width: number;
  readonly height: number;
  readonly annotations: readonly Annotation[];
  /** Random bits, for how it is normalised. */
  readonly key: number;
  /** The pixels, unless another thread holds them. */
  readonly pixels?: Pixels;
  /** What the reader knows pixels by that another thread holds. */
  readonly held?: unknown;
}

/** Where a picture goes: three planes f32[3,H,W] in the memory of its batch. */
export interface PlaneArea {
  readonly padded: ImageSize;
  readonly planes: Float32Array;
}

/** Reads pictures and puts them into batches. */
export interface PictureReader {
  /** Reads, decodes and changes a picture; rejects only for reasons that are not the picture's. */
  prepare(task: PictureTask): Promise<Outcome<PreparedPicture>>;
  /** Normalises a prepared picture into its place, and lets go of it. */
  place(picture: PreparedPicture, area: PlaneArea): Promise<void>;
  /** Says whether somebody waits for a result, so that the process must stay alive. */
  hold(isHeld: boolean): void;
  /** Resolves when nothing of this reader runs any more. */
  end(): Promise<void>;
}

/**
 * A reader that does everything on the calling thread, as far as the platform does not decode elsewhere by itself.
 *
 * Example  const reader = readHere(dataset, { steps: [], normalization, maxPixels: undefined })
 */
export const readHere = (dataset: Dataset, rules: ReadingRules): PictureReader => ({
  prepare: async (task) => {
    const outcome = await preparedSample(task, rules.steps, (source) =>
      source.location === undefined ? askDataset(dataset, source) : readPicture(source, rules.maxPixels),
    );
    return 'failure' in outcome ? outcome : { value: preparedPicture(outcome.value, task.key) };
  },
  place: async (picture, area) => placePixels(picture, area, rules),
  hold: () => undefined,
  end: async () => undefined,
});

/**
 * The picture of a sample.
 *
 * Example  preparedPicture(sample, mixSeeds(seed, epoch, index))
 */
export const preparedPicture = (
  { width, height, annotations, pixels }: Sample,
  key: number,
): PreparedPicture => ({ width, height, annotations, key, pixels });

/**
 * Nothing; the planes then hold the picture, normalised as the steps say.
 *
 * Throws   DatasetError when the pixels are not at hand, or do not fit
 */
export const placePixels = (
  { pixels, key }: PreparedPicture,
  { padded, planes }: PlaneArea,
  { steps, normalization }: Pick<ReadingRules, 'steps' | 'normalization'>,
): void => writePlanes(pixels!, byteTables(normalizationFor(steps, normalization, key)), padded, planes);
