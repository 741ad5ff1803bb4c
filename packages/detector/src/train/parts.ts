// Steps whose images pass through the network in parts: gradients are summed over the parts, then make one update.
import type { Tensor } from '@autoassign/tensor';
import {
  add,
  compile,
  evaluate,
  mapTree,
  mapTrees,
  mul,
  release,
  scalar,
  select,
  zeros,
} from '@autoassign/tensor';
import { type BatchTensors, batchTensors, type TrainingBatch } from '../batch.ts';
import type { TrainState } from './state.ts';
import {
  type GradientOptions,
  type LossAndGradients,
  lossAndGradients,
  type StepResult,
  type TrainStepOptions,
  trainStep,
  updated,
} from './step.ts';

/** One part of a step. */
interface StepPart {
  readonly state: TrainState;
  readonly batch: TrainingBatch;
  readonly rate: number;
}

/** Takes the parts of steps one after the other; what a step gave, its losses being means, comes with its last part. */
export interface PartTaker {
  readonly take: (part: StepPart) => Promise<StepResult | undefined>;
  readonly destroy: () => void;
}

/**
 * Steps of `accumulate` parts, made with the mean of the parts' losses. As the loss counts per part, that is not exactly the loss of all
 * images together.
 */
export const stepParts = (options: TrainStepOptions & { readonly accumulate: number }): PartTaker =>
  options.accumulate === 1 ? wholeSteps(options) : summedSteps(options);

const wholeSteps = (options: TrainStepOptions): PartTaker => {
  const step = trainStep(options);
  return {
    take: ({ state, batch, rate }) => step(state, batchTensors(batch), scalar(rate)),
    destroy: step.destroy,
  };
};

const summedSteps = (options: TrainStepOptions & { readonly accumulate: number }): PartTaker => {
  const { backend, accumulate, maxTraces = 8 } = options;
  const addPart = compile(partAdder(options, 1 / accumulate), { backend, donate: [1], maxTraces });
  const update = compile(updater(options), { backend, donate: [0] });
  let sums: LossAndGradients | undefined;
  let parts = 0;
  return {
    take: async ({ state, batch, rate }) => {
      sums ??= await emptySums(options, state, batch);
      sums = await addPart(state.params, sums, batchTensors(batch), scalar(parts === 0 ? 1 : 0, 'bool'));
      parts = (parts + 1) % accumulate;
      return parts === 0 ? update(state, sums, scalar(rate)) : undefined;
    },
    destroy: () => {
      addPart.destroy();
      update.destroy();
      if (sums !== undefined) release(sums);
    },
  };
};

type PartAdder = (
  params: TrainState['params'],
  sums: LossAndGradients,
  batch: BatchTensors,
  isFirst: Tensor,
) => LossAndGradients;

/** A function that adds a part's share to the sums; the first part of a step replaces them. */
const partAdder = (options: GradientOptions, share: number): PartAdder => {
  const addPart: PartAdder = (params, sums, batch, isFirst) =>
    mapTrees(
      (own, sum) => {
        const shared = mul(own!, share);
        return select(isFirst, shared, add(sum!, shared));
      },
      lossAndGradients(options, params, batch),
      sums,
    );
  return addPart;
};

/** The update that the sums make. */
const updater = (options: TrainStepOptions) => {
  const update = (state: TrainState, sums: LossAndGradients, rate: Tensor): StepResult =>
    updated(options, { state, rate, ...sums });
  return update;
};

/** Sums to start from; what is in them is not read. */
const emptySums = (
  options: TrainStepOptions,
  { params }: TrainState,
  batch: TrainingBatch,
): Promise<LossAndGradients> => {
  const like = lossAndGradients(options, params, batchTensors(batch));
  return evaluate(
    mapTree(({ shape }) => zeros(shape), like),
    { backend: options.backend },
  );
};
