// Mosaics: four pictures around a point in one, so that a network sees more and smaller objects at once.
import { DatasetError } from '../errors.ts';
import { randomStream } from '../random.ts';
import type { Annotation, Sample } from '../types.ts';
import { visibleObjects } from './cut.ts';
import { resize } from './resize.ts';
import type { Range } from './size.ts';

/** Puts a picture and three others, drawn from the whole dataset, together. */
export interface MosaicStep {
  readonly type: 'mosaic';
  /** Both sides of the mosaic in pixels; each picture is made to fit half of them, ratio kept. */
  readonly size: number;
  /** Where the pictures meet, as a share of the size, drawn for each axis; 0.25 to 0.75 unless told otherwise. */
  readonly center?: Range;
  /** The byte of every channel where no picture is; 114 unless told otherwise. */
  readonly fill?: number;
  /** The share of samples that become mosaics; 1 unless told otherwise. */
  readonly probability?: number;
}

const companions = 3;

/** Whether the key makes a mosaic of its sample. */
const isMosaic = ({ probability = 1 }: MosaicStep, key: number): boolean =>
  randomStream(key, 0).uniform(0, 1) < probability;

/** The indices of the three other pictures of a dataset of `length`; none where the key leaves the sample alone. */
export const mosaicIndices = (step: MosaicStep, key: number, length: number): readonly number[] => {
  if (!isMosaic(step, key)) return [];
  const random = randomStream(key, 1);
  return Array.from({ length: companions }, () => random.integer(length));
};

/** The mosaic of a sample and three others, under the name of the first; or the sample, as the key decides. */
export const mosaicStep = (
  sample: Sample,
  step: MosaicStep,
  key: number,
  others: readonly Sample[],
): Sample => {
  if (!isMosaic(step, key)) return sample;
  if (others.length !== companions)
    throw new DatasetError(
      `applySteps(${sample.file}): needs ${companions} companions for its mosaic, got ${others.length}. Pass the samples that companionIndices names.`,
      { file: sample.file, field: 'companions' },
    );
  const { from, to } = step.center ?? { from: 0.25, to: 0.75 };
  const random = randomStream(key, 2);
  const place = (): number => Math.floor(random.uniform(from, to) * step.size);
  return mosaic([sample, ...others], step.size, { x: place(), y: place() }, step.fill);
};

/**
 * The four samples around a point: the first at its upper left, then upper right, lower left and lower right, each touching it
 * with a corner, cut where they reach out.
 *
 * Units    pixels
 * Source   mmdetection's Mosaic with an image scale of half the size
 */
const mosaic = (
  samples: readonly Sample[],
  size: number,
  { x, y }: { readonly x: number; readonly y: number },
  fill = 114,
): Sample => {
  const data = new Uint8Array(size * size * 3).fill(fill);
  const annotations: Annotation[] = [];
  for (const [i, sample] of samples.entries()) {
    const side = Math.max(1, Math.floor(size / 2));
    const part = resize(sample, { shortSide: side, longSide: side });
    const left = i % 2 === 0 ? x - part.width : x;
    const top = i < 2 ? y - part.height : y;
    paste(data, size, part, left, top);
    annotations.push(...visibleObjects(part.annotations, [left, top], { width: size, height: size }));
  }
  const pixels = { width: size, height: size, channels: 3, data } as const;
  return { ...samples[0]!, width: size, height: size, annotations, pixels };
};

/** Copies what lies inside the square of side `size` whose rows are `data`. */
const paste = (data: Uint8Array, size: number, { pixels }: Sample, left: number, top: number): void => {
  const first = Math.max(0, -left);
  const count = Math.min(pixels.width, size - left) - first;
  if (count <= 0) return;
  for (let row = Math.max(0, -top); row < Math.min(pixels.height, size - top); row++) {
    const from = (row * pixels.width + first) * 3;
    data.set(pixels.data.subarray(from, from + count * 3), ((top + row) * size + left + first) * 3);
  }
};
