// Which images make up which batch: a pure function of the dataset's records, the options, the seed and the epoch.
import { DatasetError } from '../errors.ts';
import { shuffledIndices } from '../random.ts';
import type { Dataset } from '../types.ts';
import { type BucketOptions, type Survey, surveyImages } from './survey.ts';

/** How images are chosen, ordered and grouped. */
export interface PlanOptions extends BucketOptions {
  readonly batchSize: number;
  /** 'train' leaves out images without usable objects and those below `minImageSide`; 'evaluate' takes every image. Targets are usable objects either way. */
  readonly purpose?: 'train' | 'evaluate';
  /** Whether the order changes with every epoch; otherwise it is the dataset's own. On by default for training. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  /** Whether landscape and portrait images go into separate batches, which saves padding. */
  readonly groupByAspect?: boolean;
  /** Whether the last batches, smaller than the rest, are kept; with shards also what happens to batches beyond a multiple of them. */
  readonly last?: 'keep' | 'drop';
  /** Training images with a shorter side are left out, in pixels; 32 unless told otherwise. */
  readonly minImageSide?: number;
  /** This process's part of every epoch, when several share the work. */
  readonly shard?: Shard;
}

/**
 * One of `size` processes, counted from 0: it takes batches rank, rank + size, … of the epoch's plan, so that all
 * together have exactly the plan. In training all have equally many: those that are missing at the end are repeated from
 * the beginning of the plan with `last: 'keep'`, and those in excess left out with 'drop', as PyTorch's
 * DistributedSampler does with images. For evaluation nothing is repeated, since no image may count twice: some
 * processes have one batch less.
 */
export interface Shard {
  readonly rank: number;
  readonly size: number;
}

/** The batches of one epoch, kept as columns. */
export interface EpochPlan {
  /** Number of batches. */
  readonly length: number;
  at(position: number): PlannedBatch;
}

/** One batch to come. */
export interface PlannedBatch {
  /** The images by their places in `Survey.usable`. */
  readonly images: Uint32Array;
  /** The group that all of them belong to. */
  readonly group: number;
}

/**
 * The image indices of every batch of one epoch; each usable image occurs once.
 *
 * Throws   DatasetError when no image is usable, or an option is wrong
 * Example  planBatches(dataset, { batchSize: 16, seed: 0 }, 3).length // batches in epoch 3
 */
export const planBatches = (dataset: Dataset, options: PlanOptions, epoch: number): number[][] => {
  const survey = surveyImages(checkedPlan(dataset, options), options);
  const plan = planEpoch(survey, options, epoch);
  const indicesAt = (position: number): number[] =>
    Array.from(plan.at(position).images, (image) => survey.usable[image]!);
  return Array.from({ length: plan.length }, (_, position) => indicesAt(position));
};

/**
 * The dataset, when the options can be used to plan its batches.
 *
 * Throws   DatasetError naming the option that is wrong
 */
export const checkedPlan = (dataset: Dataset, options: PlanOptions): Dataset => {
  checkInteger('batchSize', options.batchSize, 1);
  const { rank, size } = options.shard ?? { rank: 0, size: 1 };
  checkInteger('shard.size', size, 1);
  checkInteger('shard.rank', rank, 0);
  if (rank < size) return dataset;
  throw new DatasetError(
    `batches(options): needs shard.rank to be below shard.size = ${size}, got ${rank}. Count processes from 0.`,
    { field: 'shard' },
  );
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

/**
 * The plan of one epoch for the images of a survey.
 *
 * Throws   DatasetError when `epoch` is no integer from 0
 */
export const planEpoch = (survey: Survey, options: PlanOptions, epoch: number): EpochPlan => {
  checkInteger('epoch', epoch, 0);
  const { purpose = 'train', shuffle = purpose === 'train', seed = 0 } = options;
  const order = shuffle ? shuffledIndices(survey.usable.length, seed, epoch) : undefined;
  const packed = pack(survey, order, options);
  const total = packed.ends.length;
  return {
    length: batchesOfShard(total, options),
    at: (position) => {
      const { rank, size } = options.shard ?? { rank: 0, size: 1 };
      const batch = (rank + position * size) % total;
      const images = packed.images.subarray(batch === 0 ? 0 : packed.ends[batch - 1], packed.ends[batch]);
      return {
        images,
        group: survey.groupOf(images[0]!),
      };
    },
  };
};

const batchesOfShard = (total: number, { shard, purpose, last = 'keep' }: PlanOptions): number => {
  const { rank, size } = shard ?? { rank: 0, size: 1 };
  if (last === 'drop') return Math.floor(total / size);
  // For evaluation the ranks in front have one more.
  return Math.ceil((purpose === 'evaluate' ? Math.max(0, total - rank) : total) / size);
};

/** All batches one after the other: positions in `Survey.usable`, and where each batch ends. */
interface Packed {
  readonly images: Uint32Array;
  readonly ends: Uint32Array;
}

/** Cuts the order into batches that do not mix groups; a batch takes its place when it is full, leftovers come last. */
const pack = (survey: Survey, order: Uint32Array | undefined, options: PlanOptions): Packed => {
  const { batchSize } = options;
  const count = survey.usable.length;
  const images = new Uint32Array(count);
  const ends: number[] = [];
  const open = new Map<number, { readonly images: Uint32Array; count: number }>();
  let at = 0;
  const close = (batch: Uint32Array): void => {
    images.set(batch, at);
    at += batch.length;
    ends.push(at);
  };
  for (let i = 0; i < count; i++) {
    const image = order?.[i] ?? i;
    const group = survey.groupOf(image);
    const batch = open.get(group) ?? { images: new Uint32Array(Math.min(batchSize, count)), count: 0 };
    open.set(group, batch);
    batch.images[batch.count++] = image;
    if (batch.count < batchSize) continue;
    close(batch.images);
    batch.count = 0;
  }
  if (options.last !== 'drop')
    for (const batch of open.values()) if (batch.count > 0) close(batch.images.subarray(0, batch.count));
  return { images: images.subarray(0, at), ends: Uint32Array.from(ends) };
};
