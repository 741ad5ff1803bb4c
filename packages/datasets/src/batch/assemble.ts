// One batch from its samples: images normalised and padded to one size, objects padded to one number with a mask.
import { DatasetError } from '../errors.ts';
import { type Normalization, normalize } from '../transforms/normalize.ts';
import { type ImageSize, paddedSize } from '../transforms/size.ts';
import type { ImageRecord, Sample } from '../types.ts';

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
  /** Number of this batch in its epoch, from 0. */
  readonly position: number;
}

/** How samples become arrays of one shape. */
export interface AssembleOptions {
  readonly normalization: Normalization;
  /** Both image sides are padded to multiples of this; 32 unless told otherwise. */
  readonly padMultiple?: number;
  /** Exactly this many places for objects; otherwise the next multiple of `objectMultiple`. */
  readonly maxObjects?: number;
  /** 8 unless told otherwise: few shapes mean few compilations. */
  readonly objectMultiple?: number;
}

/**
 * The batch of some samples; `records` are the same images before any transform.
 *
 * Units    pixels of the padded images
 * Throws   DatasetError naming the file when an image has more objects than `maxObjects`
 */
export const assemble = (
  samples: readonly Sample[],
  records: readonly ImageRecord[],
  options: AssembleOptions,
  place: { readonly epoch: number; readonly position: number },
): Batch => {
  const { padMultiple = 32, normalization } = options;
  const count = samples.length;
  const { width, height } = paddedSize(largest(samples), padMultiple);
  const plane = 3 * width * height;
  const images = new Float32Array(count * plane);
  for (const [i, { pixels }] of samples.entries())
    normalize(pixels, normalization, { width, height }, images.subarray(i * plane, (i + 1) * plane));
  return {
    images,
    imageShape: [count, 3, height, width],
    ...paddedObjects(samples, options),
    ids: samples.map((sample) => sample.id),
    files: samples.map((sample) => sample.file),
    sizes: samples.map(sizeOf),
    originals: records.map(sizeOf),
    scales: samples.map(({ width: w, height: h }, i) => [w / records[i]!.width, h / records[i]!.height]),
    ...place,
  };
};

const sizeOf = ({ width, height }: ImageSize): ImageSize => ({ width, height });

const largest = (sizes: readonly ImageSize[]): ImageSize => ({
  width: Math.max(...sizes.map((size) => size.width)),
  height: Math.max(...sizes.map((size) => size.height)),
});

const paddedObjects = (
  samples: readonly Sample[],
  { maxObjects, objectMultiple = 8 }: AssembleOptions,
): Pick<Batch, 'boxes' | 'labels' | 'valid' | 'objects'> => {
  const most = Math.max(...samples.map((sample) => sample.annotations.length));
  const objects = maxObjects ?? Math.max(1, Math.ceil(most / objectMultiple)) * objectMultiple;
  const boxes = new Float32Array(samples.length * objects * 4);
  const labels = new Int32Array(samples.length * objects);
  const valid = new Uint8Array(samples.length * objects);
  for (const [i, { annotations, file }] of samples.entries()) {
    if (annotations.length > objects) throw tooMany(file, annotations.length, objects);
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
