// The padded sizes of training batches: as few as were asked for, whatever is drawn, and images whole in them.
import type { Dataset, ImageRecord } from '@autoassign/datasets';
import { describe, expect, it } from 'vitest';
import { fittedSize } from '../src/fittedSize.ts';
import { trainingBuckets } from '../src/imageBuckets.ts';
import type { ImagePlan } from '../src/runConfig.ts';

const annotation = { box: [0, 0, 9, 9], size: [9, 9], label: 0, area: 81, id: 1 } as const;
const kinds = { isCrowd: false, isIgnored: false, isDifficult: false, isTruncated: false } as const;

/** Records as varied as those of COCO: sides from 300 to 640. */
const dataset = {
  length: 300,
  record: (index: number): ImageRecord => ({
    id: index,
    file: `${index}.jpg`,
    width: index % 3 === 0 ? 300 + ((index * 37) % 341) : 640,
    height: index % 3 === 0 ? 640 : 300 + ((index * 53) % 341),
    annotations: [{ ...annotation, ...kinds }],
  }),
} as unknown as Dataset;

const plan: ImagePlan = {
  train: { shortSides: [480, 960], draw: 'range', longSide: 1333, enlarge: true },
  test: { shortSide: 800, longSide: 1333, enlarge: true },
  groupByAspect: true,
  mostShapes: 12,
};

describe('multi-scale training', () => {
  const sizesFor = (images: ImagePlan, perBatch: number): readonly (readonly [number, number])[] => {
    const { buckets } = trainingBuckets(dataset, images, { padMultiple: 32, perBatch });
    return buckets !== undefined && 'sizes' in buckets ? buckets.sizes : [];
  };

  it.each([1, 4])('has at most as many sizes, and one for all images of a batch of %i', (perBatch) => {
    const sizes = sizesFor(plan, perBatch);
    expect(sizes.length).toBeLessThanOrEqual(12);
    for (const size of sizes) expect(size.map((side) => side % 32)).toEqual([0, 0]);
    const drawn = (index: number, draw: number): { readonly width: number; readonly height: number } =>
      fittedSize(dataset.record(index), {
        shortSide: 480 + ((draw * 97) % 481),
        longSide: 1333,
        enlarge: true,
      });
    for (let first = 0; first < 100; first += 1) {
      const isPortrait = (index: number): boolean =>
        dataset.record(index).height > dataset.record(index).width;
      const alike = Array.from({ length: 300 }, (_, i) => i).filter(
        (i) => isPortrait(i) === isPortrait(first),
      );
      const together = Array.from({ length: perBatch }, (_, i) =>
        drawn(alike[(first * 7 + 31 * i) % alike.length] ?? 0, first + i),
      );
      const holds = sizes.some(([width, height]) =>
        together.every((image) => image.width <= width && image.height <= height),
      );
      expect(holds).toBe(true);
    }
  });

  it('looks at every side of a choice, and groups by size where there is one side only', () => {
    const choice = {
      ...plan,
      train: { ...plan.train, shortSides: [480, 640, 800], draw: 'choice' },
    } as const;
    expect(sizesFor(choice, 1).length).toBeLessThanOrEqual(12);
    const single = { ...plan, train: { ...plan.train, shortSides: [800] } };
    expect(trainingBuckets(dataset, single, { padMultiple: 32, perBatch: 2 })).toMatchObject({
      buckets: { mostShapes: 12 },
    });
    const { mostShapes: _, ...free } = single;
    expect(sizesFor({ ...free, train: plan.train }, 1).length).toBeLessThanOrEqual(16);
    expect(trainingBuckets(dataset, free, { padMultiple: 32, perBatch: 2 })).toEqual({});
  });
});
