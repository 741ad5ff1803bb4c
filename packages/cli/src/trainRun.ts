// A training run in its folder: the steps with their log and checkpoints, the evaluations between them, the results at the end.
import { join } from 'node:path';
import type { Batch } from '@autoassign/datasets';
import type { DoneEvent, Params } from '@autoassign/detector';
import { averagedParams, train } from '@autoassign/detector';
import { writeFileAtomic } from './atomicFile.ts';
import { pictureThreads } from './engine.ts';
import type { Measured } from './evaluation.ts';
import { formatScores, measure, scoresOf } from './evaluation.ts';
import { evaluationBatchSize, trainingBatches } from './imagePlan.ts';
import { readMetrics } from './metrics.ts';
import type { TrainingRun } from './prepareRun.ts';
import type { VerbContext } from './program.ts';
import { optimizerOf, scheduleOf, stepsPerEvaluation, totalSteps } from './recipe.ts';
import type { Clock, StepDisplay } from './runClock.ts';
import { startClock, stepDisplay } from './runClock.ts';
import type { RunLogs } from './runLogs.ts';
import { openRunLogs } from './runLogs.ts';
import type { TimeSpent } from './trainingLog.ts';
import { checkpointRecord, endingOf, evaluatedAps, isEvaluatedAt, timeSpentIn } from './trainingLog.ts';
import { checkpointNames, weightsBytes, weightsNotes } from './weightsFile.ts';

/** A run whose steps are all done, or that has ended early by its recipe. */
export interface FinishedRun {
  readonly isFinished: true;
  readonly params: Params;
  readonly measured: Measured;
  readonly spent: TimeSpent;
  /** Steps done. */
  readonly step: number;
  /** Why it ended before its last step, in words. */
  readonly ending?: string;
}

/** A run that was asked to stop. */
export interface StoppedRun {
  readonly isFinished: false;
  readonly step: number;
}

/** Lets the event loop turn once per batch: signals arrive and files are decoded while steps keep this thread busy. */
async function* withPauses(
  batches: AsyncIterable<Batch>,
  waited: Waiting,
): AsyncGenerator<Batch, void, undefined> {
  let since = performance.now();
  for await (const batch of batches) {
    waited.milliseconds += performance.now() - since;
    await new Promise((resolve) => setImmediate(resolve));
    yield batch;
    since = performance.now();
  }
}

/** How long steps have waited for their images since it was last looked at. */
interface Waiting {
  milliseconds: number;
}

/** The seconds waited so far; the count begins anew. */
function secondsOf(waited: Waiting): number {
  const seconds = waited.milliseconds / 1000;
  waited.milliseconds = 0;
  return seconds;
}

/** What the handlers of one run share while it goes. */
interface Going {
  readonly run: TrainingRun;
  readonly context: VerbContext;
  readonly logs: RunLogs;
  readonly waited: Waiting;
  readonly clock: Clock;
  readonly steps: StepDisplay;
  /** The AP of every evaluation so far. */
  readonly scores: number[];
  /** Why the run is to end now, in words; undefined while it is not. */
  readonly ending: () => string | undefined;
}

/** The measurement on the validation images; undefined when the user stopped it. */
async function measureNow({ run, context }: Going, params: Params): Promise<Measured | undefined> {
  const { detector, data, config } = run;
  const { signal, reporter } = context;
  const total = data.validation.length;
  const progress = reporter.progress({ label: 'evaluate', total, unit: 'images' });
  try {
    const { test } = config.images;
    const batchSize = evaluationBatchSize(test, total);
    const request = { detector, params, dataset: data.validation, test, batchSize, signal };
    return await measure({ ...request, onProgress: progress.update });
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  } finally {
    progress.finish();
  }
}

/** Writes down what an evaluation gave, and keeps the weights when none before were better. */
async function keepEvaluation(
  { run, context, logs, scores: known }: Going,
  step: number,
  params: Params,
  measured: Measured,
): Promise<void> {
  const scores = scoresOf(measured.evaluation);
  const { files, config } = run;
  known.push(scores.ap);
  if (known.every((ap) => ap <= scores.ap)) {
    const bytes = await weightsBytes(params, { config: config.detector, images: config.images, step });
    await writeFileAtomic(join(files.folder, checkpointNames.best), bytes);
  }
  context.reporter.event(await logs.evaluation({ step, params, scores, measured }));
  context.reporter.message(`step ${step}: ${formatScores(scores)}`);
}

/** The measurement after a step, written down unless it has been before; undefined when the user stopped it. */
async function evaluateAt(going: Going, step: number, params: Params): Promise<Measured | undefined> {
  going.steps.pause();
  return going.clock.aside(async () => {
    const measured = await measureNow(going, params);
    const isKnown = isEvaluatedAt(readMetrics(going.run.files.metrics), step);
    if (measured !== undefined && !isKnown) {
      await keepEvaluation(going, step, params, measured);
    }
    return measured;
  });
}

/** The events of all steps that are left. */
function trainingEvents({ run, context, clock, waited, ending }: Going): ReturnType<typeof train> {
  const { config, engine, files, data, backend, state, step } = run;
  const { recipe, detector, seed, images, imageCounts } = config;
  return train({
    config: detector,
    optimizer: optimizerOf(recipe, detector),
    backend,
    state,
    accumulate: recipe.accumulate,
    recompute: recipe.recompute,
    ...(recipe.ema === undefined ? {} : { ema: recipe.ema }),
    isEnough: () => ending() !== undefined,
    batches: withPauses(trainingBatches(data.train, { ...config, ...pictureThreads(engine) }, step), waited),
    schedule: scheduleOf(recipe, imageCounts.usable),
    steps: totalSteps(recipe, imageCounts.usable),
    seed,
    notes: weightsNotes(images),
    checkpointEvery: recipe.checkpointEvery,
    evaluateEvery: stepsPerEvaluation(recipe, imageCounts.usable),
    save: (bytes) => clock.aside(() => writeFileAtomic(join(files.folder, checkpointNames.last), bytes)),
    signal: context.signal,
    maxTraces: Math.max(16, images.mostShapes ?? 0),
  });
}

/** The run at its last event. */
async function endOf(
  going: Going,
  event: DoneEvent,
  last: Measured | undefined,
): Promise<FinishedRun | StoppedRun> {
  const { step, reason, state } = event;
  const stopped = { isFinished: false, step } as const;
  if (reason !== 'finished' && reason !== 'enough') return stopped;
  const params = averagedParams(state);
  // There is none of a run that was resumed at its very end, or that ends early.
  const measured = last ?? (await evaluateAt(going, step, params));
  if (measured === undefined) return stopped;
  const ending = reason === 'enough' ? going.ending() : undefined;
  const spent = going.clock.spent();
  return { isFinished: true, params, measured, spent, step, ...(ending === undefined ? {} : { ending }) };
}

/** Follows the events of a run to its end; the last measurement is that of the finished detector. */
async function followRun(going: Going): Promise<FinishedRun | StoppedRun> {
  const { run, context, logs, clock, steps, waited } = going;
  let measured: { readonly step: number; readonly result: Measured | undefined } | undefined;
  for await (const event of trainingEvents(going)) {
    if (event.type === 'step') {
      steps.show(event.step, event.losses.total);
      const record = logs.step(event, secondsOf(waited));
      context.reporter.event({ ...record, imagesPerSecond: event.imagesPerSecond });
    } else if (event.type === 'checkpoint') {
      logs.metrics.append(checkpointRecord(event.step, clock.spent()));
    } else if (event.type === 'evaluate') {
      const isStopped = context.signal.aborted;
      const result = isStopped ? undefined : await evaluateAt(going, event.step, event.params);
      measured = { step: event.step, result };
    } else {
      return endOf(going, event, measured?.step === event.step ? measured.result : undefined);
    }
  }
  throw new Error(`followRun(${run.files.folder}): needs the event of the run's end, got none. Report this.`);
}

/**
 * The run after its last step, or where the user stopped it; log, checkpoints and charts are in its folder.
 *
 * Throws   TrainingError when the loss is no longer finite; FileWriteError; DatasetError when an image cannot be read
 */
export async function runTraining(run: TrainingRun, context: VerbContext): Promise<FinishedRun | StoppedRun> {
  const { config, files, state, step } = run;
  const logs = await openRunLogs(run, config.imageCounts.usable / config.recipe.batchSize);
  const records = readMetrics(files.metrics);
  const clock = startClock(timeSpentIn(records));
  const scores = evaluatedAps(records);
  const ending = (): string | undefined => endingOf(config.recipe, clock.spent().total, scores);
  const steps = stepDisplay(context.reporter, run);
  const waited = { milliseconds: 0 };
  const going: Going = { run, context, logs, waited, clock, steps, scores, ending };
  try {
    const { recipe, imageCounts } = config;
    const isLast = step >= totalSteps(recipe, imageCounts.usable);
    const isDue = step > 0 && !isLast && step % stepsPerEvaluation(recipe, imageCounts.usable) === 0;
    // The run was stopped between this step and its evaluation.
    if (isDue && !isEvaluatedAt(records, step)) await evaluateAt(going, step, averagedParams(state));
    return await followRun(going);
  } finally {
    going.steps.pause();
    logs.close();
  }
}
