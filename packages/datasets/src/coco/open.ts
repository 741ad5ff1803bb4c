// Opens a COCO folder as a dataset: annotations at once, images decoded on demand.
import type { Dataset, FileSource, OpenOptions } from '../types.ts';
import { type CocoLayoutOptions, cocoNaming } from './layout.ts';
import { type AnnotatedFormat, openAnnotated } from './openAnnotated.ts';
import { cocoPlaces } from './pictures.ts';

const coco: AnnotatedFormat = {
  label: 'openCoco',
  format: 'coco',
  extras: [],
  naming: cocoNaming,
  places: ({ path, split }, images) => cocoPlaces(path, split, images),
};

/**
 * The images and annotations of a COCO folder, or of one annotation file given by its path; the file may be of any size.
 *
 * Units    boxes as corners in pixels; labels count the categories by ascending id
 * Throws   DatasetError, naming file and place, for a file that cannot be read, is malformed, or has no images or categories.
 *          Entries that are wrong, boxes that mean nothing and images without a picture are left out and listed in `report`;
 *          under `onProblem: 'strict'` the first of them is thrown
 * Example  const dataset = await openCoco('data/cells', { split: 'train' })
 */
export const openCoco = (
  folder: string | FileSource,
  options: CocoLayoutOptions & OpenOptions = {},
): Promise<Dataset> => openAnnotated(folder, options, coco);
