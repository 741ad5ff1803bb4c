// The recipes that runs begin with, and what a recipe stands for: numbers of steps, learning rates, the optimiser.
import type { Schedule, Transform } from '@autoassign/autograd';
import { adamw, chain, clipByGlobalNorm, cosine, multiStep, sgd, warmup } from '@autoassign/autograd';
import type { TransformStep } from '@autoassign/datasets';
import type { DetectorConfig } from '@autoassign/detector';
import { checkpointLayout } from '@autoassign/detector';
import type { OptimizerRecipe, TrainingRecipe } from './runConfig.ts';

/** The recipe of `autoassign demo`: 2400 steps of 4 images from scratch. */
export const demoRecipe: TrainingRecipe = {
  batchSize: 4,
  accumulate: 1,
  length: { steps: 2400 },
  optimizer: { kind: 'adamw', weightDecay: 0.02, priorRateFactor: 5 },
  rate: 2e-3,
  schedule: { kind: 'cosine' },
  warmup: { steps: 100, from: 0.01, form: 'mmdetection 2' },
  recompute: 'none',
  evaluate: { times: 4 },
  checkpointEvery: 200,
  augment: [], // L and crescent differ from their mirror images
};

/** The recipe for pictures of the user's own: photographs vary in brightness and colour, and look as good in a mirror. */
export const photographRecipe: TrainingRecipe = {
  ...demoRecipe,
  length: { steps: 1100 },
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
  const { warmup: first } = recipe;
  const shortened = { ...first, steps: Math.min(first.steps, Math.floor(steps / 4)) };
  return { ...recipe, length: { steps }, warmup: shortened };
}

/** The number of steps of a run whose epochs have so many images. */
export function totalSteps({ length, batchSize }: TrainingRecipe, images: number): number {
  return 'steps' in length ? length.steps : stepsForEpochs(length.epochs, images, batchSize);
}

/** The rate that the recipe's own is for its batch size: in proportion to the images of a step. */
function scaledRate({ rate, rateBatchSize, batchSize }: TrainingRecipe): number {
  return rateBatchSize === undefined ? rate : (rate * batchSize) / rateBatchSize;
}

/**
 * The learning rate of every step, counted from 0, of a run whose epochs have so many images.
 *
 * Source   mmdetection 3: LinearLR reaches the whole rate at its last step; 2: at the step after; cvpods' WarmupMultiStepLR as the latter
 */
export function scheduleOf(recipe: TrainingRecipe, images: number): Schedule {
  const { schedule, batchSize } = recipe;
  const { steps, from, form } = recipe.warmup;
  const rate = scaledRate(recipe);
  const after =
    schedule.kind === 'cosine'
      ? cosine({ rate, steps: totalSteps(recipe, images) })
      : multiStep({
          rate,
          milestones: schedule.milestones.map((epochs) => Math.round((epochs * images) / batchSize)),
          factor: schedule.factor,
        });
  return warmup(after, { steps: form === 'mmdetection 3' ? Math.max(0, steps - 1) : steps, from });
}

/** The number of steps from one evaluation to the next, of a run whose epochs have so many images. */
export function stepsPerEvaluation(recipe: TrainingRecipe, images: number): number {
  const { evaluate, batchSize } = recipe;
  if ('times' in evaluate) return Math.ceil(totalSteps(recipe, images) / evaluate.times);
  return Math.max(1, Math.round((evaluate.everyEpochs * images) / batchSize));
}

function adamwOf(
  { weightDecay, priorRateFactor }: OptimizerRecipe & { readonly kind: 'adamw' },
  config: DetectorConfig,
): Transform {
  const filters = new Set(
    checkpointLayout(config)
      .filter(({ shape }) => shape.length === 4)
      .map(({ name }) => name),
  );
  return adamw({
    weightDecay: (path) => (filters.has(path) ? weightDecay : 0),
    rateScale: (path) => (path.startsWith('bbox_head.center_prior.') ? priorRateFactor : 1),
  });
}

/** Whether a path is that of a normalisation's scale or shift: those are not decayed. */
function isOfNorm(path: string): boolean {
  return /\.((bn|gn)\d*|norm|downsample\.1)\.(weight|bias)$/.test(path);
}

/** The optimiser that a recipe states, behind its limit of the gradients where it has one. */
export function optimizerOf({ optimizer, clipNorm }: TrainingRecipe, config: DetectorConfig): Transform {
  const { weightDecay } = optimizer;
  const transform: Transform =
    optimizer.kind === 'adamw'
      ? adamwOf(optimizer, config)
      : sgd({
          momentum: optimizer.momentum,
          weightDecay: (path) => (isOfNorm(path) ? 0 : weightDecay),
        });
  return clipNorm === undefined ? transform : chain(clipByGlobalNorm(clipNorm), transform);
}
