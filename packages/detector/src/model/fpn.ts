// The neck: a feature pyramid over the last stages of the backbone, with coarser levels added at its end.
import type { Tensor } from '@autoassign/tensor';
import { add, relu, resizeNearest, split } from '@autoassign/tensor';
import { type DetectorConfig, stageWidths } from '../config.ts';
import { type ConvParams, conv, initConv } from '../nn/conv.ts';
import { fanInUniform } from '../nn/init.ts';

/** 1x1 convolutions on the stages, 3x3 convolutions that give the levels; extra levels come last. */
export type NeckParams = {
  readonly lateral_convs: readonly { readonly conv: ConvParams }[];
  readonly fpn_convs: readonly { readonly conv: ConvParams }[];
};

/** The parameters of a pyramid that has learned nothing, as unevaluated tensors. */
export const initNeck = ({ backbone, neck }: DetectorConfig, key: Tensor): NeckParams => {
  const { channels, stages, extraLevels } = neck;
  const widths = stageWidths(backbone).slice(-stages);
  const keys = split(key, 2 * stages + extraLevels);
  const level = (i: number): { conv: ConvParams } => {
    const inputs = i === stages ? widths.at(-1)! : channels;
    return { conv: initConv(keys[stages + i]!, [channels, inputs, 3, 3], fanInUniform) };
  };
  return {
    lateral_convs: widths.map((width, i) => ({
      conv: initConv(keys[i]!, [channels, width, 1, 1], fanInUniform),
    })),
    fpn_convs: Array.from({ length: stages + extraLevels }, (_, i) => level(i)),
  };
};

/**
 * The levels of the pyramid, finest first.
 *
 * Shapes   features of the stages that enter it, f32[N,C,h,w] each, finest first -> per level f32[N,channels,h,w]
 * Source   Lin et al., Feature Pyramid Networks (2017); extra levels as in FCOS: the first from the last stage, further ones from
 *          ReLU of the level before
 */
export const neckFeatures = (params: NeckParams, features: readonly Tensor[]): Tensor[] => {
  const merged = topDown(params, features);
  const levels = merged.map((x, i) =>
    conv(params.fpn_convs[i]!.conv, x, { padding: 1, label: `neck.fpn_convs.${i}` }),
  );
  for (let i = features.length; i < params.fpn_convs.length; i++) {
    const source = i === features.length ? features.at(-1)! : relu(levels.at(-1)!);
    levels.push(
      conv(params.fpn_convs[i]!.conv, source, { stride: 2, padding: 1, label: `neck.fpn_convs.${i}` }),
    );
  }
  return levels;
};

/** Every stage's lateral features plus those of the coarser stages, enlarged. */
const topDown = ({ lateral_convs }: NeckParams, features: readonly Tensor[]): Tensor[] => {
  const merged: Tensor[] = [];
  for (let i = features.length - 1; i >= 0; i--) {
    const lateral = conv(lateral_convs[i]!.conv, features[i]!, { label: `neck.lateral_convs.${i}` });
    const above = merged[0];
    const [height, width] = [lateral.shape[2]!, lateral.shape[3]!];
    merged.unshift(above === undefined ? lateral : add(lateral, resizeNearest(above, [height, width])));
  }
  return merged;
};
