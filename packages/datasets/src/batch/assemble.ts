// One batch as plain arrays: images padded to one size, objects padded to one number with a mask.
import { DatasetError } from '../errors.ts';
import type { Normalization } from '../transforms/normalize.ts';
import { type ImageSize, paddedSize } from '../transforms/size.ts';
import type { Annotation, ImageRecord } from '../types.ts';
import { bucketOf } from './buckets.ts';
import { fitsNone } from './survey.ts';

/** Plain arrays ready for a training step; N images, M padded objects, everything row-major. */
export interface Batch {
  /** Normalised pixels f32[N,3,H,W]; padding is 0. */
  readonly images: Float32Array;
  readonly imageShape: readonly [count: number, channels: 3, height: number, width: number];
  /** Boxes f32[N,M,4] as corners in pixels of the padded image; 0 where there is no object. */
  readonly boxes: Float32Array;
  /** Class numbers i32[N,M]; 0 where there is no object. */
  readonly labels: Int32Array;
  /** 1 where there is an object, u8[N,M]. */
  readonly valid: Uint8Array;
  /** M, the number of places for objects per image. */
  readonly objects: number;
  /** Which images of the dataset these are, N of them: those that could be read, and what took the place of others. */
  readonly indices: readonly number[];
  /** Image ids, N of them. */
  readonly ids: readonly number[];
  readonly files: readonly string[];
  /** Size of each image within its padding. */
  readonly sizes: readonly ImageSize[];
  /** Size of each image as it is on disk. */
  readonly originals: readonly ImageSize[];
  /** Factors from original to batch pixels; dividing a box by them brings it back. */
  readonly scales: readonly (readonly [x: number, y: number])[];
  readonly epoch: number;
  /** Number of this batch in its epoch, from 0; with shards in this process's part of it. */
  readonly position: number;
}

/** How samples become arrays of one shape. */
export interface AssembleOptions {
  readonly normalization: Normalization;
  /** Both sides of padded images are multiples of this; 32 unless told otherwise. */
  readonly padMultiple?: number;
  /** Exactly this many places for objects; otherwise the next multiple of `objectMultiple`. */
  readonly maxObjects?: number;
  /** 8 unless told otherwise: few shapes mean few compilations. */
  readonly objectMultiple?: number;
}

/** One image of a batch without its pixels. */
export interface BatchImage extends ImageSize {
  readonly index: number;
  /** The image as it is on disk. */
  readonly record: ImageRecord;
  readonly annotations: readonly Annotation[];
}

/**
 * The size that all images of a batch are padded to: of buckets, ascending by area, the first that holds them all.
 *
 * Throws   DatasetError naming the file of the first image that, with those before it, is larger than every bucket
 */
export const commonSize = (
  images: readonly BatchImage[],
  { padMultiple = 32 }: AssembleOptions,
  buckets: readonly ImageSize[] | undefined,
): ImageSize => {
  if (buckets === undefined) return paddedSize(largest(images), padMultiple);
  const bucket = buckets[bucketOf(buckets, largest(images))];
  if (bucket !== undefined) return bucket;
  const tooLarge = images.findIndex((_, i) => bucketOf(buckets, largest(images.slice(0, i + 1))) < 0);
  throw fitsNone(images[tooLarge]!.record.file, largest(images.slice(0, tooLarge + 1)), buckets);
};

const largest = (sizes: readonly ImageSize[]): ImageSize => ({
  width: Math.max(...sizes.map((size) => size.width)),
  height: Math.max(...sizes.map((size) => size.height)),
});

/**
 * Everything of a batch but its pixels.
 *
 * Units    pixels of the padded images
 * Throws   DatasetError naming the file when an image has more objects than `maxObjects`
 */
export const assemble = (
  images: readonly BatchImage[],
  padded: ImageSize,
  options: AssembleOptions,
  place: { readonly epoch: number; readonly position: number },
): Omit<Batch, 'images'> => ({
  imageShape: [images.length, 3, padded.height, padded.width],
  ...paddedObjects(images, options),
  indices: images.map(({ index }) => index),
  ids: images.map(({ record }) => record.id),
  files: images.map(({ record }) => record.file),
  sizes: images.map(sizeOf),
  originals: images.map(({ record }) => sizeOf(record)),
  scales: images.map(({ width, height, record }) => [width / record.width, height / record.height]),
  ...place,
});

const sizeOf = ({ width, height }: ImageSize): ImageSize => ({ width, height });

const paddedObjects = (
  images: readonly BatchImage[],
  { maxObjects, objectMultiple = 8 }: AssembleOptions,
): Pick<Batch, 'boxes' | 'labels' | 'valid' | 'objects'> => {
  const most = Math.max(...images.map((image) => image.annotations.length));
  const objects = maxObjects ?? Math.max(1, Math.ceil(most / objectMultiple)) * objectMultiple;
  const boxes = new Float32Array(images.length * objects * 4);
  const labels = new Int32Array(images.length * objects);
  const valid = new Uint8Array(images.length * objects);
  for (const [i, { annotations, record }] of images.entries()) {
    if (annotations.length > objects) throw tooMany(record.file, annotations.length, objects);
    for (const [j, { box, label }] of annotations.entries()) {
      const at = i * objects + j;
      boxes.set(box, at * 4);
      labels[at] = label;
      valid[at] = 1;
    }
  }
  return { boxes, labels, valid, objects };
};

const tooMany = (file: string, count: number, objects: number): DatasetError =>
  new DatasetError(
    `batches(${file}): needs at most maxObjects = ${objects} objects in an image, got ${count}. Raise maxObjects, or leave it out.`,
    { file, field: 'maxObjects' },
  );
