// The detector as work for libraries: its loss on given predictions, its forward pass and its training step, as plain data.
import type { DetectorConfig } from '@autoassign/detector';
import type { Values } from './work.ts';

/** The objects of every image, padded to M. */
export interface ObjectValues {
  /** [N,M,4], corners in pixels. */
  readonly boxes: Values;
  /** N lists of M. */
  readonly labels: readonly (readonly number[])[];
  /** 1 where there is an object, else 0: N lists of M. */
  readonly valid: readonly (readonly number[])[];
}

/** The AutoAssign loss of given predictions; with gradients to them and to the centre prior, or without. */
export interface LossWork {
  readonly kind: 'loss';
  readonly pass: 'forward' | 'forward and backward';
  /** [N,R,K] */
  readonly logits: Values;
  /** [N,R] */
  readonly objectness: Values;
  /** [N,R,4] */
  readonly distances: Values;
  /** [K,2] */
  readonly mean: Values;
  /** [K,2] */
  readonly sigma: Values;
  /** [R,2] */
  readonly locations: Values;
  /** [R] */
  readonly strides: Values;
  readonly objects: ObjectValues;
}

/** Parameters that an optimiser treats alike, by path. */
export interface ParameterGroup {
  readonly paths: readonly string[];
  readonly weightDecay: number;
  /** Times the learning rate. */
  readonly rateScale: number;
}

/**
 * An optimiser with its state before the first step.
 *
 * AdamW does not start at zero: its first step from there is the sign of the gradient, so where a gradient is smaller than its own
 * rounding two right results differ by all of the step. From the middle of a training, with `meanSquare` of the past in the
 * denominator, the step is a smooth function of the gradient and keeps its relative error.
 */
export type OptimizerWork =
  | {
      readonly kind: 'sgd';
      readonly rate: number;
      readonly groups: readonly ParameterGroup[];
      readonly momentum: number;
    }
  | {
      readonly kind: 'adamw';
      readonly rate: number;
      readonly groups: readonly ParameterGroup[];
      /** Steps that are taken to be done, with gradients of mean 0. */
      readonly steps: number;
      /** Of those gradients, the same for all parameters. */
      readonly meanSquare: number;
    };

/** A whole detector at work. */
export interface DetectorWork {
  readonly kind: 'detector';
  readonly pass: 'forward' | 'training step';
  readonly config: DetectorConfig;
  /** All parameters by path. */
  readonly params: Readonly<Record<string, Values>>;
  /** [N,3,H,W] */
  readonly images: Values;
  /** [R,2] */
  readonly locations: Values;
  /** [R] */
  readonly strides: Values;
  readonly objects: ObjectValues;
  /** Its groups name the trained parameters. */
  readonly optimizer: OptimizerWork;
}
