// A golden detector: its description, the network it stands for, its inputs, and all stages of its forward pass.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@autoassign/tensor';
import { key, sizeOf } from '@autoassign/tensor';
import { type AutoAssignLoss, autoAssignLoss } from '../../src/assign/loss.ts';
import type { BatchTensors, TrainingBatch } from '../../src/batch.ts';
import { type DetectorConfig, featureLevels, resnet50Config } from '../../src/config.ts';
import { locations } from '../../src/geometry/points.ts';
import { isAutoAssign } from '../../src/lossConfig.ts';
import { neckFeatures } from '../../src/model/fpn.ts';
import { joinLevels, levelPredictions } from '../../src/model/head.ts';
import { initParams, type Params } from '../../src/model/network.ts';
import { backboneFeatures } from '../../src/model/resnet.ts';
import { goldenFolder } from './cases.ts';
import { formulaParams, formulaValues } from './formulaWeights.ts';

interface Samples {
  readonly idx: readonly number[];
  readonly val: readonly number[];
}

export interface StoredDetections {
  readonly boxes: readonly (readonly number[])[];
  readonly scores: readonly number[];
  readonly labels: readonly number[];
}

/** The results of one precision. */
interface FullResults {
  readonly stages: Readonly<
    Record<string, Samples & { readonly shape: readonly number[]; readonly sum: number }>
  >;
  readonly detections: readonly StoredDetections[];
  readonly detections_rescaled: readonly StoredDetections[];
  readonly grads: Readonly<Record<string, Samples & { readonly norm: number }>>;
  readonly weight_decay: Readonly<Record<string, number>>;
  readonly train_const: {
    readonly steps: readonly Readonly<
      Record<'lr' | 'total' | 'loss_pos' | 'loss_neg' | 'loss_center', number>
    >[];
    readonly params: Readonly<
      Record<
        string,
        {
          readonly delta_norm: number;
          readonly delta_idx: readonly number[];
          readonly delta_val: readonly number[];
        }
      >
    >;
  };
}

export interface FullCase {
  readonly model: {
    readonly base_channels: number;
    readonly num_classes: number;
    readonly fpn_channels: number;
  };
  readonly input: { readonly shape: readonly [number, number, number, number] };
  readonly gt: readonly {
    readonly boxes: readonly (readonly number[])[];
    readonly labels: readonly number[];
  }[];
  readonly img_meta: {
    readonly img_shape: readonly [height: number, width: number];
    readonly scale_factor: readonly [x: number, y: number];
  };
  readonly state_dict: readonly {
    readonly key: string;
    readonly sum: number;
    readonly first: readonly number[];
  }[];
  readonly num_params: number;
  readonly f64: FullResults;
  readonly f32: FullResults;
}

/** The names of all cases, found by listing. */
export const fullNames = (): readonly string[] => {
  const folder = goldenFolder('full');
  if (folder === undefined || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
};

export const readFull = (name: string): FullCase =>
  JSON.parse(readFileSync(join(goldenFolder('full')!, `${name}.json`), 'utf8')) as FullCase;

/** The network of a case: ResNet-50 with all widths scaled. */
export const configOf = ({ model }: FullCase): DetectorConfig => {
  const classes = Array.from({ length: model.num_classes }, (_, i) => `class ${i}`);
  const full = resnet50Config(classes);
  const width = model.base_channels;
  return {
    ...full,
    backbone: {
      ...full.backbone,
      stem: { kind: 'pooled', width },
      planes: [width, 2 * width, 4 * width, 8 * width],
    },
    neck: { ...full.neck, channels: model.fpn_channels },
  };
};

export const paramsOf = (config: DetectorConfig): Params => formulaParams(initParams(config, key(0)));

export const batchOf = ({ input, gt }: FullCase): TrainingBatch => {
  const objects = Math.max(...gt.map(({ labels }) => labels.length));
  const padded = <T>(rows: readonly T[], filler: T): T[] =>
    Array.from({ length: objects }, (_, i) => rows[i] ?? filler);
  return {
    images: formulaValues('input', sizeOf(input.shape), 0, 2),
    imageShape: input.shape,
    boxes: Float32Array.from(gt.flatMap(({ boxes }) => padded(boxes, [0, 0, 0, 0]).flat())),
    labels: Int32Array.from(gt.flatMap(({ labels }) => padded(labels, 0))),
    valid: Uint8Array.from(
      gt.flatMap(({ labels }) =>
        padded(
          labels.map(() => 1),
          0,
        ),
      ),
    ),
    objects,
  };
};

/** Every stage of the forward pass under its stored name, except those inside the stem. */
export const stagesOf = (config: DetectorConfig, params: Params, images: Tensor): Record<string, Tensor> => {
  const backbone = backboneFeatures(config.backbone, params.backbone, images);
  const neck = neckFeatures(params.neck, backbone.slice(-config.neck.stages));
  const levels = featureLevels(config, images.shape[2]!, images.shape[3]!);
  const head = neck.flatMap((x, i) => {
    const { scale } = params.bbox_head.scales[i]!;
    const maps = levelPredictions(config.head, params.bbox_head, { x, scale, stride: levels[i]!.stride });
    return [
      [`cls${i + 3}`, maps.logits],
      [`box${i + 3}`, maps.distances],
      [`obj${i + 3}`, maps.objectness],
    ] as const;
  });
  return Object.fromEntries([
    ...backbone.map((x, i) => [`C${i + 2}`, x] as const),
    ...neck.map((x, i) => [`P${i + 3}`, x] as const),
    ...head,
  ]);
};

/** The loss that belongs to the maps among the stages. */
export const lossOfStages = (
  config: DetectorConfig,
  params: Params,
  stages: Readonly<Record<string, Tensor>>,
  { images, ...targets }: BatchTensors,
): AutoAssignLoss => {
  const levels = featureLevels(config, images.shape[2]!, images.shape[3]!);
  const maps = levels.map((_, i) => ({
    logits: stages[`cls${i + 3}`]!,
    distances: stages[`box${i + 3}`]!,
    objectness: stages[`obj${i + 3}`]!,
  }));
  const { center_prior } = params.bbox_head;
  if (!isAutoAssign(config.loss)) throw new Error('the cases are those of AutoAssign');
  return autoAssignLoss(joinLevels(maps), targets, center_prior, locations(levels), config.loss);
};
