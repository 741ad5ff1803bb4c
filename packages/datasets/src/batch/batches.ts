// Batches as an async iterable: prepared ahead by a bounded number, in an order that can be resumed anywhere.
import { platform } from '#platform';
import { DatasetError } from '../errors.ts';
import type { Dataset, Problem } from '../types.ts';
import type { Batch } from './assemble.ts';
import { type LoadedBatch, type Loader, type LoadOptions, loadBatch, noneReadable } from './load.ts';
import { batchMemory } from './memory.ts';
import { checkedPlan, checkInteger, planEpoch } from './plan.ts';
import { type PictureReader, type ReadingRules, readHere } from './reader.ts';
import { type Survey, surveyImages } from './survey.ts';

/** Everything that decides which batches come and what is in them. */
export interface BatchOptions extends LoadOptions {
  /** The first epoch, from 0. */
  readonly epoch?: number;
  /** The first batch of the first epoch: what to pass to go on where an earlier run stopped. */
  readonly start?: number;
  /** How many epochs to give; Infinity for an endless stream. */
  readonly epochs?: number;
  /** How many batches are prepared ahead; 2 unless told otherwise. */
  readonly prefetch?: number;
  /**
   * How many worker threads read, decode, change and normalise pictures; with 0 the calling thread does. The batches are
   * the same, bit for bit. Unless told otherwise one for every processor in Node, at most 8, and 0 in browsers, which
   * decode on threads of their own, and with a `transform`, which would leave little to do for threads.
   * Only for datasets with `locate`: others are read by the calling thread, and `BatchStream.workers` says so.
   */
  readonly workers?: number;
  /**
   * Whose memory the images of a batch are in. 'own' unless told otherwise: that of the batch, for as long as it is kept.
   * 'lent': memory that is used again once the next batch has been asked for; with two threads large images come 1.8
   * times as fast, because new memory costs about as much as decoding them. It is shared memory where there are worker threads.
   */
  readonly memory?: 'own' | 'lent';
  /** Told about every picture that could not be read under 'skip', when the batch concerned is given. */
  readonly report?: (problem: Problem) => void;
  /** Ends the reading: what waits for a batch then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Batches to come; every iteration of it begins anew. */
export interface BatchStream extends AsyncIterable<Batch> {
  /** How many batches an epoch has; with shards, this rank of it. */
  readonly batchesPerEpoch: number;
  /** How many worker threads every iteration starts. */
  readonly workers: number;
}

/**
 * The batches of one or more epochs, in order; reading is ahead of the consumer by at most `prefetch` batches.
 *
 * Shapes   images f32[N,3,H,W], boxes f32[N,M,4], labels i32[N,M], valid u8[N,M]
 * Units    boxes in pixels of the padded images
 * Throws   DatasetError when an option is wrong; while iterating, at the batch concerned, under 'strict' when a picture
 *          cannot be used, under 'skip' when none can; and when a worker thread ends, naming the picture it was reading
 * Example  for await (const batch of batches(dataset, { batchSize: 4, normalization, seed: 0 })) await step(batch)
 */
export const batches = (dataset: Dataset, options: BatchOptions): BatchStream => {
  checkOptions(options);
  const survey = surveyImages(checkedPlan(dataset, options), options);
  const batchesPerEpoch = planEpoch(survey, { ...options, shuffle: false }, 0).length;
  if (options.epochs === Number.POSITIVE_INFINITY && batchesPerEpoch === 0) throw endless(dataset, survey);
  const workers = dataset.locate === undefined ? 0 : (options.workers ?? usualWorkers(options));
  return {
    batchesPerEpoch,
    workers,
    [Symbol.asyncIterator]: () => batchesOf(dataset, survey, options, workers),
  };
};

const checkOptions = (options: BatchOptions): void => {
  const { epoch = 0, start = 0, epochs = 1, prefetch = 2, workers = 0 } = options;
  checkInteger('epoch', epoch, 0);
  checkInteger('start', start, 0);
  checkInteger('prefetch', prefetch, 0);
  checkInteger('workers', workers, 0);
  if (epochs !== Number.POSITIVE_INFINITY) checkInteger('epochs', epochs, 0);
  checkInteger('padMultiple', options.padMultiple ?? 32, 1);
  checkInteger('maxObjects', options.maxObjects ?? 1, 1);
  checkInteger('objectMultiple', options.objectMultiple ?? 8, 1);
};

const endless = ({ name }: Dataset, { usable }: Survey): DatasetError =>
  new DatasetError(
    `batches(${name}): needs at least one batch in an epoch for an endless stream, got ${usable.length} images. Use smaller batches, fewer shards, or last: 'keep'.`,
    { file: name, field: 'epochs' },
  );

const usualWorkers = ({ transform }: BatchOptions): number =>
  transform === undefined ? platform.usualThreads() : 0;

async function* batchesOf(
  dataset: Dataset,
  survey: Survey,
  options: BatchOptions,
  workers: number,
): AsyncGenerator<Batch, void, undefined> {
  options.signal?.throwIfAborted();
  const { steps = [], normalization, memory = 'own' } = options;
  const rules: ReadingRules = { steps, normalization, maxPixels: dataset.maxPixels };
  const reader = workers > 0 ? platform.startThreads(workers, rules) : readHere(dataset, rules);
  const handOver = memory === 'lent' ? 'lend' : workers > 0 ? 'copy' : 'give';
  const loader: Loader = { dataset, survey, options, reader, memory: batchMemory(workers > 0), handOver };
  try {
    yield* readAhead(loader, options);
  } finally {
    await reader.end();
  }
}

async function* readAhead(loader: Loader, options: BatchOptions): AsyncGenerator<Batch, void, undefined> {
  const { prefetch = 2, report = (): void => undefined, signal } = options;
  const pending = tasks(loader, options);
  const started: Promise<LoadedBatch>[] = [];
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
  let given = 0;
  const unreadable: Problem[] = [];
  topUp(Math.max(1, prefetch));
  for (let current = started.shift(); current !== undefined; current = started.shift()) {
    const { batch, problems, release } = await held(loader.reader, unlessAborted(current, signal));
    topUp(prefetch);
    for (const problem of problems) report(problem);
    if (batch === undefined) unreadable.push(...problems);
    else {
      given += 1;
      yield batch;
    }
    release();
    topUp(1);
  }
  if (given === 0 && unreadable.length > 0) throw noneReadable(loader.dataset, unreadable);
}

/** The value of a promise; until then the process has something to wait for. */
const held = async <Value>(reader: PictureReader, promise: Promise<Value>): Promise<Value> => {
  reader.hold(true);
  try {
    return await promise;
  } finally {
    reader.hold(false);
  }
};

/** The value of a promise, or the signal's reason if that comes first; the signal keeps nothing of it. */
const unlessAborted = <Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> => {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
};

/** One function per batch to come; calling it starts the reading. */
function* tasks(
  loader: Loader,
  options: BatchOptions,
): Generator<() => Promise<LoadedBatch>, void, undefined> {
  const { epoch: first = 0, start = 0, epochs = 1 } = options;
  for (let epoch = first; epoch < first + epochs; epoch++) {
    const plan = planEpoch(loader.survey, options, epoch);
    for (let position = epoch === first ? start : 0; position < plan.length; position++)
      yield () => loadBatch(loader, plan.at(position), { epoch, position });
  }
}
