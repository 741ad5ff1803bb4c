// What a detector is, as plain data that survives JSON: the network's sizes, its input, its loss and its test settings.
import type { FeatureLevel } from './geometry/points.ts';
import type { DecodeVariant } from './infer/decode.ts';
import type { MergeOptions } from './infer/merge.ts';
import { type LossConfig, paperLoss } from './lossConfig.ts';

/** How bytes become network input: (byte - mean) / std per channel, channels in the given order. */
export interface InputConfig {
  /** In the order of `order`, in bytes. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** The order of the channels that the network sees. */
  readonly order: 'rgb' | 'bgr';
  /** Image sides are padded with zeros, right and bottom, to multiples of this. */
  readonly padMultiple: number;
}

/**
 * The first layers, before the stages: `pooled` is a 7x7 convolution and a max pool, stride 4 together; `plain` is a chain of 3x3
 * convolutions of stride 2.
 */
export type StemConfig =
  | { readonly kind: 'pooled'; readonly width: number }
  | { readonly kind: 'plain'; readonly widths: readonly number[] };

/** The backbone's normalisation: group norm, or batch norm with fixed statistics and fixed scale and shift. */
export type NormConfig =
  | { readonly kind: 'group'; readonly channelsPerGroup: number }
  | { readonly kind: 'frozenBatch' };

/** The groups of a ResNeXt's 3x3 convolutions: so many, each of so many channels per 64 planes. */
export interface CardinalityConfig {
  readonly groups: number;
  readonly widthPerGroup: number;
}

/** A residual network. The lists have one entry per stage. */
export interface BackboneConfig {
  readonly stem: StemConfig;
  /** Two 3x3 convolutions; or 1x1, 3x3, 1x1 with four times the planes as output. */
  readonly block: 'basic' | 'bottleneck';
  /** Which convolution of a bottleneck carries its stride: the first, 1x1 ('caffe', also when absent), or the 3x3 ('pytorch'). */
  readonly style?: 'caffe' | 'pytorch';
  /** Bottlenecks only: the 3x3 convolutions in groups (ResNeXt); absent for one group of all planes. */
  readonly cardinality?: CardinalityConfig;
  /** Bottlenecks only: per stage, whether its 3x3 convolutions are modulated deformable ones; absent for none. */
  readonly deformable?: readonly boolean[];
  readonly planes: readonly number[];
  readonly depths: readonly number[];
  readonly strides: readonly number[];
  readonly norm: NormConfig;
  /** How many parts from the start (stem, then stages) are never trained; pretrained networks usually freeze 2. */
  readonly frozenParts: number;
}

/** The feature pyramid. */
export interface NeckConfig {
  readonly channels: number;
  /** How many of the last stages enter it. */
  readonly stages: number;
  /** Coarser levels by stride-2 convolutions: the first from the last stage, each further one from ReLU of the level before. */
  readonly extraLevels: number;
}

/** The head, shared by all levels. */
export interface HeadConfig {
  /** Convolutions in each of the two towers. */
  readonly convs: number;
  /** Groups of the towers' group norm. */
  readonly groups: number;
  /** Every class's probability at the start. */
  readonly priorProbability: number;
  /** Every distance's bias at the start, in strides of its level. */
  readonly distanceBias: number;
}

/** Looking at a picture several times: its sizes and mirror images, and how what is found in them is put together. */
export interface TestAugmentation extends MergeOptions {
  /** Factors of the size that pictures usually have. */
  readonly scales: readonly number[];
  /** The axes along which every size is mirrored too; none when left out. */
  readonly flips?: readonly ('horizontal' | 'vertical')[];
}

/** What becomes of scores and boxes. */
export interface TestConfig {
  /** Whose rules hold; `mmdetection` when left out. */
  readonly variant?: DecodeVariant;
  /** Pairs of location and class with a lower class probability (`megvii`: a lower score) are dropped. */
  readonly scoreThreshold: number;
  /** The most pairs kept of one level. */
  readonly candidatesPerLevel: number;
  /** Of two boxes of one class that overlap more than this, the worse is dropped. */
  readonly iouThreshold: number;
  /** The most detections of one image. */
  readonly limit: number;
  /** How pictures are looked at several times, where that is asked for. */
  readonly augmentation?: TestAugmentation;
}

/** Everything that makes up a detector, as plain data. */
export interface DetectorConfig {
  /** Class names by label. */
  readonly classes: readonly string[];
  readonly input: InputConfig;
  readonly backbone: BackboneConfig;
  readonly neck: NeckConfig;
  readonly head: HeadConfig;
  readonly loss: LossConfig;
  readonly test: TestConfig;
}

const paperTest: TestConfig = {
  scoreThreshold: 0.05,
  candidatesPerLevel: 1000,
  iouThreshold: 0.6,
  limit: 100,
};

/**
 * A small detector that trains from scratch within minutes on a CPU: 662 992 parameters with 8 classes.
 *
 * Example  createDetector(demoConfig(['disc', 'square']))
 */
export const demoConfig = (classes: readonly string[]): DetectorConfig => ({
  classes,
  input: { mean: [128, 128, 128], std: [64, 64, 64], order: 'rgb', padMultiple: 32 },
  backbone: {
    stem: { kind: 'plain', widths: [16, 32] },
    block: 'basic',
    planes: [32, 64, 96, 128],
    depths: [1, 1, 1, 1],
    strides: [1, 2, 2, 2],
    norm: { kind: 'group', channelsPerGroup: 8 },
    frozenParts: 0,
  },
  neck: { channels: 48, stages: 3, extraLevels: 0 },
  // 2 strides fit objects of 14 to 90 px on these levels; the paper's 4 start far too large
  head: { convs: 2, groups: 6, priorProbability: 0.02, distanceBias: 2 },
  loss: paperLoss,
  test: paperTest,
});

/**
 * The paper's detector: ResNet-50 with fixed batch norm, five levels, 256 channels.
 *
 * Source   AutoAssign (2020), as its published checkpoints have it
 */
export const resnet50Config = (classes: readonly string[]): DetectorConfig => ({
  classes,
  input: { mean: [102.9801, 115.9465, 122.7717], std: [1, 1, 1], order: 'bgr', padMultiple: 32 },
  backbone: {
    stem: { kind: 'pooled', width: 64 },
    block: 'bottleneck',
    planes: [64, 128, 256, 512],
    depths: [3, 4, 6, 3],
    strides: [1, 2, 2, 2],
    norm: { kind: 'frozenBatch' },
    frozenParts: 2,
  },
  neck: { channels: 256, stages: 3, extraLevels: 2 },
  head: { convs: 4, groups: 32, priorProbability: 0.02, distanceBias: 4 },
  loss: paperLoss,
  test: paperTest,
});

/** The stride of every level of the pyramid in image pixels, finest first. */
export const levelStrides = ({ backbone, neck }: DetectorConfig): number[] => {
  let stride = backbone.stem.kind === 'pooled' ? 4 : 2 ** backbone.stem.widths.length;
  const stages = backbone.strides.map((step) => {
    stride *= step;
    return stride;
  });
  const extra = Array.from({ length: neck.extraLevels }, (_, i) => stride * 2 ** (i + 1));
  return [...stages.slice(-neck.stages), ...extra];
};

/**
 * The grids of the pyramid for images of a size, finest first: every stride rounds up.
 *
 * Units    pixels of the padded image
 */
export const featureLevels = (config: DetectorConfig, height: number, width: number): FeatureLevel[] =>
  levelStrides(config).map((stride) => ({
    height: Math.ceil(height / stride),
    width: Math.ceil(width / stride),
    stride,
  }));

/** The number of channels that every stage of the backbone gives. */
export const stageWidths = ({ block, planes }: BackboneConfig): number[] =>
  planes.map((width) => (block === 'bottleneck' ? 4 * width : width));

/**
 * The number of channels between the convolutions of a block.
 *
 * Source   Xie et al., Aggregated Residual Transformations (2017), table 1
 */
export const blockWidth = ({ cardinality }: BackboneConfig, planes: number): number =>
  cardinality === undefined
    ? planes
    : Math.floor((planes * cardinality.widthPerGroup) / 64) * cardinality.groups;

/** The number of channels that the stem gives. */
export const stemWidth = ({ stem }: BackboneConfig): number =>
  stem.kind === 'pooled' ? stem.width : stem.widths.at(-1)!;

/**
 * 16 hexadecimal digits that are the same for equal configurations, in whatever order their fields were written.
 *
 * Source   Fowler, Noll and Vo, hash FNV-1a with 64 bits
 */
export const configHash = (config: DetectorConfig): string => {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(canonicalJson(config)))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
};

/** JSON with the fields of every object in alphabetical order. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
