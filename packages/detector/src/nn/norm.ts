// The backbone's normalisation layers: one function for both kinds, chosen by the configuration.
import type { AffineParams, BatchNormParams, Tensor } from '@autoassign/tensor';
import { frozenBatchNorm, groupNorm, ones, zeros } from '@autoassign/tensor';
import type { NormConfig } from '../config.ts';

/** Scale and shift per channel, with stored statistics for batch norm. */
export type NormParams = AffineParams | BatchNormParams;

/** A scale of 1 and a shift of 0 for every channel. */
export const initAffine = (channels: number): AffineParams => ({
  weight: ones([channels]),
  bias: zeros([channels]),
});

/** The parameters of a normalisation that changes nothing but the statistics. */
export const initNorm = (config: NormConfig, channels: number): NormParams =>
  config.kind === 'group'
    ? initAffine(channels)
    : { ...initAffine(channels), running_mean: zeros([channels]), running_var: ones([channels]) };

/**
 * The normalised features.
 *
 * Shapes   x f32[N,C,H,W] -> f32[N,C,H,W]
 */
export const norm = (config: NormConfig, params: NormParams, x: Tensor, label?: string): Tensor => {
  if (config.kind === 'frozenBatch') return frozenBatchNorm(x, params as BatchNormParams);
  const groups = x.shape[1]! / config.channelsPerGroup;
  return groupNorm(x, params, { groups, ...(label === undefined ? {} : { label }) });
};

/** The name of a normalisation layer among the parameters of its block. */
export type NormName = `bn${number}` | `gn${number}`;

/** The name of normalisation layer `index`: bn1 as in published checkpoints, gn1 for group norm. */
export const normName = (config: NormConfig, index: number): NormName =>
  config.kind === 'group' ? `gn${index}` : `bn${index}`;

/** Normalisation layers by name. */
export type NamedNorms = { readonly [name: NormName]: NormParams };

/** The parameters of normalisation layers 1, 2, … of a block, one per number of channels. */
export const initNamedNorms = (config: NormConfig, channels: readonly number[]): NamedNorms =>
  Object.fromEntries(channels.map((count, i) => [normName(config, i + 1), initNorm(config, count)]));
