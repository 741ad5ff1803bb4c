// The memory that prediction and training will take, told by the plans of the WebAssembly backend before anything runs.
import type { Transform } from '@autoassign/autograd';
import type { MemoryForecast, Tensor } from '@autoassign/tensor';
import { key, memoryForecast, scalar, zeros } from '@autoassign/tensor';
import type { BatchTensors } from '../batch.ts';
import type { DetectorConfig } from '../config.ts';
import { forward, initParams, type Params, trainedParams } from '../model/network.ts';
import type { Recompute } from '../nn/recompute.ts';
import type { EmaOptions } from '../train/ema.ts';
import type { TrainState } from '../train/state.ts';
import { stepFunction } from '../train/step.ts';
import type { InputSize } from './networkCosts.ts';
import { stageNames, stagesByValue } from './stages.ts';

/** The memory of a program in bytes, all of it in use at the same time: parameters, batch and results included. */
export type MemoryNeeds = Omit<MemoryForecast, 'steps'>;

/** The memory of a training step, and of what its forward pass keeps for the backward pass. */
export interface TrainingMemory extends MemoryNeeds {
  /** Bytes of values that each part of the network computes and the backward pass reads; the loss belongs to the last part. */
  readonly activations: Readonly<Record<string, number>>;
}

/** What decides about the memory of a training step besides the network. */
export interface TrainingMemoryOptions {
  readonly size: InputSize;
  readonly optimizer: Transform;
  /** 'none' by default. */
  readonly recompute?: Recompute;
  /** The moving average of the parameters that the state keeps, if it does. */
  readonly ema?: EmaOptions | undefined;
  /** Places for objects per image; 100 by default. */
  readonly objects?: number;
  /** 1 by default. */
  readonly threads?: number;
}

const withoutSteps = ({ steps: _, ...needs }: MemoryForecast): MemoryNeeds => needs;

/**
 * The memory that a prediction takes on the WebAssembly backend as `createPredictor` compiles it, decoding left out.
 *
 * Example  predictionMemory(config, { height: 800, width: 1088, batch: 1 }, 2).total
 */
export const predictionMemory = (
  config: DetectorConfig,
  { height, width, batch }: InputSize,
  threads = 1,
): MemoryNeeds => {
  const predictions = (params: Params, images: Tensor) => {
    const { logits, objectness, distances } = forward(config, params, images);
    return { logits, objectness, distances };
  };
  const images = zeros([batch, 3, height, width]);
  return withoutSteps(
    memoryForecast(predictions, [initParams(config, key(0)), images], { donate: [1], threads }),
  );
};

/**
 * The memory that a training step takes on the WebAssembly backend.
 *
 * Example  trainingMemory(config, { size: { height: 800, width: 1088, batch: 1 }, optimizer: sgd({ momentum: 0.9 }) }).total
 */
export const trainingMemory = (config: DetectorConfig, options: TrainingMemoryOptions): TrainingMemory => {
  const { size, optimizer, recompute = 'none', ema, objects = 100, threads = 1 } = options;
  const { height, width, batch } = size;
  const params = initParams(config, key(0));
  const state: TrainState = {
    params,
    optimizer: optimizer.init(trainedParams(config, params)),
    ...(ema === undefined ? {} : { ema: trainedParams(config, params) }),
    step: scalar(0, 'i32'),
    failedAt: scalar(-1, 'i32'),
  };
  const images: BatchTensors = {
    images: zeros([batch, 3, height, width]),
    boxes: zeros([batch, objects, 4]),
    labels: zeros([batch, objects], 'i32'),
    valid: zeros([batch, objects], 'bool'),
  };
  const step = stepFunction({ config, optimizer, recompute, ...(ema === undefined ? {} : { ema }) });
  const forecast = memoryForecast(step, [state, images, scalar(0)], { donate: [0], threads });
  return { ...withoutSteps(forecast), activations: activationsOf(config, forecast) };
};

const isBackward = (op: string): boolean => /^conv2d(Input|Filter)Grad$/.test(op);

/** By part of the network, the bytes of what is computed before the backward pass and read in it. */
const activationsOf = (config: DetectorConfig, { steps }: MemoryForecast): Record<string, number> => {
  const names = stageNames(config);
  const begin = steps.findIndex(({ op }) => isBackward(op));
  const forwardSteps = steps.slice(0, begin);
  const stages = stagesByValue(forwardSteps, names);
  const bytesOf = (number: number): number =>
    forwardSteps
      .filter(({ output, lastUse }) => stages.get(output) === number && lastUse >= begin)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  return Object.fromEntries(names.map((name, number) => [name, bytesOf(number)]));
};
