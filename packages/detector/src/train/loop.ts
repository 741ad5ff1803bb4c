// The training loop: steps over any stream of batches, told as events; saves, stops on a signal, and refuses to go on with NaN.
import { release } from '@autoassign/tensor';
import type { DoneEvent, TrainEvent } from './events.ts';
import { stepParts } from './parts.ts';
import { beginRun, doPart, type Run, readOutcome, saveRun, type TrainOptions } from './run.ts';
import { averagedParams } from './state.ts';
import { TrainingError } from './trainingError.ts';

/**
 * A training run as a stream of events. Each is given when what it tells is done; the run goes on when the next is asked for.
 *
 * Throws   TrainingError when a loss or gradient is not finite: the state before that step is saved first, and the message names the
 *          step and the first operation that gave NaN or infinity; what `batches` and `save` throw, after a last attempt to save
 * Example  for await (const event of train(options)) if (event.type === 'step') console.log(event.step, event.losses.total)
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, undefined> {
  const { accumulate = 1, schedule } = options;
  const run = await beginRun(options);
  const taker = stepParts({ ...options, accumulate });
  let isHandedOver = false;
  try {
    yield* steps(options, run, (batch) => doPart(run, batch, { taker, schedule }));
    isHandedOver = true;
    yield { type: 'done', step: run.step, reason: reasonOf(options, run), state: run.state, data: run.data };
  } catch (error) {
    isHandedOver = error instanceof TrainingError;
    if (!isHandedOver) await rescue(options, run);
    throw error;
  } finally {
    taker.destroy();
    if (!isHandedOver) release(run.state);
  }
}

type Doing = (batch: Parameters<typeof doPart>[1]) => Promise<boolean>;

async function* steps(
  options: TrainOptions,
  run: Run,
  doOne: Doing,
): AsyncGenerator<TrainEvent, void, undefined> {
  const { readEvery = 1, checkpointEvery = 0, evaluateEvery = 0 } = options;
  const isOver = (): boolean => reasonOf(options, run) !== 'out of data';
  const isDue = (every: number): boolean =>
    every > 0 && (run.step % every === 0 || run.step >= options.steps);
  if (!isOver())
    for await (const batch of options.batches) {
      // The signal may have come while the batch was prepared: it stays for the resumed run.
      if (isOver()) break;
      if (!(await doOne(batch))) continue;
      const [isSaved, isEvaluated] = [isDue(checkpointEvery) || isOver(), isDue(evaluateEvery)];
      if (isDue(readEvery) || isSaved || isEvaluated) yield* tell(run, await readOutcome(options, run));
      if (isSaved) yield* tell(run, await saveRun(options, run));
      if (isEvaluated)
        yield* tell(run, { type: 'evaluate', step: run.step, params: averagedParams(run.state) });
      if (isOver()) break;
    }
  // Nothing to do here unless the batches ran out.
  yield* tell(run, await readOutcome(options, run));
  yield* tell(run, await saveRun(options, run));
}

/** The event, if there is one; the time that the consumer spends on it does not count for the speed. */
function* tell(run: Run, event: TrainEvent | undefined): Generator<TrainEvent, void, undefined> {
  if (event === undefined) return;
  const before = performance.now();
  yield event;
  run.since += performance.now() - before;
}

/** Why the run ends; only that the batches do, while there is no other reason. */
const reasonOf = ({ steps: wanted, signal, isEnough }: TrainOptions, { step }: Run): DoneEvent['reason'] => {
  if (step >= wanted) return 'finished';
  if (signal?.aborted === true) return 'stopped';
  return isEnough?.() === true ? 'enough' : 'out of data';
};

/** Saves what can be saved of a run that something else than its numbers ended; the error that ended it is the one to show. */
const rescue = async (options: TrainOptions, run: Run): Promise<void> => {
  try {
    await readOutcome(options, run);
    await saveRun(options, run);
  } catch {
    // The first error is the cause.
  }
};
