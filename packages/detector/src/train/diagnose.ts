// Finding out where NaN came from: the failed step once more, operation by operation.
import type { Backend } from '@autoassign/tensor';
import { evaluate, NotFiniteError, release, sentence } from '@autoassign/tensor';
import { batchTensors, type TrainingBatch } from '../batch.ts';
import type { DetectorConfig } from '../config.ts';
import type { LossFunction } from '../model/detectorLoss.ts';
import type { TrainState } from './state.ts';
import { lossAndGradients } from './step.ts';
import { TrainingError } from './trainingError.ts';

/** What failed: the state before the step, its batch, and the number of the step from 1. */
export interface FailedStep {
  readonly config: DetectorConfig;
  readonly backend: Backend;
  readonly loss?: LossFunction | undefined;
  readonly state: TrainState;
  readonly batch: TrainingBatch;
  readonly step: number;
}

/** The error that ends a run, naming the step, its images, and the first operation that gave NaN or infinity. */
export const failure = async (failed: FailedStep): Promise<TrainingError> => {
  const { state, step, batch } = failed;
  const images = batch.files === undefined ? '' : ` (images ${batch.files.join(', ')})`;
  const message = sentence({
    where: 'train',
    label: `step ${step}`,
    needs: 'a finite loss and gradient',
    got: `NaN or infinity${images}; ${await firstNotFinite(failed)}`,
    advice: 'Look at these images or lower the learning rate; the state before this step is kept.',
  });
  return new TrainingError(message, step, state);
};

const firstNotFinite = async ({ config, backend, state, batch, loss }: FailedStep): Promise<string> => {
  try {
    const { losses, gradients } = lossAndGradients(config, state.params, batchTensors(batch), loss);
    release(await evaluate({ losses, gradients }, { backend, checkFinite: true }));
    return 'every single operation is finite when repeated, so only their sum overflows';
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    return `the first such operation is: ${error.message.replace(/\. [^.]*\.$/, '')}`;
  }
};
