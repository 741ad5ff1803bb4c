// Data and logs far longer than a function takes arguments: plans, bests and charts are made of any number of values.
import type { Dataset, ImageRecord } from '@autoassign/datasets';
import { expect, it } from 'vitest';
import { thin } from '../src/charts.ts';
import { placesForObjects } from '../src/imagePlan.ts';
import { endingOf } from '../src/trainingLog.ts';

const many = 700_000; // a worker's stack holds fewer

it('plans the places for objects of 700,000 images', () => {
  const annotation = {
    box: [0, 0, 1, 1],
    size: [1, 1],
    label: 0,
    area: 1,
    isCrowd: false,
    isIgnored: false,
    isDifficult: false,
    isTruncated: false,
  } as const;
  const recordAt = (index: number): ImageRecord => {
    const annotations = Array.from({ length: index === many - 1 ? 9 : 0 }, (_, id) => ({
      ...annotation,
      id,
    }));
    return { id: index, file: `${index}.jpg`, width: 8, height: 8, annotations };
  };
  const dataset = { length: many, record: recordAt } as unknown as Dataset;
  expect(placesForObjects(dataset)).toBe(16);
});

it('ends by the best of 700,000 evaluations', () => {
  const aps = Array.from({ length: many }, (_, i) => 1 - Math.abs(i - 7) / many);
  expect(endingOf({ patience: many - 8 }, 0, aps)).toContain('no better evaluation');
  expect(endingOf({ patience: many - 7 }, 0, aps)).toBeUndefined();
});

it('thins 1,400,000 points to a few that keep the lowest and the highest', () => {
  const points = Array.from({ length: 2 * many }, (_, x) => [x, x === 9 ? -5 : x % 100] as const);
  const heights = thin(points, 2).map(([, y]) => y);
  expect(heights).toContain(-5);
  expect(heights).toContain(99);
});
