// How locations answer for objects, as plain data: AutoAssign with the switches of its ablations, and what it is compared with.
import type { AtssOptions } from './assign/atss.ts';
import type { FcosOptions } from './assign/fcos.ts';
import type { FreeAnchorOptions } from './assign/freeAnchor.ts';
import type { RetinaNetOptions } from './assign/retinaNet.ts';

/** How much a location counts by where it lies: a Gaussian learned per class, the same with mean 0 and sigma 1 for good, or not at all. */
export type CenterWeighting = 'learned' | 'fixed' | 'off';

/**
 * What the objectness map is: `implicit`, a factor of every class's probability, learned through it; `explicit`, the same factor, but
 * learned from labels of its own; `off`, not used.
 */
export type Objectness = 'implicit' | 'explicit' | 'off';

/** AutoAssign: the factors of its loss, see `autoAssignLoss`, and the switches of its ablations. */
export interface AutoAssignLossConfig {
  /** May be left out: configurations of earlier versions have none. */
  readonly kind?: 'autoassign';
  readonly positiveWeight: number;
  readonly negativeWeight: number;
  readonly centerWeight: number;
  readonly localizationWeight: number;
  readonly forceTopK: number;
  /** `learned` by default. */
  readonly centerWeighting?: CenterWeighting;
  /** Whether sure locations count more among an object's positives; true by default. */
  readonly confidenceWeighting?: boolean;
  /** `implicit` by default. */
  readonly objectness?: Objectness;
}

/** FCOS, see `fcosLoss`; what is left out is as there. */
export interface FcosLossConfig extends FcosOptions {
  readonly kind: 'fcos';
}

/** ATSS, see `atssLoss`. */
export interface AtssLossConfig extends AtssOptions {
  readonly kind: 'atss';
}

/** The thresholds of RetinaNet, see `retinaNetLoss`. */
export interface RetinaNetLossConfig extends RetinaNetOptions {
  readonly kind: 'retinanet';
}

/** FreeAnchor, see `freeAnchorLoss`. */
export interface FreeAnchorLossConfig extends FreeAnchorOptions {
  readonly kind: 'freeanchor';
}

/** What a detector is trained with: one of these by its field `kind`, AutoAssign when there is none. */
export type LossConfig =
  | AutoAssignLossConfig
  | FcosLossConfig
  | AtssLossConfig
  | RetinaNetLossConfig
  | FreeAnchorLossConfig;

/** Whether a loss is that of AutoAssign. */
export const isAutoAssign = (loss: LossConfig): loss is AutoAssignLossConfig =>
  loss.kind === undefined || loss.kind === 'autoassign';

/** AutoAssign as the paper has it. */
export const paperLoss: AutoAssignLossConfig = {
  positiveWeight: 0.25,
  negativeWeight: 0.75,
  centerWeight: 0.75,
  localizationWeight: 5,
  forceTopK: 0,
};

/** Whether the scores of detections have the objectness as a factor. */
export const usesObjectness = (loss: LossConfig): boolean =>
  isAutoAssign(loss) ? loss.objectness !== 'off' : loss.kind === 'fcos' || loss.kind === 'atss';

/** Whether the centre prior's mean and sigma are learned. */
export const learnsCenterPrior = (loss: LossConfig): boolean =>
  isAutoAssign(loss) && (loss.centerWeighting ?? 'learned') === 'learned';
