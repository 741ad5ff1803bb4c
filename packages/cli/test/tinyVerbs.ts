// The verbs with a network, a recipe and data so small that a training run takes about a second.
import type { DetectorConfig } from '@autoassign/detector';
import { demoConfig } from '@autoassign/detector';
import type { Verbs } from '../src/program.ts';
import { demoRecipe, photographRecipe } from '../src/recipe.ts';
import type { TrainingRecipe } from '../src/runConfig.ts';
import { createVerbs } from '../src/verbs/index.ts';

function tinyConfig(classes: readonly string[]): DetectorConfig {
  const config = demoConfig(classes);
  return {
    ...config,
    backbone: { ...config.backbone, stem: { kind: 'plain', widths: [8, 8] }, planes: [8, 8, 8, 8] },
    neck: { ...config.neck, channels: 8 },
    head: { ...config.head, convs: 1, groups: 1 },
    test: { ...config.test, scoreThreshold: 0.001 }, // a network that knows nothing should still find something
  };
}

/** The verbs; six steps of two images, evaluated after three and six, saved after every second one. */
export function tinyVerbs(recipe: Partial<TrainingRecipe> = {}): Verbs {
  const shapes = { train: 16, validation: 4 };
  const tiny = {
    rate: 2e-3,
    batchSize: 2,
    length: { steps: 6 },
    warmup: { ...demoRecipe.warmup, steps: 1 },
    evaluate: { times: 2 },
    checkpointEvery: 2,
    ...recipe,
  };
  return createVerbs({
    detector: tinyConfig,
    recipe: { ...demoRecipe, ...tiny },
    photographs: { recipe: { ...photographRecipe, ...tiny }, epochs: 0 },
    shapes,
    quick: { steps: 2, shapes },
  });
}
