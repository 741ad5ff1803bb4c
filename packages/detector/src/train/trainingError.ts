// The error that ends a training run whose loss or gradients are no longer numbers.
import type { TrainState } from './state.ts';

/** Training that cannot go on: a loss or gradient was NaN or infinite. The last good state is kept. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
  /** The step that failed, counted from 1; the state is that after the step before. */
  readonly step: number;
  readonly state: TrainState;

  constructor(message: string, step: number, state: TrainState) {
    super(message);
    this.step = step;
    this.state = state;
  }
}
