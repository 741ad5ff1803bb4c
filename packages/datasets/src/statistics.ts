// What a dataset is made of, in numbers: classes, sizes of pictures and boxes, objects per picture.
import type { Annotation, Dataset } from './types.ts';

/** Where the values of some quantity lie. */
export interface Spread {
  readonly count: number;
  readonly least: number;
  readonly mean: number;
  readonly most: number;
  /** Values below which that percentage lies, interpolated linearly between neighbours. */
  readonly percentiles: Readonly<Record<5 | 25 | 50 | 75 | 95, number>>;
}

/** How many values lie in [from, to). */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** One class and what there is of it. */
export interface ClassStatistics {
  readonly name: string;
  readonly objects: number;
  /** Pictures that show at least one of them. */
  readonly images: number;
}

/** A size that pictures have. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly images: number;
}

/** The boxes of a dataset, crowd regions left out. */
export interface BoxStatistics {
  readonly widths: Spread;
  readonly heights: Spread;
  /** The square root of width times height: the size of a square of the same area. */
  readonly sides: Spread;
  /** Width over height. */
  readonly aspectRatios: Spread;
  /** Objects by COCO's ranges of the annotated area: below 32², from there below 96², and above. */
  readonly areas: Readonly<Record<'small' | 'medium' | 'large', number>>;
  /** `sides` in bins whose ends grow by the square root of 2. */
  readonly sideBins: readonly Bin[];
}

/** The numbers of a whole dataset. */
export interface DatasetStatistics {
  readonly images: number;
  readonly imagesWithoutObjects: number;
  /** All objects, those that follow included. */
  readonly objects: number;
  readonly crowds: number;
  readonly ignored: number;
  readonly difficult: number;
  readonly truncated: number;
  readonly classes: readonly ClassStatistics[];
  readonly widths: Spread;
  readonly heights: Spread;
  /** The most frequent first. */
  readonly pictureSizes: readonly PictureSize[];
  readonly boxes: BoxStatistics;
  readonly objectsPerImage: Spread;
  /** How many pictures have 0, 1, 2 … objects. */
  readonly imagesByObjects: readonly number[];
}

/**
 * The numbers of a dataset, from its records: no picture is decoded.
 *
 * Units    pixels
 * Example  datasetStatistics(await openCoco('data/cells', { split: 'train' })).boxes.sides.percentiles[50]
 */
export const datasetStatistics = (
  dataset: Pick<Dataset, 'classes' | 'length' | 'record'>,
): DatasetStatistics => {
  const { length } = dataset;
  const widths = new Float64Array(length);
  const heights = new Float64Array(length);
  const objectsPerImage = new Float64Array(length);
  const sizes = new Map<string, PictureSize>();
  const objects = objectTally(dataset.classes);
  for (let index = 0; index < length; index++) {
    const { width, height, annotations } = dataset.record(index);
    widths[index] = width;
    heights[index] = height;
    objectsPerImage[index] = annotations.length;
    const size = `${width}x${height}`;
    sizes.set(size, { width, height, images: (sizes.get(size)?.images ?? 0) + 1 });
    objects.add(annotations);
  }
  const { classes, flags, boxes } = objects.result();
  return {
    images: length,
    imagesWithoutObjects: objectsPerImage.filter((count) => count === 0).length,
    ...flags,
    classes,
    widths: spreadOf(widths),
    heights: spreadOf(heights),
    pictureSizes: [...sizes.values()].sort((a, b) => b.images - a.images || b.width - a.width),
    boxes,
    objectsPerImage: spreadOf(objectsPerImage),
    imagesByObjects: countsOf(objectsPerImage),
  };
};

/** What is counted of the objects, picture by picture. */
interface ObjectTally {
  add(annotations: readonly Annotation[]): void;
  result(): {
    readonly classes: readonly ClassStatistics[];
    readonly flags: Pick<DatasetStatistics, 'objects' | 'crowds' | 'ignored' | 'difficult' | 'truncated'>;
    readonly boxes: BoxStatistics;
  };
}

const objectTally = (names: readonly string[]): ObjectTally => {
  const classes = names.map((name) => ({ name, objects: 0, images: 0 }));
  const flags = { objects: 0, crowds: 0, ignored: 0, difficult: 0, truncated: 0 };
  const areas = { small: 0, medium: 0, large: 0 };
  const widths: number[] = [];
  const heights: number[] = [];
  return {
    add: (annotations) => {
      for (const label of new Set(annotations.map((annotation) => annotation.label)))
        classes[label]!.images += 1;
      for (const annotation of annotations) {
        flags.objects += 1;
        flags.crowds += Number(annotation.isCrowd);
        flags.ignored += Number(annotation.isIgnored);
        flags.difficult += Number(annotation.isDifficult);
        flags.truncated += Number(annotation.isTruncated);
        classes[annotation.label]!.objects += 1;
        if (annotation.isCrowd) continue;
        widths.push(annotation.size[0]);
        heights.push(annotation.size[1]);
        areas[areaRange(annotation.area)] += 1;
      }
    },
    result: () => {
      const sides = widths.map((width, i) => Math.sqrt(width * heights[i]!));
      const boxes = {
        widths: spreadOf(widths),
        heights: spreadOf(heights),
        sides: spreadOf(sides),
        aspectRatios: spreadOf(widths.map((width, i) => width / heights[i]!)),
        areas,
        sideBins: sideBinsOf(sides),
      };
      return { classes, flags, boxes };
    },
  };
};

const areaRange = (area: number): 'small' | 'medium' | 'large' =>
  area < 32 ** 2 ? 'small' : area < 96 ** 2 ? 'medium' : 'large';

/**
 * Where values lie; all zero where there are none.
 *
 * Source   percentiles by linear interpolation, as NumPy's default
 * Example  spreadOf([1, 2, 3, 4]).percentiles[50] // 2.5
 */
export const spreadOf = (values: ArrayLike<number>): Spread => {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  const at = (share: number): number => {
    if (count === 0) return 0;
    const place = share * (count - 1);
    const below = Math.floor(place);
    const low = sorted[below]!;
    return low + (place - below) * (sorted[Math.min(below + 1, count - 1)]! - low);
  };
  const mean = count === 0 ? 0 : sorted.reduce((sum, value) => sum + value, 0) / count;
  const percentiles = { 5: at(0.05), 25: at(0.25), 50: at(0.5), 75: at(0.75), 95: at(0.95) };
  return { count, least: at(0), mean, most: at(1), percentiles };
};

const countsOf = (values: Float64Array): number[] => {
  const counts: number[] = [];
  for (const value of values) {
    while (counts.length <= value) counts.push(0);
    counts[value] = counts[value]! + 1;
  }
  return counts;
};

/** Bins whose ends are the powers of the square root of 2, from the smallest value to the largest. */
const sideBinsOf = (sides: readonly number[]): Bin[] => {
  const end = (power: number): number =>
    power % 2 === 0 ? 2 ** (power / 2) : Math.SQRT2 * 2 ** ((power - 1) / 2);
  const powerOf = (side: number): number => {
    const power = Math.floor(2 * Math.log2(side));
    if (side < end(power)) return power - 1; // the logarithm was rounded up
    return side >= end(power + 1) ? power + 1 : power;
  };
  const counts = new Map<number, number>();
  for (const side of sides) {
    if (side <= 0) continue;
    const power = powerOf(side);
    counts.set(power, (counts.get(power) ?? 0) + 1);
  }
  const powers = [...counts.keys()].sort((a, b) => a - b);
  if (powers.length === 0) return [];
  const first = powers[0]!;
  return Array.from({ length: powers.at(-1)! - first + 1 }, (_, i) => ({
    from: end(first + i),
    to: end(first + i + 1),
    count: counts.get(first + i) ?? 0,
  }));
};
