// The training loop: steps over any stream of batches, told as events; saves, stops on a signal, and refuses to go on with NaN.
import { release } from '@autoassign/tensor';
import type { TrainEvent } from './events.ts';
import { beginRun, doStep, type Run, readOutcome, saveRun, type TrainOptions } from './run.ts';
import { trainStep } from './step.ts';
import { TrainingError } from './trainingError.ts';

/**
 * A training run as a stream of events. Each is given when what it tells is done; the run goes on when the next is asked for.
 *
 * Throws   TrainingError when a loss or gradient is not finite: the state before that step is saved first, and the message names the
 *          step and the first operation that gave NaN or infinity; what `batches` and `save` throw, after a last attempt to save
 * Example  for await (const event of train(options)) if (event.type === 'step') console.log(event.step, event.losses.total)
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, undefined> {
  const { config, optimizer, backend, loss, maxTraces = 8 } = options;
  const run = await beginRun(options);
  const step = trainStep({ config, optimizer, backend, loss, maxTraces });
  let isHandedOver = false;
  try {
    yield* steps(options, run, (batch) => doStep(run, batch, { step, schedule: options.schedule }));
    isHandedOver = true;
    yield { type: 'done', step: run.step, reason: reasonOf(options, run), state: run.state, data: run.data };
  } catch (error) {
    isHandedOver = error instanceof TrainingError;
    if (!isHandedOver) await rescue(options, run);
    throw error;
  } finally {
    step.destroy();
    if (!isHandedOver) release(run.state);
  }
}

type Doing = (batch: Parameters<typeof doStep>[1]) => Promise<void>;

async function* steps(
  options: TrainOptions,
  run: Run,
  doOne: Doing,
): AsyncGenerator<TrainEvent, void, undefined> {
  const { readEvery = 1, checkpointEvery = 0, evaluateEvery = 0 } = options;
  const isOver = (): boolean => run.step >= options.steps || options.signal?.aborted === true;
  const isDue = (every: number): boolean =>
    every > 0 && (run.step % every === 0 || run.step >= options.steps);
  if (!isOver())
    for await (const batch of options.batches) {
      // The signal may have come while the batch was prepared: it stays for the resumed run.
      if (isOver()) break;
      await doOne(batch);
      const [isSaved, isEvaluated] = [isDue(checkpointEvery) || isOver(), isDue(evaluateEvery)];
      if (isDue(readEvery) || isSaved || isEvaluated) yield* tell(run, await readOutcome(options, run));
      if (isSaved) yield* tell(run, await saveRun(options, run));
      if (isEvaluated) yield* tell(run, { type: 'evaluate', step: run.step, params: run.state.params });
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

const reasonOf = (
  { steps: wanted, signal }: TrainOptions,
  { step }: Run,
): 'finished' | 'stopped' | 'out of data' =>
  step >= wanted ? 'finished' : signal?.aborted === true ? 'stopped' : 'out of data';

/** Saves what can be saved of a run that something else than its numbers ended; the error that ended it is the one to show. */
const rescue = async (options: TrainOptions, run: Run): Promise<void> => {
  try {
    await readOutcome(options, run);
    await saveRun(options, run);
  } catch {
    // The first error is the cause.
  }
};
