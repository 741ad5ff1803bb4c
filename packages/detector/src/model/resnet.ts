// The backbone: a residual network of basic or bottleneck blocks; its parameters stand under the names of published checkpoints.
import type { Tensor } from '@autoassign/tensor';
import { add, conv2d, maxPool2d, relu, split } from '@autoassign/tensor';
import { type BackboneConfig, blockWidth, stageWidths, stemWidth } from '../config.ts';
import { type FilterParams, initFilter } from '../nn/conv.ts';
import { type DeformableConvParams, deformableConv, initDeformableConv } from '../nn/deformable.ts';
import { type FilterShape, fanOutNormal } from '../nn/init.ts';
import { initNamedNorms, initNorm, type NamedNorms, type NormParams, norm, normName } from '../nn/norm.ts';
import { block, type Recompute } from '../nn/recompute.ts';

/** Convolutions by name. */
export type NamedFilters = { readonly [name: `conv${number}`]: FilterParams | DeformableConvParams };

/** One residual block: conv1, bn1 (gn1 for group norm), conv2, … and the projection of its shortcut where the shape changes. */
export type BlockParams = NamedFilters &
  NamedNorms & { readonly downsample?: readonly [FilterParams, NormParams] };

/** One layer of a plain stem. */
export type StemLayerParams = { readonly conv: FilterParams; readonly norm: NormParams };

/** The backbone: conv1 and bn1 of a pooled stem, or the layers of a plain one; then the blocks of layer1, layer2, … */
export type BackboneParams = NamedFilters &
  NamedNorms & {
    readonly stem?: readonly StemLayerParams[];
    readonly [name: `layer${number}`]: readonly BlockParams[];
  };

/** One convolution of a block. */
interface BlockLayer {
  readonly shape: FilterShape;
  readonly stride: number;
  readonly groups: number;
  readonly isDeformable: boolean;
}

/** Where a block stands in the network. */
interface BlockPlace {
  readonly inputs: number;
  /** Channels between its convolutions. */
  readonly width: number;
  readonly outputs: number;
  readonly stride: number;
  readonly isDeformable: boolean;
}

const blockLayers = (config: BackboneConfig, place: BlockPlace): BlockLayer[] => {
  const { inputs, width, outputs, stride, isDeformable } = place;
  const layer = (shape: FilterShape, layerStride = 1): BlockLayer => ({
    shape,
    stride: layerStride,
    groups: 1,
    isDeformable: false,
  });
  if (config.block === 'basic') return [layer([width, inputs, 3, 3], stride), layer([outputs, width, 3, 3])];
  const groups = config.cardinality?.groups ?? 1;
  const [first, second] = config.style === 'pytorch' ? [1, stride] : [stride, 1];
  return [
    layer([width, inputs, 1, 1], first),
    { shape: [width, width / groups, 3, 3], stride: second, groups, isDeformable },
    layer([outputs, width, 1, 1]),
  ];
};

/** The places of every block, by stage. */
const blockPlaces = (config: BackboneConfig): BlockPlace[][] => {
  const widths = stageWidths(config);
  return config.planes.map((planes, stage) => {
    const outputs = widths[stage]!;
    const inputs = stage === 0 ? stemWidth(config) : widths[stage - 1]!;
    return Array.from({ length: config.depths[stage]! }, (_, block) => ({
      inputs: block === 0 ? inputs : outputs,
      width: blockWidth(config, planes),
      outputs,
      stride: block === 0 ? config.strides[stage]! : 1,
      isDeformable: config.deformable?.[stage] ?? false,
    }));
  });
};

const initBlock = (config: BackboneConfig, key: Tensor, place: BlockPlace): BlockParams => {
  const layers = blockLayers(config, place);
  const keys = split(key, layers.length + 1);
  const filters: NamedFilters = Object.fromEntries(
    layers.map(({ shape, groups, isDeformable }, i) => [
      `conv${i + 1}`,
      isDeformable
        ? initDeformableConv(keys[i]!, shape, fanOutNormal, groups)
        : initFilter(keys[i]!, shape, fanOutNormal),
    ]),
  );
  const norms = initNamedNorms(
    config.norm,
    layers.map(({ shape }) => shape[0]),
  );
  const { inputs, outputs, stride } = place;
  const params: BlockParams = { ...filters, ...norms };
  if (inputs === outputs && stride === 1) return params;
  const projection = initFilter(keys.at(-1)!, [outputs, inputs, 1, 1], fanOutNormal);
  return { ...params, downsample: [projection, initNorm(config.norm, outputs)] };
};

const initStem = ({ stem, norm: kind }: BackboneConfig, key: Tensor): BackboneParams => {
  if (stem.kind === 'pooled')
    return {
      conv1: initFilter(key, [stem.width, 3, 7, 7], fanOutNormal),
      ...initNamedNorms(kind, [stem.width]),
    };
  const keys = split(key, stem.widths.length);
  const layers = stem.widths.map((width, i) => ({
    conv: initFilter(keys[i]!, [width, stem.widths[i - 1] ?? 3, 3, 3], fanOutNormal),
    norm: initNorm(kind, width),
  }));
  return { stem: layers };
};

/** The parameters of a backbone that has learned nothing, as unevaluated tensors. */
export const initBackbone = (config: BackboneConfig, key: Tensor): BackboneParams => {
  const [stemKey, ...stageKeys] = split(key, config.planes.length + 1);
  const stages = blockPlaces(config).map((places, stage) => {
    const keys = split(stageKeys[stage]!, places.length);
    const blocks = places.map((place, i) => initBlock(config, keys[i]!, place));
    return [`layer${stage + 1}`, blocks] as const;
  });
  return { ...initStem(config, stemKey!), ...Object.fromEntries(stages) };
};

const stemFeatures = (config: BackboneConfig, params: BackboneParams, images: Tensor): Tensor => {
  const { stem } = config;
  if (stem.kind === 'pooled') {
    const first = conv2d(images, params.conv1!.weight, { stride: 2, padding: 3, label: 'backbone.conv1' });
    const name = normName(config.norm, 1);
    const active = relu(norm(config.norm, params[name]!, first, `backbone.${name}`));
    return maxPool2d(active, { window: 3, stride: 2, padding: 1 });
  }
  return params.stem!.reduce((x, layer, i) => {
    const label = `backbone.stem.${i}`;
    const next = conv2d(x, layer.conv.weight, { stride: 2, padding: 1, label: `${label}.conv` });
    return relu(norm(config.norm, layer.norm, next, `${label}.norm`));
  }, images);
};

const layerFeatures = (
  params: FilterParams | DeformableConvParams,
  { stride, groups, shape, isDeformable }: BlockLayer,
  { x, label }: { x: Tensor; label: string },
): Tensor => {
  const options = { stride, padding: (shape[2] - 1) / 2, groups, label };
  return isDeformable
    ? deformableConv(params as DeformableConvParams, x, options)
    : conv2d(x, params.weight, options);
};

const blockFeatures = (
  config: BackboneConfig,
  params: BlockParams,
  { x, place, label }: { x: Tensor; place: BlockPlace; label: string },
): Tensor => {
  const layers = blockLayers(config, place);
  const residual = layers.reduce((input, layer, i) => {
    const [convName, name] = [`conv${i + 1}` as const, normName(config.norm, i + 1)];
    const next = layerFeatures(params[convName]!, layer, { x: input, label: `${label}.${convName}` });
    const normalized = norm(config.norm, params[name]!, next, `${label}.${name}`);
    return i === layers.length - 1 ? normalized : relu(normalized);
  }, x);
  return relu(add(residual, shortcut(config, params, { x, place, label })));
};

const shortcut = (
  config: BackboneConfig,
  { downsample }: BlockParams,
  { x, place, label }: { x: Tensor; place: BlockPlace; label: string },
): Tensor => {
  if (downsample === undefined) return x;
  const [{ weight }, normParams] = downsample;
  const projected = conv2d(x, weight, { stride: place.stride, label: `${label}.downsample.0` });
  return norm(config.norm, normParams, projected, `${label}.downsample.1`);
};

/**
 * The features of every stage, finest first.
 *
 * Shapes   images f32[N,3,H,W] -> per stage f32[N,C,h,w], h = ceil(H / stride)
 */
export const backboneFeatures = (
  config: BackboneConfig,
  params: BackboneParams,
  images: Tensor,
  recompute: Recompute = 'none',
): Tensor[] => {
  let x = stemFeatures(config, params, images);
  return blockPlaces(config).map((places, stage) => {
    const blocks = params[`layer${stage + 1}`]!;
    places.forEach((place, i) => {
      const label = `backbone.layer${stage + 1}.${i}`;
      const features = (own: BlockParams, input: Tensor): Tensor =>
        blockFeatures(config, own, { x: input, place, label });
      x = block(recompute, features)(blocks[i]!, x);
    });
    return x;
  });
};
