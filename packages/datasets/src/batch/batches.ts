// Batches as an async iterable: decoded ahead by a bounded number, in an order that can be resumed anywhere.
import { isTrainable } from '../dataset.ts';
import { mixSeeds } from '../random.ts';
import type { Dataset, Sample } from '../types.ts';
import { type AssembleOptions, assemble, type Batch } from './assemble.ts';
import { checkedPlan, checkInteger, type PlannedBatch, type PlanOptions, planEpoch } from './plan.ts';
import { type Survey, surveyImages } from './survey.ts';

/** Everything that decides which batches come and what is in them. */
export interface BatchOptions extends PlanOptions, AssembleOptions {
  /** The first epoch, from 0. */
  readonly epoch?: number;
  /** The first batch of the first epoch: what to pass to go on where an earlier run stopped. */
  readonly start?: number;
  /** How many epochs to give; Infinity for an endless stream. */
  readonly epochs?: number;
  /** A pure change of the sample, such as a resize; `key` is 32 random bits that depend on seed, epoch and image alone. */
  readonly transform?: (sample: Sample, key: number) => Sample;
  /** How many batches are prepared ahead; 2 unless told otherwise. */
  readonly prefetch?: number;
}

/**
 * The batches of one or more epochs, in order; reading is ahead of the consumer by at most `prefetch` batches.
 *
 * Shapes   images f32[N,3,H,W], boxes f32[N,M,4], labels i32[N,M], valid u8[N,M]
 * Units    boxes in pixels of the padded images
 * Throws   DatasetError when an option is wrong; while iterating, at the batch concerned, when an image cannot be read
 * Example  for await (const batch of batches(dataset, { batchSize: 4, normalization, seed: 0 })) await step(batch)
 */
export const batches = (dataset: Dataset, options: BatchOptions): AsyncIterable<Batch> => {
  const { epoch = 0, start = 0, epochs = 1, prefetch = 2 } = options;
  checkInteger('epoch', epoch, 0);
  checkInteger('start', start, 0);
  checkInteger('prefetch', prefetch, 0);
  if (epochs !== Number.POSITIVE_INFINITY) checkInteger('epochs', epochs, 0);
  checkInteger('padMultiple', options.padMultiple ?? 32, 1);
  checkInteger('maxObjects', options.maxObjects ?? 1, 1);
  checkInteger('objectMultiple', options.objectMultiple ?? 8, 1);
  const survey = surveyImages(checkedPlan(dataset, options), options);
  return { [Symbol.asyncIterator]: () => readAhead(tasks(dataset, survey, options), prefetch) };
};

/** One function per batch to come; calling it starts the reading. */
function* tasks(
  dataset: Dataset,
  survey: Survey,
  options: BatchOptions,
): Generator<() => Promise<Batch>, void, undefined> {
  const { epoch: first = 0, start = 0, epochs = 1 } = options;
  for (let epoch = first; epoch < first + epochs; epoch++) {
    const plan = planEpoch(survey, options, epoch);
    for (let position = epoch === first ? start : 0; position < plan.length; position++)
      yield () => loadBatch(dataset, plan.at(position), options, { epoch, position });
  }
}

async function* readAhead<Value>(
  pending: Iterator<() => Promise<Value>, void>,
  ahead: number,
): AsyncGenerator<Value, void, undefined> {
  const started: Promise<Value>[] = [];
  const topUp = (count: number): void => {
    while (started.length < count) {
      const next = pending.next();
      if (next.done === true) return;
      const promise = next.value();
      // A failure belongs to its own batch; until that is asked for, it must not count as unhandled.
      promise.catch(() => undefined);
      started.push(promise);
    }
  };
  topUp(Math.max(1, ahead));
  for (let current = started.shift(); current !== undefined; current = started.shift()) {
    const value = await current;
    topUp(ahead);
    yield value;
    topUp(1);
  }
}

const loadBatch = async (
  dataset: Dataset,
  { indices, bucket }: PlannedBatch,
  options: BatchOptions,
  place: { readonly epoch: number; readonly position: number },
): Promise<Batch> => {
  const { transform = (sample: Sample): Sample => sample, seed = 0 } = options;
  const load = async (index: number): Promise<Sample> => {
    const sample = await dataset.at(index);
    const targets = { ...sample, annotations: sample.annotations.filter(isTrainable) };
    return transform(targets, mixSeeds(seed, place.epoch, index));
  };
  const samples = await Promise.all(indices.map(load));
  const records = indices.map((index) => dataset.record(index));
  return assemble(samples, records, { ...options, bucket }, place);
};
