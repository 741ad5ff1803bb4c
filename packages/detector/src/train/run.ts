// A training run between its events: one step, the reading of what steps gave, a checkpoint.
import type { Schedule, Transform } from '@autoassign/autograd';
import type { Backend } from '@autoassign/tensor';
import { read, release } from '@autoassign/tensor';
import type { TrainingBatch } from '../batch.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { failure } from './diagnose.ts';
import type { EmaOptions } from './ema.ts';
import type { CheckpointEvent, DataPosition, StepEvent } from './events.ts';
import type { PartTaker } from './parts.ts';
import type { TrainState } from './state.ts';
import type { GradientOptions, StepResult } from './step.ts';

/** Everything a training run needs. */
export interface TrainOptions extends GradientOptions {
  readonly optimizer: Transform;
  readonly backend: Backend;
  /** Where to begin: a fresh or a restored state. If it is evaluated, its storage is taken. */
  readonly state: TrainState;
  /** The moving average of the parameters that the state keeps, if it does: then evaluations are of the average. */
  readonly ema?: EmaOptions;
  /** How many batches make one step, with the mean of their losses: 1 by default. Unlike one large batch, each is normalised by its own objects. */
  readonly accumulate?: number;
  /** From the place in the data where the state stopped. */
  readonly batches: AsyncIterable<TrainingBatch>;
  /** The learning rate of a step; steps count from 0. */
  readonly schedule: Schedule;
  /** Steps of the whole run, those of the given state included. */
  readonly steps: number;
  /** The place of the first batch, for a run that is resumed at its very end; the start of the data by default. */
  readonly data?: DataPosition;
  /** The seed that the run came from, for its checkpoints; 0 by default. */
  readonly seed?: number;
  /** Kept in checkpoints as they are. */
  readonly notes?: Readonly<Record<string, string>>;
  /** The loss is read, and a step event given, every so many steps; 1 by default. */
  readonly readEvery?: number;
  /** Checkpoints every so many steps besides the last one; 0, the default, for none. */
  readonly checkpointEvery?: number;
  /** Evaluation is asked for every so many steps and after the last; 0, the default, for never. */
  readonly evaluateEvery?: number;
  /** Takes the checkpoints; without it, none are made. */
  readonly save?: (checkpoint: Uint8Array, step: number) => Promise<void>;
  /** Stops the run after the step at hand, with a last checkpoint; of a step of several batches, what has been done is dropped. */
  readonly signal?: AbortSignal;
  /** Asked after every step, its evaluation included, and at the beginning: true ends the run with a last checkpoint. */
  readonly isEnough?: () => boolean;
  /** How many batch shapes may be compiled before a further one is an error; 8 by default. */
  readonly maxTraces?: number;
}

/** The run at one moment; the only thing here that changes. */
export interface Run {
  state: TrainState;
  /** Steps done. */
  step: number;
  /** Where the next batch stands. */
  data: DataPosition;
  /** The batches that the step at hand has had so far. */
  parts: readonly TrainingBatch[];
  /** The steps whose outcome was not read yet. */
  unread: UnreadStep[];
  savedAt: number;
  /** When the time that counts for the speed began, in milliseconds. */
  since: number;
}

/** A step whose outcome was not read yet. */
interface UnreadStep {
  readonly batches: readonly TrainingBatch[];
  /** Where its first batch stood. */
  readonly data: DataPosition;
  readonly rate: number;
  readonly result: Pick<StepResult, 'losses' | 'gradientNorm'>;
}

/** The run before its first step. */
export const beginRun = async ({ state, data }: TrainOptions): Promise<Run> => {
  const [step] = await read(state.step);
  return {
    state,
    step: step!,
    data: data ?? { epoch: 0, position: 0 },
    parts: [],
    unread: [],
    savedAt: step!,
    since: performance.now(),
  };
};

const positionOf = ({ epoch, position }: TrainingBatch, step: number): DataPosition => ({
  epoch: epoch ?? 0,
  position: position ?? step,
});

/** Does one step, or a part of one; what it gave stays unread. Whether the step is done. */
export const doPart = async (
  run: Run,
  batch: TrainingBatch,
  { taker, schedule }: { taker: PartTaker; schedule: Schedule },
): Promise<boolean> => {
  const rate = schedule(run.step);
  const batches = [...run.parts, batch];
  const done = await taker.take({ state: run.state, batch, rate });
  run.parts = done === undefined ? batches : [];
  if (done === undefined) return false;
  const { state, ...result } = done;
  const [first, last] = [batches[0]!, batch].map((part) => positionOf(part, run.step));
  run.state = state;
  run.unread.push({ batches, data: first!, rate, result });
  run.step += 1;
  run.data = { ...last!, position: last!.position + 1 };
  return true;
};

const imagesOf = ({ batches }: UnreadStep): number =>
  batches.reduce((count, { imageShape }) => count + imageShape[0], 0);

/**
 * The event of the last step, when there are steps whose outcome was not read yet.
 *
 * Throws   TrainingError when one of them failed; the state before it is saved first
 */
export const readOutcome = async (options: TrainOptions, run: Run): Promise<StepEvent | undefined> => {
  const { unread } = run;
  const last = unread.at(-1);
  if (last === undefined) return undefined;
  run.unread = [];
  const { total, terms } = last.result.losses;
  const tensors = [last.result.gradientNorm, run.state.failedAt, total, ...Object.values(terms)];
  const values = await Promise.all(tensors.map(async (t) => (await read(t))[0]!));
  for (const { result } of unread) release(result);
  const [gradientNorm, failedAt, totalValue, ...termValues] = values;
  if (failedAt! >= 0) await refuse(options, run, unread[failedAt! - (run.step - unread.length)]!);
  const seconds = (performance.now() - run.since) / 1000;
  run.since = performance.now();
  return {
    type: 'step',
    step: run.step,
    losses: {
      total: totalValue!,
      terms: Object.fromEntries(Object.keys(terms).map((name, i) => [name, termValues[i]!])),
    },
    gradientNorm: gradientNorm!,
    rate: last.rate,
    imagesPerSecond: unread.reduce((count, step) => count + imagesOf(step), 0) / seconds,
    data: run.data,
  };
};

/** Goes back to before the failed step, saves, and throws. */
const refuse = async (options: TrainOptions, run: Run, { batches, data }: UnreadStep): Promise<never> => {
  const [done] = await read(run.state.step);
  run.step = done!;
  run.data = data;
  const { config, backend, loss } = options;
  const error = await failure({ config, backend, loss, state: run.state, batches, step: run.step + 1 });
  await saveRun(options, run);
  throw error;
};

/** The event of a checkpoint that was given to `save`, unless this step has been saved already or nothing takes it. */
export const saveRun = async (options: TrainOptions, run: Run): Promise<CheckpointEvent | undefined> => {
  const { save, config, seed = 0, notes = {} } = options;
  if (save === undefined || run.savedAt === run.step) return undefined;
  // Set before the attempt: a disk that is full must not be tried again while the run is wound up.
  run.savedAt = run.step;
  const bytes = await writeCheckpoint(run.state, { config, data: run.data, seed, notes });
  await save(bytes, run.step);
  return { type: 'checkpoint', step: run.step, bytes: bytes.length };
};
