// The numbers of a dataset: worked by hand, and laws that hold for any.
import { datasetStatistics } from '@autoassign/datasets';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spreadOf } from '../src/statistics.ts';
import { annotationOf } from './samples.ts';
import { anyDataset, recordsDataset } from './write/datasets.ts';

test('a dataset worked by hand', () => {
  const crowd = { ...annotationOf(3, [0, 0, 500, 500], 1), isCrowd: true };
  const difficult = { ...annotationOf(2, [0, 0, 64, 16], 1), isDifficult: true, isTruncated: true };
  const first = {
    id: 1,
    file: 'a',
    width: 640,
    height: 480,
    annotations: [annotationOf(1, [0, 0, 10, 40]), difficult, crowd],
  };
  const dataset = recordsDataset(
    [
      first,
      {
        id: 2,
        file: 'b',
        width: 640,
        height: 480,
        annotations: [{ ...annotationOf(4, [0, 0, 96, 96]), isIgnored: true }],
      },
      { id: 3, file: 'c', width: 100, height: 50, annotations: [] },
    ],
    ['x', 'y', 'z'],
  );
  const { boxes, ...found } = datasetStatistics(dataset);
  expect(found).toMatchObject({
    images: 3,
    imagesWithoutObjects: 1,
    objects: 4,
    crowds: 1,
    ignored: 1,
    difficult: 1,
    truncated: 1,
    classes: [
      { name: 'x', objects: 2, images: 2 },
      { name: 'y', objects: 2, images: 1 },
      { name: 'z', objects: 0, images: 0 },
    ],
    pictureSizes: [
      { width: 640, height: 480, images: 2 },
      { width: 100, height: 50, images: 1 },
    ],
    imagesByObjects: [1, 1, 0, 1],
  });
  expect(found.objectsPerImage).toMatchObject({ count: 3, least: 0, most: 3, mean: 4 / 3 });
  // 400 and 1024 = 32² and 9216 = 96² square pixels: COCO's limits belong to the larger range
  expect(boxes.areas).toEqual({ small: 1, medium: 1, large: 1 });
  expect(boxes.sides).toMatchObject({ count: 3, least: 20, most: 96 });
  expect(boxes.sides.percentiles).toMatchObject({ 25: 26, 50: 32, 75: 64 });
  expect(boxes.aspectRatios.percentiles[50]).toBe(1);
  expect(boxes.sideBins.map(({ from, count }) => [Math.round(from), count])).toEqual([
    [16, 1],
    [23, 0],
    [32, 1],
    [45, 0],
    [64, 0],
    [91, 1],
  ]);
});

test('percentiles are those of NumPy', () => {
  // numpy.percentile([15, 20, 35, 40, 50], [5, 25, 50, 75, 95])
  expect(spreadOf([50, 15, 40, 20, 35]).percentiles).toEqual({ 5: 16, 25: 20, 50: 35, 75: 40, 95: 48 });
  expect(spreadOf([])).toEqual({
    count: 0,
    least: 0,
    mean: 0,
    most: 0,
    percentiles: { 5: 0, 25: 0, 50: 0, 75: 0, 95: 0 },
  });
});

test('everything adds up, and the order of the pictures does not matter', () => {
  fc.assert(
    fc.property(anyDataset, (dataset) => {
      const found = datasetStatistics(dataset);
      const { boxes, classes, imagesByObjects } = found;
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
      expect(sum(classes.map(({ objects }) => objects))).toBe(found.objects);
      expect(sum(imagesByObjects)).toBe(found.images);
      expect(sum(imagesByObjects.map((images, objects) => images * objects))).toBe(found.objects);
      expect(sum(Object.values(boxes.areas))).toBe(found.objects - found.crowds);
      expect(sum(boxes.sideBins.map(({ count }) => count))).toBe(found.objects - found.crowds);
      for (const { from, to, count } of boxes.sideBins) {
        expect(to / from).toBeCloseTo(Math.SQRT2, 10);
        if (count > 0 && boxes.sides.count === count)
          expect(boxes.sides.least >= from && boxes.sides.most < to).toBe(true);
      }
      const reversed = Array.from({ length: dataset.length }, (_, i) =>
        dataset.record(dataset.length - 1 - i),
      );
      const other = datasetStatistics(recordsDataset(reversed, dataset.classes));
      expect({ ...other, widths: 0, boxes: { ...other.boxes, ...means(other) } }).toEqual({
        ...found,
        widths: 0,
        boxes: { ...boxes, ...means(found) },
      });
    }),
    { numRuns: 60 },
  );
});

/** Sums of the same numbers in another order differ in the last bits. */
const means = ({ boxes }: ReturnType<typeof datasetStatistics>): object => ({
  widths: Number(boxes.widths.mean.toPrecision(12)),
  heights: Number(boxes.heights.mean.toPrecision(12)),
  sides: Number(boxes.sides.mean.toPrecision(12)),
  aspectRatios: Number(boxes.aspectRatios.mean.toPrecision(12)),
});
