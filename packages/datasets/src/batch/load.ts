// Loads one planned batch: its pictures, what takes the place of those that cannot be read, and the memory they go to.
import { isTrainable } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { mixSeeds } from '../random.ts';
import { companionIndices, type TransformStep } from '../transforms/steps.ts';
import type { Dataset, OnProblem, Problem, Sample } from '../types.ts';
import { type AssembleOptions, assemble, type Batch, type BatchImage, commonSize } from './assemble.ts';
import type { BatchMemory } from './memory.ts';
import { errorOf, type PictureSource } from './picture.ts';
import type { PlannedBatch, PlanOptions } from './plan.ts';
import { type PictureReader, type PreparedPicture, placePixels, preparedPicture } from './reader.ts';
import { replacements } from './replace.ts';
import type { Survey } from './survey.ts';

/** What decides about the content of a batch. */
export interface LoadOptions extends PlanOptions, AssembleOptions {
  /** Changes of the sample as plain data, made before `transform` and where the picture is read; what they draw depends on seed, epoch and image alone. */
  readonly steps?: readonly TransformStep[];
  /** A pure change of the sample, made on the calling thread; `key` is 32 random bits that depend on seed, epoch and image alone. */
  readonly transform?: (sample: Sample, key: number) => Sample;
  /**
   * What to do about a picture that cannot be read or decoded, or has another size than annotated. 'strict' rejects at
   * its batch: so does evaluation unless told otherwise. 'skip' goes on: training, which does so unless told otherwise,
   * takes another image of the same shape, the same one in every run, and evaluation leaves the image out.
   */
  readonly onProblem?: OnProblem;
}

/** What batches are loaded with. */
export interface Loader {
  readonly dataset: Dataset;
  readonly survey: Survey;
  readonly options: LoadOptions;
  readonly reader: PictureReader;
  readonly memory: BatchMemory;
  /** What becomes of the memory of a batch: it is used again once released, or at once after a copy, or never. */
  readonly handOver: 'lend' | 'copy' | 'give';
}

/** A batch that is ready; none when no picture of it could be read for evaluation. */
export interface LoadedBatch {
  readonly batch: Batch | undefined;
  /** What could not be read, in the order of the images. */
  readonly problems: readonly Problem[];
  /** Gives the memory of the images back. */
  release(): void;
}

/**
 * The batch of the planned images.
 *
 * Throws   the error of the first image, in their order, that cannot be used
 */
export const loadBatch = async (
  loader: Loader,
  planned: PlannedBatch,
  place: { readonly epoch: number; readonly position: number },
): Promise<LoadedBatch> => {
  const { options, survey, memory, handOver } = loader;
  const { images, problems, group } = await findImages(loader, planned, place.epoch);
  if (images.length === 0) return { batch: undefined, problems, release: () => undefined };
  const padded = commonSize(images, options, survey.bucketsOf(group));
  const rest = assemble(images, padded, options, place);
  const size = 3 * padded.width * padded.height;
  const piece = memory.take(images.length * size);
  await Promise.all(
    images.map(({ picture }, i) =>
      placed(loader, picture, { padded, planes: piece.subarray(i * size, (i + 1) * size) }),
    ),
  );
  const loaded = (batchImages: Float32Array, release: () => void = () => undefined): LoadedBatch => ({
    batch: { images: batchImages, ...rest },
    problems,
    release,
  });
  if (handOver === 'give') return loaded(piece);
  if (handOver === 'lend') return loaded(piece, () => memory.give(piece));
  const own = new Float32Array(piece);
  memory.give(piece);
  return loaded(own);
};

const placed = async (
  { reader, options }: Loader,
  picture: PreparedPicture,
  area: Parameters<PictureReader['place']>[1],
): Promise<void> => {
  if (picture.pixels === undefined) return reader.place(picture, area);
  placePixels(picture, area, { steps: options.steps ?? [], normalization: options.normalization });
};

interface FoundImage extends BatchImage {
  readonly picture: PreparedPicture;
}

interface Found<Images> {
  readonly images: Images;
  readonly problems: readonly Problem[];
}

/** The images of a batch; where no picture of a group can be read, as many of the next group. */
const findImages = async (
  loader: Loader,
  planned: PlannedBatch,
  epoch: number,
): Promise<Found<readonly FoundImage[]> & { readonly group: number }> => {
  const problems: Problem[] = [];
  for (const group of groupsFrom(loader.survey, planned.group)) {
    const searches = Array.from(planned.images, (image) => findImage(loader, image, group, epoch));
    const found = await inOrder(searches);
    problems.push(...found.flatMap((search) => search.problems));
    const images = found.flatMap((search) => search.images);
    const isComplete = images.length === planned.images.length;
    if (isComplete || loader.options.purpose === 'evaluate') return { images, problems, group };
  }
  throw noneReadable(loader.dataset, problems);
};

function* groupsFrom(survey: Survey, first: number): Generator<number, void, undefined> {
  yield first;
  for (const group of survey.groups()) if (group !== first) yield group;
}

/** The values of all promises; of several errors always the first in their order. */
const inOrder = async <Value>(promises: readonly Promise<Value>[]): Promise<Value[]> => {
  await Promise.allSettled(promises);
  const values: Value[] = [];
  for (const promise of promises) values.push(await promise);
  return values;
};

/** An image, or what takes its place in training: one picture, or none when there is none left to try. */
const findImage = async (
  loader: Loader,
  image: number,
  group: number,
  epoch: number,
): Promise<Found<readonly FoundImage[]>> => {
  const { survey, options } = loader;
  const { seed = 0, purpose = 'train', onProblem = purpose === 'train' ? 'skip' : 'strict' } = options;
  const problems: Problem[] = [];
  const others =
    purpose === 'train'
      ? replacements(survey, image, group, mixSeeds(seed, epoch, survey.usable[image]!))
      : [];
  const own = survey.groupOf(image) === group ? [image] : [];
  for (const candidates of [own, others])
    for (const candidate of candidates) {
      const index = survey.usable[candidate]!;
      const source = sourceOf(loader.dataset, index);
      const outcome = await prepare(loader, source, mixSeeds(seed, epoch, index));
      if ('value' in outcome) {
        const { width, height, annotations } = outcome.value;
        const { record } = source;
        return { images: [{ index, record, width, height, annotations, picture: outcome.value }], problems };
      }
      if (onProblem === 'strict') throw errorOf(outcome.failure);
      problems.push(outcome.failure.problem);
    }
  return { images: [], problems };
};

const sourceOf = (dataset: Dataset, index: number): PictureSource => {
  const record = dataset.record(index);
  const annotations = record.annotations.filter(isTrainable);
  return { index, record: { ...record, annotations }, location: dataset.locate?.(index) };
};

const prepare = async (
  { dataset, options, reader }: Loader,
  source: PictureSource,
  key: number,
): ReturnType<PictureReader['prepare']> => {
  const { steps = [], transform } = options;
  const companions = companionIndices(steps, key, dataset.length).map((index) => sourceOf(dataset, index));
  const outcome = await reader.prepare({ source, companions, key, wantsPixels: transform !== undefined });
  if ('failure' in outcome || transform === undefined) return outcome;
  const { width, height, annotations, pixels } = outcome.value;
  const sample = { ...source.record, width, height, annotations, pixels: pixels! };
  return { value: preparedPicture(transform(sample, key), key) };
};

/**
 * The error of a stream that finds no picture it can read.
 */
export const noneReadable = ({ name }: Dataset, problems: readonly Problem[]): DatasetError => {
  const last = problems.at(-1);
  return new DatasetError(
    `batches(${name}): needs pictures that can be read, got ${problems.length} that cannot, the last one with "${last?.message.replace(/\.$/, '')}". Check the folder of the pictures.`,
    last === undefined ? {} : { file: last.file },
  );
};
