// The schema of a detector's configuration: every field with its meaning, its unit and what it accepts.
import type {
  BackboneConfig,
  CardinalityConfig,
  DetectorConfig,
  HeadConfig,
  InputConfig,
  NeckConfig,
  NormConfig,
  StemConfig,
  TestAugmentation,
  TestConfig,
} from '../config.ts';
import type { DecodeVariant } from '../infer/decode.ts';
import {
  anyNumber,
  choice,
  count,
  countOrZero,
  field,
  fraction,
  listOf,
  object,
  optional,
  positive,
  probability,
  type Schema,
  text,
  triple,
  variants,
  yesOrNo,
} from './fields.ts';
import { lossSchema } from './lossSchema.ts';

const input: Schema<InputConfig> = object<InputConfig>({
  mean: field('What is subtracted from each channel, in the order of `order`.', triple(anyNumber), 'bytes'),
  std: field('What each channel is then divided by.', triple(positive), 'bytes'),
  order: field(
    'The order of the channels that the network sees.',
    choice<InputConfig['order']>({ rgb: 'red first', bgr: 'blue first, as in OpenCV' }),
  ),
  padMultiple: field('Image sides are padded with zeros to multiples of this.', count, 'pixels'),
});

const stem: Schema<StemConfig> = variants<StemConfig>({
  pooled: {
    description: 'A 7x7 convolution and a max pool, stride 4 together.',
    fields: { width: field('Channels.', count, 'channels') },
  },
  plain: {
    description: 'A chain of 3x3 convolutions of stride 2.',
    fields: { widths: field('Channels of each convolution.', listOf(count), 'channels') },
  },
});

const norm: Schema<NormConfig> = variants<NormConfig>({
  group: {
    description: 'Group norm.',
    fields: { channelsPerGroup: field('Channels of each group.', count, 'channels') },
  },
  frozenBatch: {
    description: 'Batch norm with fixed statistics and fixed scale and shift.',
    fields: {},
  },
});

const backbone: Schema<BackboneConfig> = object<BackboneConfig>({
  stem: field('The first layers, before the stages.', stem),
  block: field(
    'The residual block.',
    choice<BackboneConfig['block']>({
      basic: 'two 3x3 convolutions',
      bottleneck: '1x1, 3x3, 1x1 with four times the planes as output',
    }),
  ),
  style: field(
    'Which convolution of a bottleneck carries its stride; caffe when left out.',
    optional(choice<NonNullable<BackboneConfig['style']>>({ caffe: 'the first, 1x1', pytorch: 'the 3x3' })),
  ),
  cardinality: field(
    'Bottlenecks only: the 3x3 convolutions in groups (ResNeXt); one group of all planes when left out.',
    optional(
      object<CardinalityConfig>({
        groups: field('How many groups.', count),
        widthPerGroup: field('Channels of each group per 64 planes.', count, 'channels'),
      }),
    ),
  ),
  deformable: field(
    'Bottlenecks only: per stage, whether its 3x3 convolutions are modulated deformable ones; none when left out.',
    optional(listOf(yesOrNo)),
  ),
  planes: field('Channels of the 3x3 convolutions of each stage.', listOf(count), 'channels'),
  depths: field('Blocks of each stage.', listOf(count)),
  strides: field('The stride of each stage.', listOf(count)),
  norm: field("The backbone's normalisation.", norm),
  frozenParts: field(
    'How many parts from the start (stem, then stages) are never trained; pretrained networks usually freeze 2.',
    countOrZero,
  ),
});

const neck: Schema<NeckConfig> = object<NeckConfig>({
  channels: field('Channels of every level of the pyramid.', count, 'channels'),
  stages: field('How many of the last stages enter it.', count),
  extraLevels: field('Coarser levels on top, by convolutions of stride 2.', countOrZero),
});

const head: Schema<HeadConfig> = object<HeadConfig>({
  convs: field('Convolutions in each of the two towers.', count),
  groups: field("Groups of the towers' group norm.", count),
  priorProbability: field("Every class's probability at the start.", probability),
  distanceBias: field("Every distance's bias at the start.", anyNumber, 'strides of its level'),
});

const augmentation: Schema<TestAugmentation> = object<TestAugmentation>({
  scales: field('Factors of the size that pictures usually have.', listOf(positive)),
  flips: field(
    'The axes along which every size is mirrored too; none when left out.',
    optional(
      listOf(
        choice<NonNullable<TestAugmentation['flips']>[number]>({
          horizontal: 'left becomes right',
          vertical: 'top becomes bottom',
        }),
        0,
      ),
    ),
  ),
  iouThreshold: field(
    'Of two boxes of one class that overlap more than this, the worse is dropped; that of `test` when left out.',
    optional(fraction),
  ),
  limit: field('The most detections of one image; those of `test` when left out.', optional(count)),
  softSigma: field(
    'Instead of dropping boxes, scores shrink by exp(-IoU² / softSigma) for every better box of their class.',
    optional(positive),
  ),
  votingIou: field(
    'Boxes that stay become the mean, by score, of all boxes of their class that overlap them at least this much.',
    optional(fraction),
  ),
});

const test: Schema<TestConfig> = object<TestConfig>({
  variant: field(
    'Whose rules hold; mmdetection when left out.',
    optional(
      choice<DecodeVariant>({
        mmdetection: 'thresholds on class probabilities, as in mmdetection',
        megvii: "thresholds on scores, as in the authors' code",
      }),
    ),
  ),
  scoreThreshold: field(
    'Pairs of location and class with a lower class probability (megvii: a lower score) are dropped.',
    fraction,
  ),
  candidatesPerLevel: field('The most pairs kept of one level.', count),
  iouThreshold: field(
    'Of two boxes of one class that overlap more than this, the worse is dropped.',
    fraction,
  ),
  limit: field('The most detections of one image.', count),
  augmentation: field(
    'How pictures are looked at several times, where that is asked for.',
    optional(augmentation),
  ),
});

/** The schema of `DetectorConfig`: each field alone; what fields must have in common is for `validateConfig`. */
export const detectorSchema: Schema<DetectorConfig> = object<DetectorConfig>({
  classes: field('Class names by label.', listOf(text('a class name'))),
  input: field('How bytes become network input: (byte - mean) / std per channel.', input),
  backbone: field('The residual network. Its lists have one entry per stage.', backbone),
  neck: field('The feature pyramid.', neck),
  head: field('The head, shared by all levels.', head),
  loss: field('What a detector is trained with.', lossSchema),
  test: field('What becomes of scores and boxes.', test),
});
