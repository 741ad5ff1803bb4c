// How a detector is trained, as plain data that goes into `config.json`, and the optimiser and schedule it stands for.
import type { Schedule, Transform } from '@autoassign/autograd';
import { adamw, cosine, warmup } from '@autoassign/autograd';
import type { TransformStep } from '@autoassign/datasets';
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
  /** What is done to every training image beyond fitting its size. */
  readonly augment: readonly TransformStep[];
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
  augment: [], // L and crescent differ from their mirror images
};

/** The recipe for pictures of the user's own: photographs vary in brightness and colour, and look as good in a mirror. */
export const photographRecipe: TrainingRecipe = {
  ...demoRecipe,
  steps: 1100,
  rate: 3e-3,
  augment: [
    { type: 'flip', axis: 'horizontal', probability: 0.5 },
    { type: 'normalizeJitter', gain: { from: 0.85, to: 1.15 }, offset: { from: -0.2, to: 0.2 } },
  ],
};

/** Mirror images for pictures that have no up and down either, such as those from a microscope. */
export const upsideDown: TransformStep = { type: 'flip', axis: 'vertical', probability: 0.5 };

/** So many steps that every image is seen `epochs` times. */
export function stepsForEpochs(epochs: number, images: number, batchSize: number): number {
  return Math.max(1, Math.ceil((epochs * images) / batchSize));
}

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
