// What training carries from step to step, as one tree of tensors that is donated, saved and restored as a whole.
import type { Transform } from '@autoassign/autograd';
import type { Tensor, Tree } from '@autoassign/tensor';
import { scalar } from '@autoassign/tensor';
import type { DetectorConfig } from '../config.ts';
import { materialize } from '../model/materialize.ts';
import { type Params, trainedParams, withTrained } from '../model/network.ts';
import type { ParamsByPath } from './ema.ts';

/** Everything a training step reads and writes. */
export type TrainState = {
  readonly params: Params;
  /** The optimiser's state, for the trained parameters by path. */
  readonly optimizer: Tree;
  /** The moving average of the trained parameters by path, where there is one. */
  readonly ema?: ParamsByPath;
  /** i32[]: steps done. */
  readonly step: Tensor;
  /** i32[]: the first step whose loss or gradient was not finite, or -1. From there on nothing else changes. */
  readonly failedAt: Tensor;
};

/** The state before the first step; with `hasAverage`, with a moving average of the parameters. */
export const initialState = async (
  config: DetectorConfig,
  params: Params,
  optimizer: Transform,
  { hasAverage = false }: { readonly hasAverage?: boolean } = {},
): Promise<TrainState> => ({
  params,
  optimizer: await materialize(optimizer.init(trainedParams(config, params))),
  ...(hasAverage ? { ema: trainedParams(config, params) } : {}),
  step: scalar(0, 'i32'),
  failedAt: scalar(-1, 'i32'),
});

/** The parameters to use: those with the moving average in place of what is trained, where the state has one. */
export const averagedParams = ({ params, ema }: TrainState): Params =>
  ema === undefined ? params : withTrained(params, ema);
