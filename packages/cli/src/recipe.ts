// How a detector is trained, as plain data that goes into `config.json`, and the optimiser and schedule it stands for.
import type { Schedule, Transform } from '@autoassign/autograd';
import { adamw, cosine, warmup } from '@autoassign/autograd';
import type { DetectorConfig } from '@autoassign/detector';
import { checkpointLayout } from '@autoassign/detector';

/** Everything about a training run that is neither data nor network. */
export interface TrainingRecipe {
  readonly batchSize: number;
  readonly steps: number;
  /** The learning rate after warm-up; from there it falls along a cosine to 0. */
  readonly rate: number;
  readonly warmupSteps: number;
  /** The share of the rate at the first step. */
  readonly warmupFrom: number;
  /** Times the rate, for mean and sigma of the centre priors. */
  readonly priorRateFactor: number;
  /** Of convolution weights; biases, norms, scales and priors have none. */
  readonly weightDecay: number;
  /** How many times the detector is evaluated, spread over the steps; the last time at the end. */
  readonly evaluations: number;
  /** Steps between checkpoints; there is one at every evaluation too. */
  readonly checkpointEvery: number;
  /** Whether every other training image, chosen by the seed, is mirrored. */
  readonly mirror: boolean;
}

/** The recipe of `autoassign demo`: 2400 steps of 4 images from scratch. */
export const demoRecipe: TrainingRecipe = {
  batchSize: 4,
  steps: 2400,
  rate: 2e-3,
  warmupSteps: 100,
  warmupFrom: 0.01,
  priorRateFactor: 5,
  weightDecay: 0.02,
  evaluations: 4,
  checkpointEvery: 200,
  mirror: false, // L and crescent differ from their mirror images
};

/** The recipe with another number of steps; the warm-up takes a quarter of them at most. */
export function withSteps(recipe: TrainingRecipe, steps: number): TrainingRecipe {
  return { ...recipe, steps, warmupSteps: Math.min(recipe.warmupSteps, Math.floor(steps / 4)) };
}

/** The learning rate of every step, counted from 0. */
export function scheduleOf({ rate, steps, warmupSteps, warmupFrom }: TrainingRecipe): Schedule {
  return warmup(cosine({ rate, steps }), { steps: warmupSteps, from: warmupFrom });
}

/** The number of steps from one evaluation to the next. */
export function stepsPerEvaluation({ steps, evaluations }: TrainingRecipe): number {
  return Math.ceil(steps / evaluations);
}

/** AdamW with the recipe's weight decay on convolution weights, and its faster rate for the centre priors. */
export function optimizerOf(recipe: TrainingRecipe, config: DetectorConfig): Transform {
  const filters = new Set(
    checkpointLayout(config)
      .filter(({ shape }) => shape.length === 4)
      .map(({ name }) => name),
  );
  return adamw({
    weightDecay: (path) => (filters.has(path) ? recipe.weightDecay : 0),
    rateScale: (path) => (path.startsWith('bbox_head.center_prior.') ? recipe.priorRateFactor : 1),
  });
}
