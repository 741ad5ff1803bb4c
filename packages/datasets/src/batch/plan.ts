// Which images make up which batch: a pure function of the dataset's records, the options, the seed and the epoch.
import { isTrainable } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { shuffledIndices } from '../random.ts';
import type { Dataset, ImageRecord } from '../types.ts';

/** How images are chosen, ordered and grouped. */
export interface PlanOptions {
  readonly batchSize: number;
  /** 'train' leaves out images without usable objects and those below `minImageSide`; 'evaluate' takes every image. Targets are usable objects either way. */
  readonly purpose?: 'train' | 'evaluate';
  /** Whether the order changes with every epoch; otherwise it is the dataset's own. On by default for training. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  /** Whether landscape and portrait images go into separate batches, which saves padding. */
  readonly groupByAspect?: boolean;
  /** Whether the last batches, smaller than the rest, are kept. */
  readonly last?: 'keep' | 'drop';
  /** Training images with a shorter side are left out, in pixels; 32 unless told otherwise. */
  readonly minImageSide?: number;
}

/**
 * The image indices of every batch of one epoch; each usable image occurs once.
 *
 * Throws   DatasetError when no image is usable, or the batch size is no positive integer
 * Example  planBatches(dataset, { batchSize: 16, seed: 0 }, 3).length // batches in epoch 3
 */
export const planBatches = (dataset: Dataset, options: PlanOptions, epoch: number): number[][] => {
  const { batchSize, purpose = 'train', shuffle = purpose === 'train', seed = 0, last = 'keep' } = options;
  checkInteger('batchSize', batchSize, 1);
  checkInteger('epoch', epoch, 0);
  const usable = usableImages(dataset, options);
  const order = shuffle ? shuffledIndices(usable.length, seed, epoch).map((i) => usable[i]!) : usable;
  const batches = options.groupByAspect
    ? inGroups(order, batchSize, (index) => isPortrait(dataset.record(index)))
    : inGroups(order, batchSize, () => false);
  return last === 'drop' ? batches.filter((batch) => batch.length === batchSize) : batches;
};

/**
 * Nothing, when the option is an integer that can be used.
 *
 * Throws   DatasetError when an option is no integer of at least `minimum`
 */
export const checkInteger = (field: string, value: number, minimum: number): void => {
  if (Number.isSafeInteger(value) && value >= minimum) return;
  throw new DatasetError(
    `batches(options): needs ${field} to be an integer of at least ${minimum}, got ${value}. Correct the option.`,
    { field },
  );
};

const usableImages = (dataset: Dataset, options: PlanOptions): number[] => {
  const all = Array.from({ length: dataset.length }, (_, i) => i);
  if (options.purpose === 'evaluate') return all;
  const { minImageSide = 32 } = options;
  const usable = all.filter((index) => isUsable(dataset.record(index), minImageSide));
  if (usable.length > 0) return usable;
  throw new DatasetError(
    `batches(${dataset.name}): needs at least one image of ${minImageSide} px or more with a usable object, got ${dataset.length} images without. Check the annotations of this split.`,
    { file: dataset.name },
  );
};

const isUsable = (record: ImageRecord, minImageSide: number): boolean =>
  Math.min(record.width, record.height) >= minImageSide && record.annotations.some(isTrainable);

const isPortrait = (record: ImageRecord): boolean => record.height > record.width;

/** Cuts the order into batches that do not mix groups; a batch takes its place when it is full, leftovers come last. */
const inGroups = (
  order: readonly number[],
  batchSize: number,
  groupOf: (index: number) => boolean,
): number[][] => {
  const full: number[][] = [];
  const open = new Map<boolean, number[]>();
  for (const index of order) {
    const group = groupOf(index);
    const batch = [...(open.get(group) ?? []), index];
    if (batch.length === batchSize) full.push(batch);
    open.set(group, batch.length === batchSize ? [] : batch);
  }
  return [...full, ...[...open.values()].filter((batch) => batch.length > 0)];
};
