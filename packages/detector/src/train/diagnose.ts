// Finding out where NaN came from: the failed step once more, operation by operation.
import type { Backend, Tensor } from '@autoassign/tensor';
import { evaluate, NotFiniteError, read, release, sentence } from '@autoassign/tensor';
import { batchTensors, type TrainingBatch } from '../batch.ts';
import type { TrainState } from './state.ts';
import { type GradientOptions, type LossAndGradients, lossAndGradients } from './step.ts';
import { TrainingError } from './trainingError.ts';

/** What failed: the state before the step, the batches of its parts, and the number of the step from 1. */
export interface FailedStep extends GradientOptions {
  readonly backend: Backend;
  readonly state: TrainState;
  readonly batches: readonly TrainingBatch[];
  readonly step: number;
}

/**
 * The error that ends a run, naming the step, its images, the first operation that gave NaN or infinity, the terms of the loss and the
 * parameters whose gradients are not finite.
 */
export const failure = async (failed: FailedStep): Promise<TrainingError> => {
  const { state, step, batches } = failed;
  const { batch, found } = await firstNotFinite(failed);
  const files = batch === undefined ? batches.flatMap((part) => part.files ?? []) : (batch.files ?? []);
  const images = files.length === 0 ? '' : ` (images ${files.join(', ')})`;
  const message = sentence({
    where: 'train',
    label: `step ${step}`,
    needs: 'a finite loss and gradient',
    got: `NaN or infinity${images}; ${found}`,
    advice: 'Look at these images or lower the learning rate; the state before this step is kept.',
  });
  return new TrainingError(message, step, state);
};

/** What was found, and in which part of the step; in none where only the sum overflows. */
interface Finding {
  readonly batch?: TrainingBatch;
  readonly found: string;
}

const firstNotFinite = async (failed: FailedStep): Promise<Finding> => {
  const { backend, state, batches } = failed;
  for (const batch of batches) {
    const values = lossAndGradients(failed, state.params, batchTensors(batch));
    try {
      release(await evaluate(values, { backend, checkFinite: true }));
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const first = `the first such operation is: ${error.message.replace(/\. [^.]*\.$/, '')}`;
      return { batch, found: `${first}${await culprits(values, backend)}` };
    }
  }
  return { found: 'every single operation is finite when repeated, so only their sum overflows' };
};

const mostNamed = 3;

/** Which terms of the loss are not finite, and which gradients. */
const culprits = async ({ losses, gradients }: LossAndGradients, backend: Backend): Promise<string> => {
  const computed = await evaluate({ terms: losses.terms, gradients }, { backend });
  const namesIn = async (tree: Readonly<Record<string, Tensor>>): Promise<string[]> => {
    const names: string[] = [];
    for (const [name, leaf] of Object.entries(tree))
      if ((await read(leaf)).some((value) => !Number.isFinite(value))) names.push(name);
    return names;
  };
  const [terms, parameters] = [await namesIn(computed.terms), await namesIn(computed.gradients)];
  release(computed);
  const of = (what: string, names: readonly string[]): string => {
    const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
    return names.length === 0 ? '' : `; ${what} ${names.slice(0, mostNamed).join(', ')}${more}`;
  };
  return of('not finite in the loss:', terms) + of('and in the gradients of', parameters);
};
