// What decides how a training run goes, as the plain data of its `config.json`: data, pictures, recipe and network.
import type { TransformStep } from '@autoassign/datasets';
import type { DetectorConfig } from '@autoassign/detector';
import type { DataSource } from './dataSource.ts';
import type { BackendName, Precision } from './options.ts';

/** Everything that decides how a training run goes. */
export interface RunConfig {
  /** Counts up when older files can no longer be continued. */
  readonly format: 3;
  /** The name of the preset that the run began with. */
  readonly preset?: string;
  readonly seed: number;
  readonly backend: BackendName;
  /** Whether sums of products are fused. */
  readonly fma?: boolean;
  /** The arithmetic of products. */
  readonly precision?: Precision;
  readonly data: DataSource;
  /** How many images each part had when the run began: other numbers mean other data. */
  readonly imageCounts: ImageCounts;
  /** Places for objects per training image. */
  readonly maxObjects: number;
  readonly images: ImagePlan;
  readonly recipe: TrainingRecipe;
  readonly detector: DetectorConfig;
  /** The file of weights that training began with, absolute; from nothing unless given. */
  readonly init?: string;
}

/** How many images there are. */
export interface ImageCounts {
  readonly train: number;
  /** Those of `train` that have objects to train on and are not too small: an epoch. */
  readonly usable: number;
  readonly validation: number;
}

/** How pictures become network input, besides what the network's own configuration says (mean, order, padding). */
export interface ImagePlan {
  readonly train: TrainingSize;
  readonly test: TestSize;
  /** Whether landscape and portrait images go into separate batches, which saves padding. */
  readonly groupByAspect: boolean;
  /** The most padded sizes of training batches, each a program to compile and keep; unless given, 16 with several short sides, else a batch is as large as its images need. */
  readonly mostShapes?: number;
}

/** The size of training images: ratio kept, neither side beyond its limit. */
export interface TrainingSize {
  /** What the shorter side becomes, in pixels: one number, or what is drawn from for every image (multi-scale). */
  readonly shortSides: readonly number[];
  /** With several: one of them, or any whole number from the first to the last. */
  readonly draw: 'choice' | 'range';
  /** The most that the longer side may have, in pixels. */
  readonly longSide: number;
  /** Whether smaller images are enlarged. */
  readonly enlarge: boolean;
}

/** The size of images that are evaluated or predicted on: ratio kept, neither side beyond its limit. */
export interface TestSize {
  /** What the shorter side becomes, in pixels. */
  readonly shortSide: number;
  /** The most that the longer side may have, in pixels. */
  readonly longSide: number;
  /** Whether smaller images are enlarged. */
  readonly enlarge: boolean;
}

/** Everything about training that is neither data nor network. */
export interface TrainingRecipe {
  /** Images of one step. */
  readonly batchSize: number;
  /**
   * Equal parts of a step's images that pass through the network one after the other, to save memory. The step is made with the mean of
   * their losses; as the loss counts objects and confidences per pass, this is not exactly the loss of all images together.
   */
  readonly accumulate: number;
  readonly length: TrainingLength;
  readonly optimizer: OptimizerRecipe;
  /** The learning rate after warm-up and before the schedule lowers it. */
  readonly rate: number;
  /** The images per step that `rate` is meant for: with another `batchSize` it is scaled in proportion. Unless given it is used as it is. */
  readonly rateBatchSize?: number;
  readonly schedule: ScheduleRecipe;
  readonly warmup: WarmupRecipe;
  /** The most that the norm of all gradients together may be; larger ones are scaled down. No limit unless given. */
  readonly clipNorm?: number;
  /** A moving average of the weights, which is then what is evaluated and kept. None unless given. */
  readonly ema?: EmaRecipe;
  /** What is computed again in the backward pass instead of being kept: nothing, or the inside of residual blocks and head towers. */
  readonly recompute: 'none' | 'blocks';
  /** When the detector is evaluated, besides after the last step: every so many epochs, or so many times, spread over the steps. */
  readonly evaluate: { readonly everyEpochs: number } | { readonly times: number };
  /** Steps between checkpoints; there is one at every evaluation too. */
  readonly checkpointEvery: number;
  /** So many evaluations in a row without a better one end the run. No end unless given. */
  readonly patience?: number;
  /** The seconds after which the run ends with the step at hand, those of earlier processes included. No end unless given. */
  readonly timeBudget?: number;
  /** What is done to every training image beyond fitting its size. */
  readonly augment: readonly TransformStep[];
}

/** How long a run goes: so many steps, or so many times through the images. */
export type TrainingLength = { readonly steps: number } | { readonly epochs: number };

/**
 * How gradients become updates: AdamW with decay of the filters alone and a faster rate for the centre priors, or SGD as in the paper,
 * with decay of everything that is trained but parameters of norms.
 */
export type OptimizerRecipe =
  | {
      readonly kind: 'adamw';
      readonly weightDecay: number;
      /** Times the rate, for mean and sigma of the centre priors. */
      readonly priorRateFactor: number;
    }
  | { readonly kind: 'sgd'; readonly momentum: number; readonly weightDecay: number };

/** How the rate falls after warm-up: along a cosine to 0 at the last step, or by `factor` after each of the milestones, in epochs. */
export type ScheduleRecipe =
  | { readonly kind: 'cosine' }
  | { readonly kind: 'multiStep'; readonly milestones: readonly number[]; readonly factor: number };

/**
 * The first steps, in which the rate grows linearly from `from` times itself. In the form of mmdetection 3 the last of the `steps` has the
 * whole rate, in that of mmdetection 2 (and of cvpods) the first one after them.
 */
export interface WarmupRecipe {
  readonly steps: number;
  readonly from: number;
  readonly form: 'mmdetection 3' | 'mmdetection 2';
}

/** A moving average of the weights: average = d average + (1 - d) weights, where d grows to `decay` as `decay (1 - exp(-step / rampSteps))`. */
export interface EmaRecipe {
  readonly decay: number;
  /** 0 for `decay` from the first step on. */
  readonly rampSteps: number;
}
