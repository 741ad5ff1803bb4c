// The head, shared by all levels: two towers of convolutions, then class logits, box distances and the implicit objectness.
import type { AffineParams, Tensor } from '@autoassign/tensor';
import {
  clamp,
  concat,
  groupNorm,
  mul,
  ones,
  relu,
  reshape,
  scalar,
  split,
  transpose,
  zeros,
} from '@autoassign/tensor';
import type { Predictions, Prior } from '../assign/inputs.ts';
import type { DetectorConfig, HeadConfig } from '../config.ts';
import { type ConvParams, conv, initConv } from '../nn/conv.ts';
import { type FilterShape, logitOf, narrowNormal } from '../nn/init.ts';
import { initAffine } from '../nn/norm.ts';
import { block, type Recompute } from '../nn/recompute.ts';

/** One layer of a tower. */
export type TowerLayerParams = { readonly conv: ConvParams; readonly gn: AffineParams };

/** The head, under the names of published checkpoints: there, the objectness is called centerness. */
export type HeadParams = {
  readonly cls_convs: readonly TowerLayerParams[];
  readonly reg_convs: readonly TowerLayerParams[];
  readonly conv_cls: ConvParams;
  readonly conv_reg: ConvParams;
  readonly conv_centerness: ConvParams;
  /** One learned factor of the distances per level. */
  readonly scales: readonly { readonly scale: Tensor }[];
  readonly center_prior: Prior;
};

/** The parameters of a head that has learned nothing, as unevaluated tensors. */
export const initHead = ({ classes, neck, head }: DetectorConfig, key: Tensor): HeadParams => {
  const { channels, stages, extraLevels } = neck;
  const keys = split(key, 2 * head.convs + 3);
  const filter = (index: number, outputs: number, bias = 0): ConvParams => {
    const shape: FilterShape = [outputs, channels, 3, 3];
    return initConv(keys[index]!, shape, narrowNormal(0.01), bias);
  };
  const tower = (first: number): TowerLayerParams[] =>
    Array.from({ length: head.convs }, (_, i) => ({
      conv: filter(first + i, channels),
      gn: initAffine(channels),
    }));
  const last = 2 * head.convs;
  return {
    cls_convs: tower(0),
    reg_convs: tower(head.convs),
    conv_cls: filter(last, classes.length, logitOf(head.priorProbability)),
    conv_reg: filter(last + 1, 4, head.distanceBias),
    conv_centerness: filter(last + 2, 1),
    scales: Array.from({ length: stages + extraLevels }, () => ({ scale: scalar(1) })),
    center_prior: { mean: zeros([classes.length, 2]), sigma: ones([classes.length, 2]) },
  };
};

const tower = (
  { groups }: HeadConfig,
  layers: readonly TowerLayerParams[],
  { x, label }: { x: Tensor; label: string },
): Tensor =>
  layers.reduce((input, layer, i) => {
    const next = conv(layer.conv, input, { padding: 1, label: `${label}.${i}.conv` });
    return relu(groupNorm(next, layer.gn, { groups, label: `${label}.${i}.gn` }));
  }, x);

/** Maps of one level: logits f32[N,K,h,w], objectness f32[N,1,h,w], distances f32[N,4,h,w] in pixels. */
export type LevelPredictions = Predictions;

/** The head's maps on one level of the pyramid. */
export const levelPredictions = (
  config: HeadConfig,
  params: HeadParams,
  { x, scale, stride }: { readonly x: Tensor; readonly scale: Tensor; readonly stride: number },
  recompute: Recompute = 'none',
): LevelPredictions => {
  const towerOf = (label: string) =>
    block(recompute, (layers: readonly TowerLayerParams[], input: Tensor) =>
      tower(config, layers, { x: input, label }),
    );
  const classFeatures = towerOf('bbox_head.cls_convs')(params.cls_convs, x);
  const boxFeatures = towerOf('bbox_head.reg_convs')(params.reg_convs, x);
  const reach = conv(params.conv_reg, boxFeatures, { padding: 1, label: 'bbox_head.conv_reg' });
  return {
    logits: conv(params.conv_cls, classFeatures, { padding: 1, label: 'bbox_head.conv_cls' }),
    objectness: conv(params.conv_centerness, boxFeatures, {
      padding: 1,
      label: 'bbox_head.conv_centerness',
    }),
    // clamp rather than relu: at exactly 0 the gradient passes, as in the published training
    distances: mul(clamp(mul(reach, scale), { min: 0 }), stride),
  };
};

/** Maps f32[N,C,h,w] as rows per location f32[N,h*w,C]. */
const rowsOf = (maps: Tensor): Tensor => {
  const [images, channels, height, width] = maps.shape as readonly [number, number, number, number];
  return reshape(transpose(maps, [0, 2, 3, 1]), [images, height * width, channels]);
};

/**
 * The maps of all levels as one list of locations: finest level first, row by row.
 *
 * Shapes   -> logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4]
 */
export const joinLevels = (levels: readonly LevelPredictions[]): Predictions => {
  const join = (part: keyof LevelPredictions): Tensor =>
    concat(
      levels.map((level) => rowsOf(level[part])),
      1,
    );
  const objectness = join('objectness');
  return {
    logits: join('logits'),
    objectness: reshape(objectness, objectness.shape.slice(0, 2)),
    distances: join('distances'),
  };
};
