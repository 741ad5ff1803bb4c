// The padded sizes of training batches: few, whatever sizes the images have and are given, because each is a program.
import type { BatchOptions, CountedSize, Dataset, ImageSize } from '@autoassign/datasets';
import { chooseBuckets, isTrainable, paddedSize } from '@autoassign/datasets';
import { fittedSize } from './fittedSize.ts';
import type { ImagePlan, TrainingSize } from './runConfig.ts';

/** What images of several sizes are given where no number is asked for. */
const usualShapes = 16;

/** Of a range of short sides, as many are looked at when sizes are chosen. */
const sidesOfRange = 9;

/** The short sides that images may be given, or a sample of them that has the smallest and the largest. */
function sidesOf({ shortSides, draw }: TrainingSize): readonly number[] {
  const [first = 0, last = first] = [shortSides[0], shortSides.at(-1)];
  if (draw === 'choice' || shortSides.length < 2) return shortSides;
  return Array.from({ length: sidesOfRange }, (_, i) =>
    Math.round(first + ((last - first) * i) / (sidesOfRange - 1)),
  );
}

/** The sizes on disk of the images that are trained on, counted. */
function sizesIn(dataset: Dataset): readonly (ImageSize & { readonly count: number })[] {
  const counts = new Map<string, ImageSize & { count: number }>();
  for (let index = 0; index < dataset.length; index += 1) {
    const { width, height, annotations } = dataset.record(index);
    if (!annotations.some(isTrainable)) continue;
    const key = `${width}x${height}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { width, height, count: 1 });
    else known.count += 1;
  }
  return [...counts.values()];
}

const isPortrait = ({ width, height }: ImageSize): boolean => height > width;

/** A size that holds any of the sizes. */
function holdingAll(sizes: readonly ImageSize[]): ImageSize {
  return {
    width: sizes.reduce((most, { width }) => Math.max(most, width), 1),
    height: sizes.reduce((most, { height }) => Math.max(most, height), 1),
  };
}

/** What several images together may need: of each group that is batched, the largest width with the largest height. */
function largestTogether(sizes: readonly ImageSize[], { groupByAspect }: ImagePlan): readonly ImageSize[] {
  const groups = groupByAspect
    ? [sizes.filter(isPortrait), sizes.filter((size) => !isPortrait(size))]
    : [sizes];
  return groups.filter(({ length }) => length > 0).map(holdingAll);
}

type Buckets = Pick<BatchOptions, 'buckets' | 'bucketBy' | 'sizeInBatch'>;

/**
 * How the batches of training images get at most `mostShapes` padded sizes. Without that number there are 16 for several short sides, and for one short
 * side batches are as large as their images need.
 *
 * With one short side, images of one padded size are batched together. With several, a batch takes the smallest of the sizes that
 * holds its images as they were drawn.
 */
export function trainingBuckets(
  dataset: Dataset,
  images: ImagePlan,
  { padMultiple, perBatch }: { readonly padMultiple: number; readonly perBatch: number },
): Buckets {
  const { train } = images;
  const isMultiScale = train.shortSides.length > 1;
  const mostShapes = images.mostShapes ?? (isMultiScale ? usualShapes : undefined);
  if (mostShapes === undefined) return {};
  const largest = { ...train, shortSide: Math.max(...train.shortSides) };
  const sizeInBatch = (size: ImageSize): ImageSize => fittedSize(size, largest);
  if (!isMultiScale) return { buckets: { mostShapes }, sizeInBatch };
  const sizes = sizesIn(dataset);
  const drawn: CountedSize[] = sidesOf(train).flatMap((shortSide) =>
    sizes.map((size) => ({ ...fittedSize(size, { ...train, shortSide }), count: size.count })),
  );
  const together = perBatch === 1 ? [] : largestTogether(drawn.map(widthAndHeight), images);
  const most = Math.max(1, mostShapes - together.length);
  const chosen = [
    ...chooseBuckets(drawn, most, padMultiple),
    ...together.map((size) => paddedSize(size, padMultiple)),
  ];
  return {
    bucketBy: 'batch',
    sizeInBatch,
    buckets: { sizes: chosen.map(({ width, height }) => [width, height]) },
  };
}

const widthAndHeight = ({ width, height }: ImageSize): ImageSize => ({ width, height });
