// The recipes of the paper as presets. What a published configuration states is taken from there; what only the paper states, and what
// is this project's choice, is named in `origin`.
import type { DetectorConfig } from '@autoassign/detector';
import {
  deformableResnext101Config,
  resnet50Config,
  resnet101Config,
  resnext101Config,
} from '@autoassign/detector';
import type { Preset } from './presets.ts';
import type { ImagePlan, TrainingRecipe } from './runConfig.ts';

/**
 * Twelve epochs of COCO with batches of 16.
 *
 * Source   AutoAssign of mmdetection, configuration r50-caffe_fpn_1x_coco
 */
const oneSchedule: TrainingRecipe = {
  batchSize: 16,
  accumulate: 8, // two images at a time, as on the eight GPUs of the published training
  length: { epochs: 12 },
  optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1e-4 },
  rate: 0.01,
  rateBatchSize: 16,
  schedule: { kind: 'multiStep', milestones: [8, 11], factor: 0.1 },
  warmup: { steps: 1000, from: 0.001, form: 'mmdetection 3' },
  recompute: 'none',
  evaluate: { everyEpochs: 1 },
  checkpointEvery: 500,
  augment: [{ type: 'flip', axis: 'horizontal', probability: 0.5 }],
};

const longSchedule: TrainingRecipe = {
  ...oneSchedule,
  recompute: 'blocks', // two images of ResNet-101 need 3.2 GB of plan without, 2.2 with it
  length: { epochs: 24 },
  schedule: { kind: 'multiStep', milestones: [16, 22], factor: 0.1 },
};

/** The usual size of COCO's pictures; also of the published configuration. */
const cocoImages: ImagePlan = {
  train: { shortSides: [800], draw: 'choice', longSide: 1333, enlarge: true },
  test: { shortSide: 800, longSide: 1333, enlarge: true },
  groupByAspect: true,
  mostShapes: 12,
};

const multiScaleImages: ImagePlan = {
  ...cocoImages,
  train: { ...cocoImages.train, shortSides: [640, 800], draw: 'range' },
};

/** What the paper says of its larger models; no configuration of them was published. */
const paperOnly = {
  network: 'paper; no configuration was published',
  'recipe.length': 'paper: twice as long as 12 epochs',
  'recipe.schedule': 'usual for 24 epochs; not stated for this model',
  'images.train': 'paper: several scales; 640 to 800 as is usual, the paper was not at hand',
} as const;

/** What is chosen here, whatever the model. */
const chosenHere = {
  'recipe.accumulate':
    'this project: two images at a time, as on each of the eight GPUs of the published training',
  'images.mostShapes': 'this project: few padded sizes, each a program',
} as const;

/** ResNeXt-101: one image at a time; two with their filters and gradients would need most of the 4 GiB that WebAssembly has. */
const oneByOne: TrainingRecipe = { ...longSchedule, accumulate: 16 };

const augmentedTest = (config: DetectorConfig): DetectorConfig => ({
  ...config,
  test: { ...config.test, augmentation: { scales: [0.75, 1, 1.25, 1.5], flips: ['horizontal'] } },
});

const caffeWeights =
  'ImageNet weights of a ResNet-50 in caffe style (channels blue first, stride in the 1x1 convolutions)';

/** The presets of the paper, by name. */
export const paperPresets: Readonly<Record<string, Preset>> = {
  'autoassign-r50-fpn-1x-coco': {
    description: 'ResNet-50, 12 epochs of COCO; published AP 40.4',
    detector: resnet50Config,
    recipe: oneSchedule,
    images: cocoImages,
    pretrained: caffeWeights,
    origin: { all: "mmdetection's published configuration", ...chosenHere },
  },
  'autoassign-r50-fpn-13e-coco': {
    description: 'ResNet-50, 13 epochs of COCO with the rate lowered later; published AP 40.6',
    detector: resnet50Config,
    recipe: {
      ...oneSchedule,
      length: { epochs: 13 },
      schedule: { kind: 'multiStep', milestones: [9, 12], factor: 0.1 },
    },
    images: cocoImages,
    pretrained: caffeWeights,
    origin: {
      all: "mmdetection's published configuration",
      ...chosenHere,
      'recipe.length': "a note of mmdetection's results, no configuration",
      'recipe.schedule': 'the same note: the rate is divided by 10 at the 10th and 13th epoch',
    },
  },
  'r101-2x-ms': {
    description: 'ResNet-101, 24 epochs of COCO at several scales',
    detector: resnet101Config,
    recipe: longSchedule,
    images: multiScaleImages,
    pretrained: caffeWeights.replace('50', '101'),
    origin: { all: "mmdetection's published configuration of ResNet-50", ...paperOnly, ...chosenHere },
  },
  'x101-64x4d-2x-ms': {
    description: 'ResNeXt-101 of 64 groups, 24 epochs of COCO at several scales',
    detector: resnext101Config,
    recipe: oneByOne,
    images: multiScaleImages,
    pretrained:
      'ImageNet weights of a ResNeXt-101 64x4d (channels red first, stride in the 3x3 convolutions)',
    origin: { all: "mmdetection's published configuration of ResNet-50", ...paperOnly, ...chosenHere },
  },
  'x101-64x4d-dcn-2x-ms': {
    description:
      'ResNeXt-101 of 64 groups with deformable convolutions, tested at several scales and mirrored (--tta)',
    detector: (classes) => augmentedTest(deformableResnext101Config(classes)),
    recipe: oneByOne,
    images: multiScaleImages,
    pretrained:
      'ImageNet weights of a ResNeXt-101 64x4d (channels red first, stride in the 3x3 convolutions)',
    origin: {
      all: "mmdetection's published configuration of ResNet-50",
      ...paperOnly,
      ...chosenHere,
      'detector.test.augmentation': 'paper: several scales and mirror images; the scales are chosen here',
    },
  },
  'r50-voc': {
    description: 'ResNet-50, PASCAL VOC',
    detector: resnet50Config,
    recipe: {
      ...oneSchedule,
      schedule: { kind: 'multiStep', milestones: [9], factor: 0.1 },
    },
    images: {
      ...cocoImages,
      train: { ...cocoImages.train, shortSides: [600], longSide: 1000 },
      test: { ...cocoImages.test, shortSide: 600, longSide: 1000 },
    },
    pretrained: caffeWeights,
    origin: {
      all: "mmdetection's published configuration for COCO",
      ...chosenHere,
      'recipe.length': "mmdetection's schedule for VOC: 4 epochs of the data repeated 3 times",
      'recipe.schedule': "mmdetection's schedule for VOC: lowered after the third of 4 epochs",
      images: "mmdetection's size for VOC",
    },
  },
  'r50-objects365': {
    description: 'ResNet-50, Objects365',
    detector: resnet50Config,
    recipe: oneSchedule,
    images: cocoImages,
    pretrained: caffeWeights,
    origin: {
      all: "mmdetection's published configuration for COCO; that it suits this data is this project's choice",
      ...chosenHere,
    },
  },
  'r50-widerface': {
    description: 'ResNet-50, WiderFace; faces between the locations get the nearest ones',
    detector: (classes) => {
      const config = resnet50Config(classes);
      return { ...config, loss: { ...config.loss, forceTopK: 9 } };
    },
    recipe: longSchedule,
    images: multiScaleImages,
    pretrained: caffeWeights,
    origin: {
      all: "mmdetection's published configuration for COCO",
      ...chosenHere,
      'recipe.length': "this project's choice: there are a tenth as many images as in COCO",
      'images.train': "this project's choice",
      'detector.loss.forceTopK': "this project's choice: many faces are smaller than the finest stride",
    },
  },
};
