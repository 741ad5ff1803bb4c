// The training step: forward, loss, gradients and update as one compiled function, with the state donated.
import { applyUpdates, globalNorm, type Transform, valueAndGrad } from '@autoassign/autograd';
import type { Backend, Compiled, Tensor } from '@autoassign/tensor';
import { add, compile, isFiniteValue, less, logicalAnd, mapTrees, select } from '@autoassign/tensor';
import type { Losses } from '../assign/losses.ts';
import type { BatchTensors } from '../batch.ts';
import type { DetectorConfig } from '../config.ts';
import { detectorLoss, type LossFunction } from '../model/detectorLoss.ts';
import { trainedParams, withTrained } from '../model/network.ts';
import type { Recompute } from '../nn/recompute.ts';
import { type EmaOptions, nextAverage, type ParamsByPath } from './ema.ts';
import type { TrainState } from './state.ts';

/** What one step gives. */
export type StepResult = {
  readonly state: TrainState;
  /** The loss before the update, and its terms. */
  readonly losses: Losses;
  /** f32[]: the norm of all gradients together. */
  readonly gradientNorm: Tensor;
};

/** A training step compiled for one backend; it takes the state's storage. */
export type TrainStep = Compiled<[state: TrainState, batch: BatchTensors, rate: Tensor], StepResult>;

/** What decides about a loss and its gradients besides parameters and batch. */
export interface GradientOptions {
  readonly config: DetectorConfig;
  /** A loss of one's own instead of the configuration's. */
  readonly loss?: LossFunction | undefined;
  /** What is computed again in the backward pass, to save memory: 'none' by default. Gradients are the same, bit for bit. */
  readonly recompute?: Recompute;
}

/** Options of `trainStep`. */
export interface TrainStepOptions extends GradientOptions {
  readonly optimizer: Transform;
  readonly backend: Backend;
  /** The moving average that a state with one is given. */
  readonly ema?: EmaOptions;
  /** How many batch shapes may be compiled before a further one is an error; 8 by default. */
  readonly maxTraces?: number;
  /** Measures the time of every step of the program, for `profile()` of the result. Off by default. */
  readonly profile?: boolean;
}

/** A loss with its terms, and the gradients of the trained parameters by path. */
export type LossAndGradients = { readonly losses: Losses; readonly gradients: ParamsByPath };

/** The loss, its terms, and the gradients of the trained parameters by path. */
export const lossAndGradients = (
  { config, loss, recompute }: GradientOptions,
  params: TrainState['params'],
  batch: BatchTensors,
): LossAndGradients => {
  const lossOf = (trained: ParamsByPath): { value: Tensor; aux: Losses } => {
    const losses = detectorLoss(config, withTrained(params, trained), batch, loss, recompute);
    return { value: losses.total, aux: losses };
  };
  const { grad, aux } = valueAndGrad(lossOf, { hasAux: true })(trainedParams(config, params));
  return { losses: aux, gradients: grad };
};

/** What an update is made of. */
interface UpdateParts extends LossAndGradients {
  readonly state: TrainState;
  readonly rate: Tensor;
}

/**
 * The step that gradients make. When the loss or a gradient is not finite, the state stays as it was but for `failedAt`, in this step
 * and all later ones.
 */
export const updated = (
  { config, optimizer, ema }: Pick<TrainStepOptions, 'config' | 'optimizer' | 'ema'>,
  { state, losses, gradients, rate }: UpdateParts,
): StepResult => {
  const gradientNorm = globalNorm(gradients);
  const params = trainedParams(config, state.params);
  const update = optimizer.update({ grads: gradients, state: state.optimizer, params, rate });
  const allFinite = logicalAnd(isFiniteValue(losses.total), isFiniteValue(gradientNorm));
  const hasFailed = less(-1, state.failedAt);
  const keep = (next: Tensor, previous: Tensor): Tensor =>
    select(hasFailed, previous, select(allFinite, next, previous));
  const applied = applyUpdates(params, update.updates);
  const step = add(state.step, 1);
  const average =
    ema === undefined || state.ema === undefined
      ? {}
      : {
          ema: mapTrees((p, next) => keep(next!, p!), state.ema, nextAverage(state.ema, applied, step, ema)),
        };
  const next: TrainState = {
    params: withTrained(
      state.params,
      mapTrees((p, after) => keep(after!, p!), params, applied),
    ),
    optimizer: mapTrees((previous, after) => keep(after!, previous!), state.optimizer, update.state),
    ...average,
    step: keep(step, state.step),
    failedAt: select(hasFailed, state.failedAt, select(allFinite, -1, state.step)),
  };
  return { state: next, losses, gradientNorm };
};

/** A training step that is not compiled yet: from state, batch and learning rate to the next state and the losses. */
export const stepFunction =
  (options: GradientOptions & Pick<TrainStepOptions, 'optimizer' | 'ema'>) =>
  (state: TrainState, batch: BatchTensors, rate: Tensor): StepResult =>
    updated(options, { state, rate, ...lossAndGradients(options, state.params, batch) });

/**
 * A compiled function from state, batch and learning rate to the next state and the losses. When the loss or a gradient is not
 * finite, the state stays as it was but for `failedAt`, in this step and all later ones: the last good state survives.
 *
 * Example  const { state, losses } = await step(previous, batchTensors(batch), scalar(schedule(i)))
 */
export const trainStep = (options: TrainStepOptions): TrainStep => {
  const { backend, maxTraces = 8, profile = false } = options;
  return compile(stepFunction(options), { backend, donate: [0], maxTraces, profile });
};
