// The schema of what decides how a run goes: every field of `config.json` with its meaning, its unit and what it accepts.
import type { OnProblem } from '@autoassign/datasets';
import { parseSteps } from '@autoassign/datasets';
import type { Fields, Schema } from '@autoassign/detector/schema';
import {
  choice,
  constant,
  count,
  countOrZero,
  detectorSchema,
  field,
  listBy,
  listOf,
  notNegative,
  object,
  oneFieldOf,
  optional,
  positive,
  probability,
  text,
  variants,
  yesOrNo,
} from '@autoassign/detector/schema';
import type { DataSource } from '../dataSource.ts';
import type { BackendName, Precision } from '../options.ts';
import type {
  EmaRecipe,
  ImageCounts,
  ImagePlan,
  OptimizerRecipe,
  RunConfig,
  ScheduleRecipe,
  TestSize,
  TrainingLength,
  TrainingRecipe,
  TrainingSize,
  WarmupRecipe,
} from '../runConfig.ts';

const trainingSize: Schema<TrainingSize> = object<TrainingSize>({
  shortSides: field(
    'What the shorter side becomes: one number, or what is drawn from for every image (multi-scale).',
    listOf(count),
    'pixels',
  ),
  draw: field(
    'How a side is drawn when there are several.',
    choice<TrainingSize['draw']>({
      choice: 'one of them',
      range: 'any whole number from the first to the last',
    }),
  ),
  longSide: field('The most that the longer side may have.', count, 'pixels'),
  enlarge: field('Whether smaller images are enlarged.', yesOrNo),
});

const testSize: Schema<TestSize> = object<TestSize>({
  shortSide: field('What the shorter side becomes.', count, 'pixels'),
  longSide: field('The most that the longer side may have.', count, 'pixels'),
  enlarge: field('Whether smaller images are enlarged.', yesOrNo),
});

const imagePlan: Schema<ImagePlan> = object<ImagePlan>({
  train: field('The size of training images.', trainingSize),
  test: field('The size of images that are evaluated or predicted on.', testSize),
  groupByAspect: field(
    'Whether landscape and portrait images go into separate batches, which saves padding.',
    yesOrNo,
  ),
  mostShapes: field(
    'The most padded sizes of training batches, each a program to compile and keep; unless given, 16 with several short sides, else a batch is as large as its images need.',
    optional(count),
  ),
});

const optimizer: Schema<OptimizerRecipe> = variants<OptimizerRecipe>({
  adamw: {
    description: 'AdamW, with decay of the filters alone.',
    fields: {
      weightDecay: field('The decay of the filters per step, times the rate.', notNegative),
      priorRateFactor: field('Times the rate, for mean and sigma of the centre priors.', notNegative),
    },
  },
  sgd: {
    description: 'SGD as in the paper, with decay of everything that is trained but parameters of norms.',
    fields: {
      momentum: field('The share of the update before.', notNegative),
      weightDecay: field('What is added to gradients, times the weights.', notNegative),
    },
  },
});

const schedule: Schema<ScheduleRecipe> = variants<ScheduleRecipe>({
  cosine: { description: 'Along a cosine to 0 at the last step.', fields: {} },
  multiStep: {
    description: 'In steps.',
    fields: {
      milestones: field('After each of these the rate is lowered.', listOf(positive), 'epochs'),
      factor: field('By what it is multiplied.', positive),
    },
  },
});

const warmup: Schema<WarmupRecipe> = object<WarmupRecipe>({
  steps: field('How long the rate grows.', countOrZero, 'steps'),
  from: field('The share of the rate at the first step.', notNegative),
  form: field(
    'Which step is the first of the whole rate.',
    choice<WarmupRecipe['form']>({
      'mmdetection 3': 'the last of `steps`',
      'mmdetection 2': 'the one after them',
    }),
  ),
});

const ema: Schema<EmaRecipe> = object<EmaRecipe>({
  decay: field('The share of the average that stays from step to step, in the long run.', probability),
  rampSteps: field('How slowly it grows to that; 0 for at once.', notNegative, 'steps'),
});

const length: Schema<TrainingLength> = oneFieldOf<TrainingLength>({
  steps: field('So many steps.', count, 'steps'),
  epochs: field('So many times through the images.', positive, 'epochs'),
});

const evaluations: Schema<TrainingRecipe['evaluate']> = oneFieldOf<TrainingRecipe['evaluate']>({
  everyEpochs: field('Every so many epochs.', positive, 'epochs'),
  times: field('So many times, spread over the steps.', count),
});

const recipe: Schema<TrainingRecipe> = object<TrainingRecipe>({
  batchSize: field('Images of one step.', count, 'images'),
  accumulate: field(
    "Equal parts of a step's images that pass through the network one after the other, to save memory.",
    count,
  ),
  length: field('How long a run goes.', length),
  optimizer: field('How gradients become updates.', optimizer),
  rate: field('The learning rate after warm-up and before the schedule lowers it.', notNegative),
  rateBatchSize: field(
    'The images per step that `rate` is meant for: with another `batchSize` it is scaled in proportion. Unless given it is used as it is.',
    optional(count),
    'images',
  ),
  schedule: field('How the rate falls after warm-up.', schedule),
  warmup: field('The first steps, in which the rate grows.', warmup),
  clipNorm: field(
    'The most that the norm of all gradients together may be; larger ones are scaled down. No limit unless given.',
    optional(positive),
  ),
  ema: field(
    'A moving average of the weights, which is then what is evaluated and kept. None unless given.',
    optional(ema),
  ),
  recompute: field(
    'What is computed again in the backward pass instead of being kept, to save memory.',
    choice<TrainingRecipe['recompute']>({
      none: 'nothing',
      blocks: 'the inside of residual blocks and head towers',
    }),
  ),
  evaluate: field('When the detector is evaluated, besides after the last step.', evaluations),
  checkpointEvery: field('How often the state is saved, besides at every evaluation.', count, 'steps'),
  patience: field(
    'So many evaluations in a row without a better one end the run. No end unless given.',
    optional(count),
  ),
  timeBudget: field(
    'After this time the run ends with the step at hand, earlier processes included. No end unless given.',
    optional(positive),
    'seconds',
  ),
  augment: field(
    'What is done to every training image beyond fitting its size: transforms of @autoassign/datasets.',
    listBy('a list of transforms', (value) => parseSteps(value, 'augment')),
  ),
});

/** What a user may set of a run, beside the options of the command line. */
export type Settings = Pick<RunConfig, 'recipe' | 'images' | 'detector'>;

const settings: Fields<Settings> = {
  recipe: field('How the detector is trained.', recipe),
  images: field('How pictures become network input.', imagePlan),
  detector: field('What the detector is: network, input, loss and test settings.', detectorSchema),
};

/** The schema of what a user may set of a run. */
export const settingsSchema: Schema<Settings> = object<Settings>(settings);

const data: Schema<DataSource> = variants<DataSource>({
  shapes: {
    description: 'The shapes that `demo` makes.',
    fields: {
      folder: field('Where they are.', text('a path')),
      train: field('Training images.', count, 'images'),
      validation: field('Validation images.', count, 'images'),
    },
  },
  folder: {
    description: "A folder of the user's.",
    fields: {
      folder: field('Its absolute path.', text('a path')),
      trainSplit: field('The split to train on; the usual one unless given.', optional(text('a name'))),
      validationSplit: field(
        'The split to validate on; the usual one unless given.',
        optional(text('a name')),
      ),
      onProblem: field(
        'What becomes of pictures and objects that cannot be used.',
        choice<OnProblem>({ skip: 'they are left out', strict: 'they stop the reading' }),
      ),
      followLinks: field('Whether symbolic links may lead out of the folder.', yesOrNo),
    },
  },
});

/** The schema of a run's `config.json`. */
export const runSchema: Schema<RunConfig> = object<RunConfig>({
  format: field('Counts up when older files can no longer be continued.', constant(3)),
  preset: field('The preset that the run began with.', optional(text('the name of a preset'))),
  seed: field('The seed of everything random.', countOrZero),
  backend: field(
    'What computes.',
    choice<BackendName>({
      cpu: 'slow, exact reference',
      wasm: 'fast',
      gpujs: 'every mode of GPU.js',
      webgpu: 'fast on a GPU',
    }),
  ),
  fma: field('Whether sums of products are fused.', optional(yesOrNo)),
  precision: field(
    'The arithmetic of products.',
    optional(
      choice<Precision>({
        f32: 'single precision',
        mixed: 'operands of 16 bits',
        'emulated mixed': 'the same numbers on every adapter, slower',
      }),
    ),
  ),
  data: field('The images.', data),
  imageCounts: field(
    'How many images there were when the run began: other numbers mean other data.',
    object<ImageCounts>({
      train: field('Training images.', count, 'images'),
      usable: field('Those with objects to train on and not too small: an epoch.', count, 'images'),
      validation: field('Validation images.', count, 'images'),
    }),
  ),
  maxObjects: field('Places for objects per training image.', count, 'objects'),
  ...settings,
  init: field('The file of weights that training began with.', optional(text('a path'))),
});
