// The three parts composed: parameters of the whole detector, its predictions, and which parameters are trained.
import type { Tensor } from '@autoassign/tensor';
import { leavesWithPaths, mapTree, ShapeError, sentence, split } from '@autoassign/tensor';
import type { Predictions } from '../assign/inputs.ts';
import { type DetectorConfig, featureLevels } from '../config.ts';
import { locations, type Points } from '../geometry/points.ts';
import { learnsCenterPrior, usesObjectness } from '../lossConfig.ts';
import type { Recompute } from '../nn/recompute.ts';
import { initNeck, type NeckParams, neckFeatures } from './fpn.ts';
import { type HeadParams, initHead, joinLevels, levelPredictions } from './head.ts';
import { type BackboneParams, backboneFeatures, initBackbone } from './resnet.ts';

/** All parameters; their paths are the names of published checkpoints, such as `backbone.layer1.0.conv1.weight`. */
export type Params = {
  readonly backbone: BackboneParams;
  readonly neck: NeckParams;
  readonly bbox_head: HeadParams;
};

/** The parameters of a detector that has learned nothing, as unevaluated tensors. */
export const initParams = (config: DetectorConfig, key: Tensor): Params => {
  const [backboneKey, neckKey, headKey] = split(key, 3) as [Tensor, Tensor, Tensor];
  return {
    backbone: initBackbone(config.backbone, backboneKey),
    neck: initNeck(config, neckKey),
    bbox_head: initHead(config, headKey),
  };
};

/** Predictions, and the locations they are made at. */
export type Forward = Predictions & { readonly points: Points };

/**
 * What the network says of images.
 *
 * Shapes   images f32[N,3,H,W] -> logits f32[N,R,K], objectness f32[N,R], distances f32[N,R,4], points locations f32[R,2] and
 *          strides f32[R]
 * Units    distances and locations in pixels of the padded image
 * Gradient to all parameters; to a distance of exactly 0 too
 * Throws   ShapeError when the images are not f32[N,3,H,W]
 */
export const forward = (
  config: DetectorConfig,
  params: Params,
  images: Tensor,
  recompute: Recompute = 'none',
): Forward => {
  requireImages(images);
  const stages = backboneFeatures(config.backbone, params.backbone, images, recompute);
  const features = neckFeatures(params.neck, stages.slice(-config.neck.stages));
  const levels = featureLevels(config, images.shape[2]!, images.shape[3]!);
  const { scales } = params.bbox_head;
  const maps = features.map((x, i) => {
    const level = { x, scale: scales[i]!.scale, stride: levels[i]!.stride };
    return levelPredictions(config.head, params.bbox_head, level, recompute);
  });
  return { ...joinLevels(maps), points: locations(levels) };
};

const requireImages = (images: Tensor): void => {
  if (images.dtype === 'f32' && images.shape.length === 4 && images.shape[1] === 3) return;
  throw new ShapeError(
    sentence({
      where: 'forward',
      needs: 'images f32[N,3,H,W]',
      got: `${images.dtype}[${images.shape.join(',')}]`,
      advice: 'Normalise and batch the images first.',
    }),
  );
};

/** Whether the loss looks at the parameter of the head at a path. */
const isUsed = ({ loss }: DetectorConfig, path: string): boolean => {
  if (path.startsWith('bbox_head.center_prior.')) return learnsCenterPrior(loss);
  return usesObjectness(loss) || !path.startsWith('bbox_head.conv_centerness.');
};

/** Whether training changes the parameter at a path: not in the frozen parts, never a fixed batch norm, nor what the loss does not use. */
export const isTrained = (config: DetectorConfig, path: string): boolean => {
  const { backbone } = config;
  if (!path.startsWith('backbone.')) return isUsed(config, path);
  const part = Number(/^backbone\.layer(\d+)\./.exec(path)?.[1] ?? 0);
  if (part < backbone.frozenParts) return false;
  return backbone.norm.kind === 'group' || !/\.(bn\d|downsample\.1|norm)\./.test(path);
};

/** The trained parameters by path. */
export const trainedParams = (config: DetectorConfig, params: Params): Record<string, Tensor> =>
  Object.fromEntries(leavesWithPaths(params).filter(([path]) => isTrained(config, path)));

/** The parameters with those at the given paths replaced. */
export const withTrained = (params: Params, trained: Readonly<Record<string, Tensor>>): Params =>
  mapTree((leaf, path) => trained[path] ?? leaf, params);
