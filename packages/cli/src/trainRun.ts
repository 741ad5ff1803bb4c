// A training run in its folder: the steps with their log and checkpoints, the evaluations between them, the results at the end.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '@autoassign/datasets';
import type { Detector, Params, TrainState } from '@autoassign/detector';
import {
  createDetector,
  initialState,
  readCheckpoint,
  restoreState,
  train,
  WeightsError,
} from '@autoassign/detector';
import type { Backend } from '@autoassign/tensor';
import { key } from '@autoassign/tensor';
import { writeFileAtomic } from './atomicFile.ts';
import type { OpenedData } from './dataSource.ts';
import { type Engine, pictureThreads } from './engine.ts';
import type { Measured, Scores } from './evaluation.ts';
import { formatScores, measure, scoresOf } from './evaluation.ts';
import { trainingBatches } from './imagePlan.ts';
import type { MetricsLog } from './metrics.ts';
import { openMetrics, readMetrics } from './metrics.ts';
import type { VerbContext } from './program.ts';
import type { Progress, Reporter } from './progress.ts';
import { optimizerOf, scheduleOf, stepsPerEvaluation, totalSteps } from './recipe.ts';
import type { RunConfig } from './runConfig.ts';
import type { RunFiles } from './runFolder.ts';
import type { TimeSpent } from './trainingLog.ts';
import {
  apChart,
  bestAp,
  checkpointRecord,
  evaluationRecord,
  isEvaluatedAt,
  lossChart,
  stepRecord,
  timeSpentIn,
} from './trainingLog.ts';
import { checkpointNames, weightsBytes, weightsNotes } from './weightsFile.ts';

/** A run that can be started or continued. */
export interface TrainingRun {
  readonly config: RunConfig;
  readonly engine: Engine;
  readonly files: RunFiles;
  readonly data: OpenedData;
  readonly backend: Backend;
  readonly detector: Detector;
  /** Where it begins: fresh, or as the last checkpoint left it. */
  readonly state: TrainState;
  /** Steps that `state` has behind it. */
  readonly step: number;
}

/** A run whose steps are all done. */
export interface FinishedRun {
  readonly isFinished: true;
  readonly params: Params;
  readonly measured: Measured;
  readonly spent: TimeSpent;
}

/** A run that was asked to stop. */
export interface StoppedRun {
  readonly isFinished: false;
  readonly step: number;
}

/**
 * The bytes of a run's last checkpoint; undefined when it never wrote one.
 *
 * Throws   WeightsError when the file cannot be read, or is gone although the log tells of it: to begin anew would cut the log
 */
async function lastCheckpoint(path: string, { metrics }: RunFiles): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code !== 'ENOENT') {
      throw new WeightsError(
        `prepareRun(${path}): needs a checkpoint that can be read, got ${code}. Make the file readable, or start a new run.`,
        { cause },
      );
    }
  }
  const saved = readMetrics(metrics).findLast(({ event }) => event === 'checkpoint');
  if (saved === undefined) return undefined;
  throw new WeightsError(
    `prepareRun(${path}): needs the checkpoint of step ${saved.step} that ${metrics} tells of, got no such file. Put the file back, or start a new run.`,
  );
}

/**
 * The run with the state that its last checkpoint holds, or with a fresh one when it has not saved any yet.
 *
 * Throws   WeightsError when the checkpoint is gone, cannot be read, is damaged or does not fit the run's configuration
 */
export async function prepareRun(
  run: Omit<TrainingRun, 'detector' | 'state' | 'step'>,
): Promise<TrainingRun> {
  const { config, files, backend } = run;
  const detector = createDetector(config.detector, { backend });
  const params = await detector.init(key(config.seed));
  const fresh = await initialState(config.detector, params, optimizerOf(config.recipe, config.detector));
  const path = join(files.folder, checkpointNames.last);
  const bytes = await lastCheckpoint(path, files);
  if (bytes === undefined) return { ...run, detector, state: fresh, step: 0 };
  const checkpoint = readCheckpoint(bytes, path);
  return { ...run, detector, state: restoreState(fresh, checkpoint, path), step: checkpoint.step };
}

/** Lets the event loop turn once per batch: signals arrive and files are decoded while steps keep this thread busy. */
async function* withPauses(batches: AsyncIterable<Batch>): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of batches) {
    await new Promise((resolve) => setImmediate(resolve));
    yield batch;
  }
}

/** What the handlers of one run share while it goes. */
interface Going {
  readonly run: TrainingRun;
  readonly context: VerbContext;
  readonly log: MetricsLog;
  readonly clock: Clock;
  readonly steps: StepDisplay;
}

/** The progress of the steps. */
interface StepDisplay {
  readonly show: (step: number, loss: number) => void;
  /** Ends the line, so that the time until the next step counts for nothing. */
  readonly pause: () => void;
}

function stepDisplay(reporter: Reporter, { config }: TrainingRun): StepDisplay {
  const { batchSize } = config.recipe;
  const steps = totalSteps(config.recipe, config.imageCounts.usable);
  let progress: Progress | undefined;
  let meanLoss: number | undefined;
  return {
    show: (step, loss) => {
      meanLoss = 0.95 * (meanLoss ?? loss) + 0.05 * loss;
      const options = { label: 'train', total: steps, unit: 'images', unitsPerCount: batchSize };
      progress ??= reporter.progress({ ...options, start: step }); // when it began is not known: it tells no speed
      progress.update(step, `loss ${meanLoss.toFixed(3)}`);
    },
    pause: () => {
      progress?.finish();
      progress = undefined;
    },
  };
}

/** The time a run takes; training is what is left when evaluation and saving are taken off. */
interface Clock {
  readonly spent: () => TimeSpent;
  /** Does something whose time does not count as training. */
  readonly aside: <T>(work: () => Promise<T>) => Promise<T>;
}

function startClock(before: TimeSpent): Clock {
  const started = performance.now();
  let asideMilliseconds = 0;
  return {
    spent: () => {
      const elapsed = performance.now() - started;
      const training = (elapsed - asideMilliseconds) / 1000;
      return { total: before.total + elapsed / 1000, training: before.training + training };
    },
    aside: async (work) => {
      const since = performance.now();
      try {
        return await work();
      } finally {
        asideMilliseconds += performance.now() - since;
      }
    },
  };
}

async function writeCharts({ files }: TrainingRun): Promise<void> {
  const records = readMetrics(files.metrics);
  await writeFileAtomic(join(files.folder, 'loss.svg'), lossChart(records));
  await writeFileAtomic(join(files.folder, 'ap.svg'), apChart(records));
}

/** The measurement on the validation images; undefined when the user stopped it. */
async function measureNow({ run, context }: Going, params: Params): Promise<Measured | undefined> {
  const { detector, data, config } = run;
  const { signal, reporter } = context;
  const total = data.validation.length;
  const progress = reporter.progress({ label: 'evaluate', total, unit: 'images' });
  try {
    const batchSize = Math.min(8, total);
    const request = {
      detector,
      params,
      dataset: data.validation,
      test: config.images.test,
      batchSize,
      signal,
    };
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
  { run, context, log }: Going,
  step: number,
  params: Params,
  scores: Scores,
): Promise<void> {
  const { files, config } = run;
  const before = bestAp(readMetrics(files.metrics));
  if (before === undefined || scores.ap >= before) {
    const bytes = await weightsBytes(params, { config: config.detector, images: config.images, step });
    await writeFileAtomic(join(files.folder, checkpointNames.best), bytes);
  }
  log.append(evaluationRecord(step, scores));
  context.reporter.event(evaluationRecord(step, scores));
  context.reporter.message(`step ${step}: ${formatScores(scores)}`);
  await writeCharts(run);
}

/** The measurement after a step, written down unless it has been before; undefined when the user stopped it. */
async function evaluateAt(going: Going, step: number, params: Params): Promise<Measured | undefined> {
  going.steps.pause();
  return going.clock.aside(async () => {
    const measured = await measureNow(going, params);
    const isKnown = isEvaluatedAt(readMetrics(going.run.files.metrics), step);
    if (measured !== undefined && !isKnown) {
      await keepEvaluation(going, step, params, scoresOf(measured.evaluation));
    }
    return measured;
  });
}

/** The events of all steps that are left. */
function trainingEvents({ run, context, clock }: Going): ReturnType<typeof train> {
  const { config, engine, files, data, backend, state, step } = run;
  const { recipe, detector, seed, images, imageCounts } = config;
  return train({
    config: detector,
    optimizer: optimizerOf(recipe, detector),
    backend,
    state,
    batches: withPauses(trainingBatches(data.train, { ...config, ...pictureThreads(engine) }, step)),
    schedule: scheduleOf(recipe, imageCounts.usable),
    steps: totalSteps(recipe, imageCounts.usable),
    seed,
    notes: weightsNotes(images),
    checkpointEvery: recipe.checkpointEvery,
    evaluateEvery: stepsPerEvaluation(recipe, imageCounts.usable),
    save: (bytes) => clock.aside(() => writeFileAtomic(join(files.folder, checkpointNames.last), bytes)),
    signal: context.signal,
    maxTraces: 16,
  });
}

/** Follows the events of a run to its end; the last measurement is that of the finished detector. */
async function followRun(going: Going): Promise<FinishedRun | StoppedRun> {
  const { run, context, log, clock, steps } = going;
  let measured: Measured | undefined;
  for await (const event of trainingEvents(going)) {
    if (event.type === 'step') {
      steps.show(event.step, event.losses.total);
      log.append(stepRecord(event));
      context.reporter.event({ ...stepRecord(event), imagesPerSecond: event.imagesPerSecond });
    } else if (event.type === 'checkpoint') {
      log.append(checkpointRecord(event.step, clock.spent()));
    } else if (event.type === 'evaluate') {
      measured = context.signal.aborted ? undefined : await evaluateAt(going, event.step, event.params);
    } else if (event.reason === 'finished') {
      const { params } = event.state;
      measured ??= await evaluateAt(going, event.step, params); // a run resumed at its very end
      if (measured !== undefined) return { isFinished: true, params, measured, spent: clock.spent() };
      return { isFinished: false, step: event.step };
    } else {
      return { isFinished: false, step: event.step };
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
  const log = await openMetrics(files.metrics, { resumeAfter: step });
  const records = readMetrics(files.metrics);
  const clock = startClock(timeSpentIn(records));
  const going: Going = { run, context, log, clock, steps: stepDisplay(context.reporter, run) };
  try {
    const { recipe, imageCounts } = config;
    const isLast = step >= totalSteps(recipe, imageCounts.usable);
    const isDue = step > 0 && !isLast && step % stepsPerEvaluation(recipe, imageCounts.usable) === 0;
    // The run was stopped between this step and its evaluation.
    if (isDue && !isEvaluatedAt(records, step)) await evaluateAt(going, step, state.params);
    return await followRun(going);
  } finally {
    going.steps.pause();
    log.close();
  }
}
