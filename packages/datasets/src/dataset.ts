// What every dataset has in common: its iteration, the check of an index, and which objects count for training.
import { DatasetError } from './errors.ts';
import type { Annotation, ImageRecord, Sample } from './types.ts';

/**
 * The samples 0 .. length - 1, one after the other.
 */
export async function* iterateDataset(
  length: number,
  at: (index: number) => Promise<Sample>,
): AsyncGenerator<Sample, void, undefined> {
  for (let index = 0; index < length; index++) yield await at(index);
}

/**
 * The record at an index.
 *
 * Throws   DatasetError when the index is out of range
 */
export const recordAt = (label: string, records: readonly ImageRecord[], index: number): ImageRecord => {
  const record = records[index];
  if (record !== undefined) return record;
  throw new DatasetError(
    `at(${label}): needs an index from 0 to ${records.length - 1}, got ${index}. Stay below the length of the dataset.`,
    { field: 'index' },
  );
};

/**
 * True when the object is used as a target in training.
 *
 * Source   the COCO filter of the AutoAssign training recipe: no crowds, nothing ignored, area above 0, both sides at least 1 px
 * Example  record.annotations.filter(isTrainable)
 */
export const isTrainable = ({ isCrowd, isIgnored, area, size }: Annotation): boolean =>
  !isCrowd && !isIgnored && area > 0 && size[0] >= 1 && size[1] >= 1;
