// The moving average of the trained parameters: smoother than any of them, and often better on images never seen.
import type { Tensor } from '@autoassign/tensor';
import { add, cast, div, exp, mapTrees, mul, neg, sub } from '@autoassign/tensor';

/** How fast the average forgets. */
export interface EmaOptions {
  /** The share of the average that a step keeps, in the long run. */
  readonly decay: number;
  /** The share grows to `decay` as decay (1 - exp(-step / rampSteps)), steps counted from 1; 0 for `decay` from the first step on. */
  readonly rampSteps: number;
}

/** Parameters by path. */
export type ParamsByPath = Readonly<Record<string, Tensor>>;

/** The average after a step that gave the parameters `trained`: average + (1 - d) (trained - average). */
export const nextAverage = (
  average: ParamsByPath,
  trained: ParamsByPath,
  step: Tensor,
  { decay, rampSteps }: EmaOptions,
): ParamsByPath => {
  const share = averageShare(step, decay, rampSteps);
  return mapTrees((old, next) => add(old!, mul(sub(next!, old!), share)), average, trained);
};

/** 1 - d for the i32 number of a step, from 1. */
const averageShare = (step: Tensor, decay: number, rampSteps: number): Tensor | number => {
  if (rampSteps === 0) return 1 - decay;
  const missing = exp(neg(div(cast(step, 'f32'), rampSteps)));
  return sub(1, mul(sub(1, missing), decay));
};
