// What training carries from step to step, as one tree of tensors that is donated, saved and restored as a whole.
import type { Transform } from '@autoassign/autograd';
import type { Tensor, Tree } from '@autoassign/tensor';
import { scalar } from '@autoassign/tensor';
import type { DetectorConfig } from '../config.ts';
import { materialize } from '../model/materialize.ts';
import { type Params, trainedParams } from '../model/network.ts';

/** Everything a training step reads and writes. */
export type TrainState = {
  readonly params: Params;
  /** The optimiser's state, for the trained parameters by path. */
  readonly optimizer: Tree;
  /** i32[]: steps done. */
  readonly step: Tensor;
  /** i32[]: the first step whose loss or gradient was not finite, or -1. From there on nothing else changes. */
  readonly failedAt: Tensor;
};

/** The state before the first step. */
export const initialState = async (
  config: DetectorConfig,
  params: Params,
  optimizer: Transform,
): Promise<TrainState> => ({
  params,
  optimizer: await materialize(optimizer.init(trainedParams(config, params))),
  step: scalar(0, 'i32'),
  failedAt: scalar(-1, 'i32'),
});
