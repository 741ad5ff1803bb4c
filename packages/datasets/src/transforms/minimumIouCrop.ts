// The crop of SSD: parts of pictures that overlap every object by a share that is drawn too.
import { type RandomStream, randomStream } from '../random.ts';
import type { Box, Sample } from '../types.ts';
import { crop } from './crop.ts';
import type { Region } from './cut.ts';
import type { ImageSize } from './size.ts';

/** Cuts a part out of most pictures, chosen so that no object is nearly lost. */
export interface MinimumIouCropStep {
  readonly type: 'minimumIouCrop';
  /** The overlaps (IoU of the part with every box) one of which is asked for; 0.1, 0.3, 0.5, 0.7 and 0.9 unless told otherwise. */
  readonly minimumIous?: readonly number[];
  /** The least share of a side that a part has; 0.3 unless told otherwise. */
  readonly smallest?: number;
}

const usualIous = [0.1, 0.3, 0.5, 0.7, 0.9];
const draws = 50;

/**
 * A part of the sample or the whole of it, as the key decides: one of the given overlaps, none, or the whole picture is asked for, all
 * equally likely, until a part is found among 50 that is at most twice as long as wide, overlaps every box by that much and holds the
 * centre of one at least. Objects with their centre outside are left out, the others clipped.
 *
 * Source   Liu et al., SSD (2016), section 2.2, as in mmdetection's MinIoURandomCrop; differs in: after 50 overlaps without a part the
 *          picture stays whole
 */
export const minimumIouCropStep = (sample: Sample, step: MinimumIouCropStep, key: number): Sample => {
  const { minimumIous = usualIous, smallest = 0.3 } = step;
  const random = randomStream(key);
  const wanted = [1, ...minimumIous, 0];
  for (let i = 0; i < draws; i++) {
    const minimum = wanted[random.integer(wanted.length)]!;
    if (minimum === 1) return sample;
    const region = findRegion(sample, minimum, smallest, random);
    if (region !== undefined) return crop(withCentresIn(sample, region), region);
  }
  return sample;
};

const findRegion = (
  sample: Sample,
  minimum: number,
  smallest: number,
  random: RandomStream,
): Region | undefined => {
  const { annotations } = sample;
  for (let i = 0; i < draws; i++) {
    const region = drawRegion(sample, smallest, random);
    if (region === undefined) continue;
    if (annotations.some(({ box }) => iouWith(region, box) < minimum)) continue;
    if (annotations.length === 0 || annotations.some(({ box }) => hasCentreOf(region, box))) return region;
  }
  return undefined;
};

const drawRegion = (sample: ImageSize, smallest: number, random: RandomStream): Region | undefined => {
  const width = random.uniform(smallest * sample.width, sample.width);
  const height = random.uniform(smallest * sample.height, sample.height);
  const x = random.uniform(0, sample.width - width);
  const y = random.uniform(0, sample.height - height);
  if (height < width / 2 || height > width * 2) return undefined;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const region = { left, top, width: Math.floor(x + width) - left, height: Math.floor(y + height) - top };
  return region.width > 0 && region.height > 0 ? region : undefined;
};

const iouWith = ({ left, top, width, height }: Region, [x1, y1, x2, y2]: Box): number => {
  const across = Math.min(x2, left + width) - Math.max(x1, left);
  const down = Math.min(y2, top + height) - Math.max(y1, top);
  const shared = Math.max(across, 0) * Math.max(down, 0);
  return shared / (width * height + (x2 - x1) * (y2 - y1) - shared);
};

const hasCentreOf = ({ left, top, width, height }: Region, [x1, y1, x2, y2]: Box): boolean => {
  const x = (x1 + x2) / 2;
  const y = (y1 + y2) / 2;
  return x > left && x < left + width && y > top && y < top + height;
};

const withCentresIn = (sample: Sample, region: Region): Sample => ({
  ...sample,
  annotations: sample.annotations.filter(({ box }) => hasCentreOf(region, box)),
});
