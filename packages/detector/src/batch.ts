// What training and prediction read of a batch: plain arrays, however they were made.
import type { Tensor } from '@autoassign/tensor';
import { ShapeError, sentence, tensor } from '@autoassign/tensor';

/** Images of one size with their objects padded to one number, as plain arrays, row-major. */
export interface TrainingBatch {
  /** Normalised pixels f32[N,3,H,W]; padding is 0. */
  readonly images: Float32Array;
  readonly imageShape: readonly [count: number, channels: number, height: number, width: number];
  /** Boxes f32[N,M,4] as corners in pixels of the padded image. */
  readonly boxes: Float32Array;
  /** Class numbers i32[N,M]. */
  readonly labels: Int32Array;
  /** 1 where there is an object, else 0: u8[N,M]. */
  readonly valid: Uint8Array;
  /** M, the number of places for objects per image. */
  readonly objects: number;
  /** Which files the images came from, for messages. */
  readonly files?: readonly string[];
  /** Where the batch stands in the data: epoch, and number within it, from 0. */
  readonly epoch?: number;
  readonly position?: number;
}

/** A batch as tensors: images f32[N,3,H,W], boxes f32[N,M,4], labels i32[N,M], valid bool[N,M]. */
export type BatchTensors = {
  readonly images: Tensor;
  readonly boxes: Tensor;
  readonly labels: Tensor;
  readonly valid: Tensor;
};

/**
 * The tensors of a batch.
 *
 * Throws   ShapeError naming the array that does not have the length its shape needs
 */
export const batchTensors = (batch: TrainingBatch): BatchTensors => {
  const { imageShape, objects } = batch;
  const count = imageShape[0];
  const shaped = (
    name: 'images' | 'boxes' | 'labels' | 'valid',
    shape: readonly number[],
    dtype: 'f32' | 'i32' | 'bool',
  ): Tensor => {
    const size = shape.reduce((product, n) => product * n, 1);
    if (batch[name].length !== size) throw new ShapeError(lengthMessage(name, size, batch[name].length));
    return tensor(batch[name], { shape, dtype });
  };
  return {
    images: shaped('images', imageShape, 'f32'),
    boxes: shaped('boxes', [count, objects, 4], 'f32'),
    labels: shaped('labels', [count, objects], 'i32'),
    valid: shaped('valid', [count, objects], 'bool'),
  };
};

const lengthMessage = (name: string, size: number, length: number): string =>
  sentence({
    where: 'batchTensors',
    label: name,
    needs: `${size} values for imageShape and objects`,
    got: `${length}`,
    advice: 'Make the batch anew.',
  });
