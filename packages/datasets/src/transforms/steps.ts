// Transforms as plain data: a list of steps that configuration files and worker threads can carry, and what it does.
import { DatasetError } from '../errors.ts';
import { mixSeeds } from '../random.ts';
import type { Sample } from '../types.ts';
import { type CropStep, cropStep } from './crop.ts';
import { type FlipStep, flipStep } from './flip.ts';
import { type MinimumIouCropStep, minimumIouCropStep } from './minimumIouCrop.ts';
import { type MosaicStep, mosaicIndices, mosaicStep } from './mosaic.ts';
import { jittered, type Normalization, type NormalizeJitterStep } from './normalize.ts';
import { type PhotometricStep, photometricStep } from './photometric.ts';
import { type ResizeStep, resizeStep } from './resize.ts';

/** One change of a sample, as data; what it draws depends on a key alone. */
export type TransformStep =
  | ResizeStep
  | FlipStep
  | CropStep
  | MinimumIouCropStep
  | PhotometricStep
  | MosaicStep
  | NormalizeJitterStep;

/**
 * The sample after all steps, one after the other; `companions` are the samples that `companionIndices` names for the same key.
 *
 * Units    boxes follow the pixels, in pixels of the new picture
 * Throws   DatasetError when there are not as many companions as the steps need
 * Example  applySteps([{ type: 'resize', shortSide: 800, longSide: 1333 }, { type: 'flip' }], sample, mixSeeds(seed, epoch, index))
 */
export const applySteps = (
  steps: readonly TransformStep[],
  sample: Sample,
  key: number,
  companions: readonly Sample[] = [],
): Sample => {
  const earlier = steps.slice(0, mosaicPosition(steps));
  const others = (position: number): readonly Sample[] =>
    companions.map((companion, i) => applySteps(earlier, companion, mixSeeds(key, position, i)));
  return steps.reduce((changed, step, i) => {
    const own = mixSeeds(key, i);
    return step.type === 'mosaic' ? mosaicStep(changed, step, own, others(i)) : applyStep(step, changed, own);
  }, sample);
};

const applyStep = (step: Exclude<TransformStep, MosaicStep>, sample: Sample, key: number): Sample => {
  switch (step.type) {
    case 'resize':
      return resizeStep(sample, step, key);
    case 'flip':
      return flipStep(sample, step, key);
    case 'crop':
      return cropStep(sample, step, key);
    case 'minimumIouCrop':
      return minimumIouCropStep(sample, step, key);
    case 'photometric':
      return photometricStep(sample, step, key);
    case 'normalizeJitter':
      // It waits for the numbers: see `normalizationFor`.
      return sample;
  }
};

/**
 * Which further samples the steps of a sample need, as indices of a dataset of the given length: three where they make a mosaic
 * of it, else none.
 *
 * Throws   DatasetError when there is more than one mosaic among the steps
 * Example  const companions = await Promise.all(companionIndices(steps, key, dataset.length).map((index) => dataset.at(index)))
 */
export const companionIndices = (
  steps: readonly TransformStep[],
  key: number,
  length: number,
): readonly number[] => {
  const position = mosaicPosition(steps);
  const step = steps[position];
  return step?.type === 'mosaic' ? mosaicIndices(step, mixSeeds(key, position), length) : [];
};

/** Where the mosaic is among the steps; behind the last one when there is none. */
const mosaicPosition = (steps: readonly TransformStep[]): number => {
  const positions = steps.flatMap(({ type }, i) => (type === 'mosaic' ? [i] : []));
  if (positions.length < 2) return positions[0] ?? steps.length;
  throw new DatasetError(
    `applySteps(steps): needs at most one mosaic, got ${positions.length}. Remove all but one.`,
    { field: 'steps' },
  );
};

/**
 * The normalisation of a sample after the steps: the given one, varied by the steps of type 'normalizeJitter' alone.
 *
 * Example  normalize(applySteps(steps, sample, key).pixels, normalizationFor(steps, normalization, key))
 */
export const normalizationFor = (
  steps: readonly TransformStep[],
  normalization: Normalization,
  key: number,
): Normalization =>
  steps.reduce(
    (varied, step, i) =>
      step.type === 'normalizeJitter' ? jittered(varied, step, mixSeeds(key, i)) : varied,
    normalization,
  );
