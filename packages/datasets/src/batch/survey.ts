// What planning has to know of the images, read from the records once: which can be used, and which go together.
import { isTrainable } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { ImageSize } from '../transforms/size.ts';
import type { Dataset, ImageRecord } from '../types.ts';
import { bucketOf, byArea, chooseBuckets } from './buckets.ts';
import type { PlanOptions } from './plan.ts';

/** Padded sizes that are known before anything is decoded. */
export interface BucketOptions {
  /** The padded sizes that may occur: given, or the best `mostShapes` ones for the images of the dataset. Without buckets a batch is as large as its images need. */
  readonly buckets?: { readonly sizes: readonly (readonly [width: number, height: number])[] } | MostShapes;
  /**
   * 'image' unless told otherwise: every batch is of images of one bucket, known before they are read. 'batch': images are
   * not grouped by bucket, and a batch has the smallest bucket that holds all of them as they came, for steps that draw sizes.
   */
  readonly bucketBy?: 'image' | 'batch';
  /** The size that an image has after `steps` and `transform`, or the largest it can have, for choosing its bucket; its own unless told otherwise. */
  readonly sizeInBatch?: (image: ImageSize) => ImageSize;
  /** Both sides of padded images are multiples of this; 32 unless told otherwise. */
  readonly padMultiple?: number;
}

/** Buckets that are chosen from the sizes of the images. */
export interface MostShapes {
  readonly mostShapes: number;
}

/** The images of a dataset as columns. */
export interface Survey {
  /** Indices of the images that take part, ascending. */
  readonly usable: Uint32Array;
  /** Images of different groups are never in one batch; images by their place in `usable`. */
  groupOf(image: number): number;
  /** The padded sizes that batches of a group may have, ascending by area, where there are buckets. */
  bucketsOf(group: number): readonly ImageSize[] | undefined;
  /** All groups, ascending. */
  groups(): readonly number[];
}

/**
 * What planning needs of the images of a dataset; records are read one after the other, and none is kept.
 *
 * Throws   DatasetError when no image is usable, or a usable one fits no bucket
 */
export const surveyImages = (dataset: Dataset, options: PlanOptions): Survey => {
  const { usable, sizes } = scan(dataset, options);
  if (sizes === undefined || usable.length === 0)
    return { usable, groupOf: () => 0, bucketsOf: () => undefined, groups: () => [0] };
  const { buckets, bucketOfSize } = bucketsFor(dataset, sizes, options);
  const isByBatch = options.bucketBy === 'batch';
  const groups = sizes.number.map((size) => {
    const { width, height } = sizes.different[size]!;
    const isPortrait = options.groupByAspect === true && height > width;
    return 2 * (isByBatch ? 0 : bucketOfSize[size]!) + (isPortrait ? 1 : 0);
  });
  return {
    usable,
    groupOf: (image) => groups[image]!,
    bucketsOf: (group) => (isByBatch ? buckets : buckets?.slice(group >>> 1, (group >>> 1) + 1)),
    groups: () => [...new Set(groups)].sort((a, b) => a - b),
  };
};

/** The different sizes of the usable images as they are on disk. */
interface Sizes {
  readonly different: readonly ImageSize[];
  readonly counts: readonly number[];
  /** The first image of each size, by its index in the dataset. */
  readonly first: readonly number[];
  /** Which of the sizes each usable image has. */
  readonly number: Uint32Array;
}

/** One pass over the records; sizes only where images are grouped by them. */
const scan = (
  dataset: Dataset,
  options: PlanOptions,
): { readonly usable: Uint32Array; readonly sizes: Sizes | undefined } => {
  const { purpose = 'train', minImageSide = 32, groupByAspect = false, buckets } = options;
  const hasGroups = groupByAspect || buckets !== undefined;
  const usable = new Uint32Array(dataset.length);
  if (purpose === 'evaluate' && !hasGroups)
    return { usable: usable.map((_, index) => index), sizes: undefined };
  const number = new Uint32Array(hasGroups ? dataset.length : 0);
  const sizes = sizeList();
  let count = 0;
  for (let index = 0; index < dataset.length; index++) {
    const record = dataset.record(index);
    if (purpose === 'train' && !isUsable(record, minImageSide)) continue;
    usable[count] = index;
    if (hasGroups) number[count] = sizes.add(record, index);
    count += 1;
  }
  if (purpose === 'train' && count === 0) throw noneUsable(dataset, minImageSide);
  const ofUsable = { ...sizes.list, number: number.subarray(0, count) };
  return { usable: usable.slice(0, count), sizes: hasGroups ? ofUsable : undefined };
};

const isUsable = (record: ImageRecord, minImageSide: number): boolean =>
  Math.min(record.width, record.height) >= minImageSide && record.annotations.some(isTrainable);

const noneUsable = (dataset: Dataset, minImageSide: number): DatasetError =>
  new DatasetError(
    `batches(${dataset.name}): needs at least one image of ${minImageSide} px or more with a usable object, got ${dataset.length} images without. Check the annotations of this split.`,
    { file: dataset.name },
  );

/** A list of different sizes that tells the number of each size it is given. */
const sizeList = (): {
  readonly add: (size: ImageSize, index: number) => number;
  readonly list: Omit<Sizes, 'number'>;
} => {
  const known = new Map<number, number>();
  const list = { different: [] as ImageSize[], counts: [] as number[], first: [] as number[] };
  const add = ({ width, height }: ImageSize, index: number): number => {
    const key = width * 2 ** 26 + height;
    let found = known.get(key);
    if (found === undefined) {
      found = list.different.push({ width, height }) - 1;
      known.set(key, found);
      list.counts.push(0);
      list.first.push(index);
    }
    list.counts[found]! += 1;
    return found;
  };
  return { add, list };
};

const bucketsFor = (
  dataset: Dataset,
  sizes: Sizes,
  { buckets: wanted, padMultiple = 32, sizeInBatch = (size): ImageSize => size }: PlanOptions,
): { buckets: readonly ImageSize[] | undefined; bucketOfSize: Uint32Array } => {
  const bucketOfSize = new Uint32Array(sizes.different.length);
  if (wanted === undefined) return { buckets: undefined, bucketOfSize };
  const inBatch = sizes.different.map((size, i) => ({ ...sizeInBatch(size), count: sizes.counts[i]! }));
  const buckets =
    'sizes' in wanted
      ? givenBuckets(wanted.sizes, padMultiple)
      : chooseBuckets(inBatch, wanted.mostShapes, padMultiple);
  for (const [i, size] of inBatch.entries()) {
    const bucket = bucketOf(buckets, size);
    if (bucket < 0) throw fitsNone(dataset.record(sizes.first[i]!).file, size, buckets);
    bucketOfSize[i] = bucket;
  }
  return { buckets, bucketOfSize };
};

const givenBuckets = (
  sizes: readonly (readonly [width: number, height: number])[],
  multiple: number,
): readonly ImageSize[] => {
  for (const [width, height] of sizes)
    if (![width, height].every((side) => Number.isSafeInteger(side) && side > 0 && side % multiple === 0))
      throw new DatasetError(
        `batches(options): needs buckets whose sides are multiples of padMultiple = ${multiple}, got ${width}x${height}. Round the size up.`,
        { field: 'buckets' },
      );
  return byArea(sizes.map(([width, height]) => ({ width, height })));
};

/**
 * The error of an image that is larger than every bucket, or than its own.
 *
 * Example  throw fitsNone(sample.file, sample, [bucket])
 */
export const fitsNone = (
  file: string,
  { width, height }: ImageSize,
  buckets: readonly ImageSize[],
): DatasetError =>
  new DatasetError(
    `batches(${file}): needs an image of at most ${buckets.map((size) => `${size.width}x${size.height}`).join(' or ')}, got ${width}x${height}. Enlarge the bucket, or correct sizeInBatch.`,
    { file, field: 'buckets' },
  );
