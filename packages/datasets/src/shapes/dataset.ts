// The shapes dataset in memory: nothing on disk, each image painted when it is asked for.
import { checkIndex, iterateDataset } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { Annotation, Dataset, ImageRecord } from '../types.ts';
import { layoutOf, type ShapesLayout, shapesImageSize } from './layout.ts';
import { shapeClasses } from './outlines.ts';
import { paintLayout } from './paint.ts';

/** The splits of the shapes dataset; their images never coincide. */
export type ShapesSplit = 'train' | 'validation';

/** Index of the first image of each split in the stream of images of a seed. */
const firstIndex: Readonly<Record<ShapesSplit, number>> = { train: 0, validation: 900_000 };

/** How many shapes images, and which. */
export interface ShapesOptions {
  readonly length: number;
  readonly split?: ShapesSplit;
  readonly seed?: number;
}

/**
 * The procedural dataset of eight coloured outlines on texture, the same bits for the same options.
 *
 * Units    128 x 128 pixels; boxes are the tight ones of the visible parts
 * Throws   DatasetError when `length` is no positive integer, or so large that the splits would meet
 * Example  const dataset = shapes({ length: 200, split: 'validation' })
 */
export const shapes = ({ length, split = 'train', seed = 0 }: ShapesOptions): Dataset => {
  checkCount('shapes', 'length', length, 1);
  const layouts = Array.from({ length }, (_, i) => layoutOf(seed, imageIndex(split, i)));
  const records = layouts.map((layout, position) => recordOf(split, position, layout));
  const record = (index: number): ImageRecord => {
    checkIndex('shapes', length, index);
    return records[index]!;
  };
  const at: Dataset['at'] = async (index) => {
    const found = record(index);
    const data = paintLayout(layouts[index]!, seed, imageIndex(split, index));
    return { ...found, pixels: { width: shapesImageSize, height: shapesImageSize, channels: 3, data } };
  };
  const objects = records.reduce((sum, record) => sum + record.annotations.length, 0);
  const imagesWithoutObjects = records.filter((record) => record.annotations.length === 0).length;
  return {
    name: `shapes (${split})`,
    format: 'made',
    length,
    classes: shapeClasses,
    categoryIds: shapeClasses.map((_, label) => label + 1),
    report: { images: length, objects, crowds: 0, imagesWithoutObjects, problems: [], problemCounts: {} },
    record,
    at,
    [Symbol.asyncIterator]: () => iterateDataset(length, at),
  };
};

/** The index of a split's image in the stream of images of a seed. */
export const imageIndex = (split: ShapesSplit, position: number): number => firstIndex[split] + position;

/**
 * The record of a split's image; ids count from 1, and annotation ids leave room for every object an image may have.
 */
export const recordOf = (split: ShapesSplit, position: number, layout: ShapesLayout): ImageRecord => ({
  id: position + 1,
  file: `${split}-${String(position).padStart(6, '0')}.jpg`,
  width: shapesImageSize,
  height: shapesImageSize,
  annotations: layout.boxes.map((box, object): Annotation => {
    const size = [box[2] - box[0], box[3] - box[1]] as const;
    return {
      id: position * 10 + object + 1,
      box,
      size,
      label: layout.shapes[object]!.placement.label,
      area: size[0] * size[1],
      isCrowd: false,
      isIgnored: false,
      isDifficult: false,
      isTruncated: false,
    };
  }),
});

/**
 * Nothing, when the number of images is one that can be drawn.
 *
 * Throws   DatasetError when a number of images is no integer between `minimum` and the distance of the splits
 */
export const checkCount = (label: string, field: string, count: number, minimum: number): void => {
  if (Number.isSafeInteger(count) && count >= minimum && count <= firstIndex.validation) return;
  throw new DatasetError(
    `shapes(${label}): needs ${field} to be an integer from ${minimum} to ${firstIndex.validation}, got ${count}. Choose another number of images.`,
    { field },
  );
};
