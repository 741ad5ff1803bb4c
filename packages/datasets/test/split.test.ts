// Dividing a dataset: exact sizes, every picture once, classes in their shares, and a result that only the seed decides.
import type { Dataset, ImageRecord } from '@autoassign/datasets';
import { splitDataset } from '@autoassign/datasets';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { annotationOf } from './samples.ts';
import { recordsDataset } from './write/datasets.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Pictures that show the given classes, each by its number. */
const datasetShowing = (shown: readonly (readonly number[])[], classes = names): Dataset =>
  recordsDataset(
    shown.map((labels, i): ImageRecord => {
      const annotations = labels.map((label, j) => annotationOf(10 * i + j, [0, 0, 5, 5], label));
      return { id: i, file: `${i}.jpg`, width: 10, height: 10, annotations };
    }),
    classes,
  );

const anyShown = (minLength: number): fc.Arbitrary<number[][]> =>
  fc.array(fc.subarray([0, 0, 1, 1, 2, 3, 4, 5], { maxLength: 5 }), { minLength, maxLength: 150 });

const anyParts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }).map((weights) => {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(weights.map((weight, i) => [`part${i}`, weight / sum]));
});

const anySplit = { seed: fc.nat(1000), isStratified: fc.boolean() };

test('sizes are the shares, rounded so that they add up, and every picture is in exactly one part', () => {
  fc.assert(
    fc.property(anyShown(0), anyParts, fc.record(anySplit), (shown, parts, options) => {
      const dataset = datasetShowing(shown);
      const found = splitDataset(dataset, { parts, ...options });
      expect(Object.keys(found)).toEqual(Object.keys(parts));
      for (const [name, share] of Object.entries(parts))
        expect(Math.abs(found[name]!.length - share * shown.length)).toBeLessThan(1 + 1e-6);
      const all = Object.values(found).flat();
      expect([...all].sort((x, y) => x - y)).toEqual(shown.map((_, i) => i));
    }),
    { numRuns: 100 },
  );
});

test('the same seed gives the same parts whatever the order of pictures and classes, another seed others', () => {
  fc.assert(
    fc.property(anyShown(1), anyParts, fc.record(anySplit), (shown, parts, options) => {
      const dataset = datasetShowing(shown);
      const filesOf = (one: Dataset): object =>
        Object.values(splitDataset(one, { parts, ...options })).map((part) =>
          part.map((i) => one.record(i).file).sort(),
        );
      const records = shown.map((_, i) => dataset.record(shown.length - 1 - i));
      const relabelled = records.map(({ annotations, ...record }) => ({
        ...record,
        annotations: annotations.map((one) => ({ ...one, label: names.length - 1 - one.label })),
      }));
      expect(filesOf(recordsDataset(relabelled, [...names].reverse()))).toEqual(filesOf(dataset));
    }),
    { numRuns: 60 },
  );
  const dataset = datasetShowing(Array.from({ length: 40 }, (_, i) => [i % 6]));
  const parts = { a: 0.5, b: 0.5 };
  expect(splitDataset(dataset, { parts, seed: 1 })).not.toEqual(splitDataset(dataset, { parts, seed: 2 }));
});

/** How far the number of pictures of a class in a part is from its share, at most. */
const worstError = (dataset: Dataset, parts: Readonly<Record<string, number>>, options: object): number => {
  const found = splitDataset(dataset, { parts, ...options });
  const count = (indices: readonly number[], label: number): number =>
    indices.filter((i) => dataset.record(i).annotations.some((one) => one.label === label)).length;
  const all = Array.from({ length: dataset.length }, (_, i) => i);
  return Math.max(
    ...Object.entries(parts).flatMap(([name, share]) =>
      names.map((_, label) => Math.abs(count(found[name]!, label) - share * count(all, label))),
    ),
  );
};

describe('stratified', () => {
  test('on random pictures of six classes, no class is more than 2 pictures from its share in any part', () => {
    fc.assert(
      fc.property(anyShown(20), anyParts, fc.nat(1000), (shown, parts, seed) => {
        expect(worstError(datasetShowing(shown), parts, { seed })).toBeLessThanOrEqual(2);
      }),
      { numRuns: 150 },
    );
  });

  test('is several times nearer to the shares than a draw by lot', () => {
    const shown = Array.from({ length: 300 }, (_, i) =>
      names.flatMap((__, label) => (i % (label + 2) === 0 ? [label] : [])),
    );
    const parts = { train: 0.7, val: 0.2, test: 0.1 };
    const errors = (isStratified: boolean): number =>
      Array.from({ length: 5 }, (_, seed) =>
        worstError(datasetShowing(shown), parts, { seed, isStratified }),
      ).reduce((sum, error) => sum + error, 0);
    expect(errors(true) * 4).toBeLessThan(errors(false));
  });
});

test.each<[string, Readonly<Record<string, number>>]>([
  ['shares that do not add up to 1', { a: 0.5, b: 0.4 }],
  ['a share of 0', { a: 1, b: 0 }],
  ['a negative share', { a: 1.5, b: -0.5 }],
  ['a share that is no number', { a: Number.NaN }],
  ['no part', {}],
])('refuses %s', (_, parts) => {
  expect(() => splitDataset(datasetShowing([[0]]), { parts })).toThrow(
    /positive shares that add up to 1, got \{/,
  );
});

test('refuses two pictures of one name, which could end in two parts', () => {
  const { record } = datasetShowing([[0]]);
  expect(() => splitDataset(recordsDataset([record(0), record(0)], names), { parts: { a: 1 } })).toThrow(
    /0\.jpg twice/,
  );
});
