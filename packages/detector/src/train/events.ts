// What a training run tells of itself, in order.
import type { Params } from '../model/network.ts';
import type { TrainState } from './state.ts';

/** The loss of one step and its terms, as numbers. */
export interface LossValues {
  readonly total: number;
  /** By name, in the order of the loss. */
  readonly terms: Readonly<Record<string, number>>;
}

/** Where the next batch stands in the data: epoch, and number within it, from 0. */
export interface DataPosition {
  readonly epoch: number;
  readonly position: number;
}

/** One step is done and its loss was read. */
export interface StepEvent {
  readonly type: 'step';
  /** Steps done, this one included. */
  readonly step: number;
  /** Before the update. */
  readonly losses: LossValues;
  /** The norm of all gradients together. */
  readonly gradientNorm: number;
  readonly rate: number;
  /** Since the last such event, what the consumer of the events did in between left out. */
  readonly imagesPerSecond: number;
  readonly data: DataPosition;
}

/** A checkpoint was given to `save`, which has finished. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  readonly bytes: number;
}

/** Time to evaluate the parameters, or their moving average where there is one: they live on the training backend until the run is asked for its next event. */
export interface EvaluateEvent {
  readonly type: 'evaluate';
  readonly step: number;
  readonly params: Params;
}

/** The run is over; the state now belongs to the consumer. */
export interface DoneEvent {
  readonly type: 'done';
  readonly step: number;
  /** All steps done, `isEnough` was true, stopped by the signal, or no batches left. */
  readonly reason: 'finished' | 'enough' | 'stopped' | 'out of data';
  readonly state: TrainState;
  readonly data: DataPosition;
}

/** What a training run gives, one after the other. */
export type TrainEvent = StepEvent | CheckpointEvent | EvaluateEvent | DoneEvent;
