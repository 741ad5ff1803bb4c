// Buckets: a few padded sizes for all images of a dataset, so that a network meets few shapes, with little padding.
import { DatasetError } from '../errors.ts';
import type { ImageSize } from '../transforms/size.ts';

/** A size, and how many images have it; one unless told otherwise. */
export interface CountedSize extends ImageSize {
  readonly count?: number;
}

/** Images that share a bucket: the bucket's sides, and how many images there are. */
interface Group {
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

/** More different sizes than this are rounded up first: the time grows with their square. */
const mostDifferentSizes = 1500;

/**
 * At most `most` sizes, multiples of `multiple`, of which at least one holds each of the given sizes; ascending by area.
 *
 * The two groups of images whose common bucket costs least are merged until `most` are left, and fewer are taken where
 * they pad less. More buckets never pad more. Over small random sets the padded area is at most 1.3 times the least
 * possible, and 1.01 times on average.
 *
 * Units    pixels; the cost is the padded area of all images, each in the smallest bucket that holds it
 * Throws   DatasetError when `most` or `multiple` is no positive integer, or a size is none
 * Example  chooseBuckets(sizes, 4, 32) // [{ width: 800, height: 1088 }, …]
 */
export const chooseBuckets = (
  sizes: Iterable<CountedSize>,
  most: number,
  multiple: number,
): readonly ImageSize[] => {
  checkPositive('mostShapes', most);
  checkPositive('multiple', multiple);
  const exact = countedSizes(sizes, multiple);
  if (exact.length <= most) return byArea(exact);
  let best: readonly ImageSize[] = [];
  let least = Number.POSITIVE_INFINITY;
  // Every level is looked at, whatever `most` is: this is why more buckets never pad more.
  for (const groups of mergingLevels(coarsened(exact, multiple), most)) {
    const buckets = fitted(groups, exact);
    const area = paddedArea(buckets, exact);
    if (area >= least) continue;
    least = area;
    best = buckets;
  }
  return best;
};

/**
 * The number of the first bucket that holds an image, -1 when none does; of buckets ascending by area it is the smallest.
 *
 * Example  bucketOf(buckets, { width: 640, height: 480 })
 */
export const bucketOf = (buckets: readonly ImageSize[], { width, height }: ImageSize): number =>
  buckets.findIndex((bucket) => bucket.width >= width && bucket.height >= height);

/**
 * The sizes from the smallest area to the largest.
 *
 * Example  byArea([{ width: 64, height: 64 }, { width: 32, height: 64 }])[0] // 32 x 64
 */
export const byArea = (sizes: readonly ImageSize[]): ImageSize[] =>
  sizes
    .map(({ width, height }) => ({ width, height }))
    .sort((a, b) => areaOf(a) - areaOf(b) || a.width - b.width);

const areaOf = ({ width, height }: ImageSize): number => width * height;

const checkPositive = (field: string, value: number): void => {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new DatasetError(
    `chooseBuckets(sizes): needs ${field} to be a positive integer, got ${value}. Correct the number.`,
    { field },
  );
};

/** The different padded sizes with their counts, in an order that does not depend on that of the images. */
const countedSizes = (sizes: Iterable<CountedSize>, multiple: number): Group[] => {
  const counts = new Map<number, number>();
  for (const size of sizes) {
    const { width, height, count = 1 } = size;
    if (!(width >= 1 && height >= 1)) throw noSize(size);
    const key = Math.ceil(width / multiple) * sideLimit + Math.ceil(height / multiple);
    counts.set(key, count + (counts.get(key) ?? 0));
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([key, count]) => ({
      width: Math.floor(key / sideLimit) * multiple,
      height: (key % sideLimit) * multiple,
      count,
    }));
};

const sideLimit = 2 ** 26;

const noSize = ({ width, height }: ImageSize): DatasetError =>
  new DatasetError(
    `chooseBuckets(sizes): needs sizes of at least 1 px, got ${width}x${height}. Correct the size.`,
    { field: 'sizes' },
  );

const coarsened = (exact: Group[], multiple: number): Group[] => {
  let groups = exact;
  for (let step = 2 * multiple; groups.length > mostDifferentSizes; step *= 2)
    groups = countedSizes(exact, step);
  return groups;
};

/** The groups that are left after every merge, from `most` groups down to a single one. */
function* mergingLevels(start: readonly Group[], most: number): Generator<readonly Group[]> {
  const groups: (Group | undefined)[] = [...start];
  const nearest = groups.map((_, i) => nearestOf(groups, i));
  let left = groups.length;
  if (left <= most) yield start;
  while (left > 1) {
    const first = cheapest(nearest);
    const second = nearest[first]!.other;
    groups[first] = merged(groups[first]!, groups[second]!);
    groups[second] = undefined;
    nearest[second] = undefined;
    left -= 1;
    for (const [i, known] of nearest.entries()) {
      if (known === undefined) continue;
      if (i === first || known.other === first || known.other === second) nearest[i] = nearestOf(groups, i);
      else if (i < first) {
        const cost = costOf(groups[i]!, groups[first]!);
        if (cost < known.cost) nearest[i] = { other: first, cost };
      }
    }
    if (left <= most) yield groups.filter((group) => group !== undefined);
  }
}

/** The partner behind group `i` that costs least to merge with, and the cost. */
interface Nearest {
  readonly other: number;
  readonly cost: number;
}

const nearestOf = (groups: readonly (Group | undefined)[], i: number): Nearest | undefined => {
  const group = groups[i]!;
  let other = -1;
  let cost = Number.POSITIVE_INFINITY;
  for (let j = i + 1; j < groups.length; j++) {
    const candidate = groups[j];
    if (candidate === undefined) continue;
    const found = costOf(group, candidate);
    if (found >= cost) continue;
    other = j;
    cost = found;
  }
  return other < 0 ? undefined : { other, cost };
};

const cheapest = (nearest: readonly (Nearest | undefined)[]): number => {
  let best = -1;
  for (const [i, known] of nearest.entries())
    if (known !== undefined && (best < 0 || known.cost < nearest[best]!.cost)) best = i;
  return best;
};

const merged = (a: Group, b: Group): Group => ({
  width: Math.max(a.width, b.width),
  height: Math.max(a.height, b.height),
  count: a.count + b.count,
});

/** The padding that a common bucket adds. */
const costOf = (a: Group, b: Group): number => {
  const width = Math.max(a.width, b.width);
  const height = Math.max(a.height, b.height);
  return width * height * (a.count + b.count) - a.width * a.height * a.count - b.width * b.height * b.count;
};

/** The buckets without those nobody needs, each no larger than the images in it. */
const fitted = (groups: readonly Group[], exact: readonly Group[]): ImageSize[] => {
  const buckets = byArea(groups);
  const needed = new Map<number, Group>();
  for (const size of exact) {
    const bucket = bucketOf(buckets, size);
    const known = needed.get(bucket);
    needed.set(bucket, known === undefined ? size : merged(known, size));
  }
  return byArea([...needed.values()]);
};

const paddedArea = (buckets: readonly ImageSize[], exact: readonly Group[]): number =>
  exact.reduce((sum, size) => sum + size.count * areaOf(buckets[bucketOf(buckets, size)]!), 0);
