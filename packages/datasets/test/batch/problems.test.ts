// Pictures that cannot be used: replaced in training, left out or refused in evaluation, never lost without a word.
import {
  type Batch,
  type BatchOptions,
  batches,
  type Dataset,
  type Problem,
  type Sample,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datasetOf, sampleOf } from '../samples.ts';
import { photographs } from './photographs.ts';

const seed = 34;
const options = {
  batchSize: 3,
  normalization: { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' },
  workers: 0,
} as const satisfies BatchOptions;

/** A dataset in memory, some of whose images reject: landscape and portrait ones in turn. */
const withFailures = (count: number, isDamaged: (index: number) => boolean): Dataset => {
  const samples = Array.from({ length: count }, (_, i) =>
    sampleOf(i, i % 2 ? 64 : 40, i % 2 ? 40 : 64, [[1, 2, 11, 12]]),
  );
  return datasetOf(samples, async (index): Promise<Sample> => {
    if (isDamaged(index)) throw new Error(`image ${index} is damaged`);
    return samples[index]!;
  });
};

const collect = async (
  dataset: Dataset,
  more: Partial<BatchOptions> = {},
): Promise<{ all: Batch[]; problems: Problem[] }> => {
  const all: Batch[] = [];
  const problems: Problem[] = [];
  const report = (problem: Problem): unknown => problems.push(problem);
  for await (const batch of batches(dataset, { ...options, ...more, report })) all.push(batch);
  return { all, problems };
};

/** A batch as something that is quickly compared. */
const bitsOf = ({ images, ...rest }: Batch): unknown => [Buffer.from(images.buffer).toString('base64'), rest];

describe('training', () => {
  test('goes on with another image of the same shape, and batches say which they hold', async () => {
    const anyDamage = fc.tuple(fc.integer({ min: 4, max: 20 }), fc.nat(9), fc.nat(99));
    await fc.assert(
      fc.asyncProperty(anyDamage, async ([count, damaged, planSeed]) => {
        const isDamaged = (index: number): boolean => index === damaged;
        const settings = { seed: planSeed, groupByAspect: true, epochs: 2 };
        const whole = await collect(
          withFailures(count, () => false),
          settings,
        );
        const spoilt = await collect(withFailures(count, isDamaged), settings);
        expect(spoilt.all.map(({ imageShape }) => imageShape)).toEqual(
          whole.all.map(({ imageShape }) => imageShape),
        );
        const before = whole.all.flatMap(({ indices }) => indices);
        const after = spoilt.all.flatMap(({ indices }) => indices);
        for (const [i, index] of before.entries())
          if (isDamaged(index)) expect(isDamaged(after[i]!)).toBe(false);
          else expect(after[i]).toBe(index);
        expect(spoilt.problems.length).toBe(before.filter(isDamaged).length);
        const again = await collect(withFailures(count, isDamaged), { ...settings, prefetch: 0 });
        expect(again.problems).toEqual(spoilt.problems);
        expect(again.all.map(bitsOf)).toEqual(spoilt.all.map(bitsOf));
      }),
      { seed, numRuns: 10 },
    );
  });

  test('takes a whole batch from another group when no picture of its own can be read', async () => {
    const dataset = withFailures(8, (index) => index % 2 === 0);
    const { all } = await collect(dataset, { groupByAspect: true, buckets: { mostShapes: 2 } });
    expect(all.flatMap(({ indices }) => indices).every((index) => index % 2 === 1)).toBe(true);
    expect(new Set(all.map(({ imageShape }) => imageShape.slice(2).join()))).toEqual(new Set(['64,64']));
  });

  test('finds the only picture that can be read, and ends with an error when there is none', async () => {
    const { all } = await collect(withFailures(12, (index) => index !== 7));
    expect(new Set(all.flatMap(({ indices }) => indices))).toEqual(new Set([7]));
    await expect(collect(withFailures(5, () => true))).rejects.toThrow(
      /^batches\(in memory\): needs pictures that can be read, got 15 that cannot, the last one with "image \d is damaged"\./,
    );
    let tries = 0;
    const hopeless = withFailures(10_000, () => ++tries > 0);
    await expect(collect(hopeless, { prefetch: 0, epochs: Number.POSITIVE_INFINITY })).rejects.toThrow(
      /got 195 that/,
    );
    expect(tries).toBe(195);
  });

  test('reports each with its kind, file and reason; strict stops at the first with the same sentence', async () => {
    const dataset = await photographs(8, { 2: 'cut', 5: 'missing', 6: 'other size' });
    const { problems } = await collect(dataset);
    const byImage = new Map(problems.map((problem) => [problem.image, problem]));
    expect(
      [...byImage].map(([image, { kind }]) => `${image}: ${kind}`).sort((a, b) => a.localeCompare(b)),
    ).toEqual(['2.jpg: damaged picture', '5.jpg: missing picture', '6.jpg: wrong size']);
    expect(byImage.get('6.jpg')?.message).toMatch(
      /^batches\(.*\/6\.jpg\): needs the annotated size 43x70, got an image of 44x70\. Correct/,
    );
    for (const [image, { message, file }] of byImage) {
      expect(file).toBe(dataset.locate?.(Number.parseInt(image!, 10)));
      const only = {
        ...dataset,
        length: 1,
        record: () => dataset.record(Number.parseInt(image!, 10)),
        locate: () => file,
      };
      await expect(collect(only, { onProblem: 'strict' })).rejects.toThrow(
        // the decoder does not always tell its reason when it reads several pictures at the same time
        message.replace(/, got ".*/, ', got'),
      );
    }
  });

  test('never hides what is no fault of a picture', async () => {
    const transform = (): Sample => {
      throw new TypeError('no function');
    };
    await expect(
      collect(
        withFailures(4, () => false),
        { transform },
      ),
    ).rejects.toThrow('no function');
    await expect(
      collect(
        withFailures(4, () => false),
        { maxObjects: 1, buckets: { sizes: [[64, 32]] } },
      ),
    ).rejects.toThrow();
  });
});

describe('evaluation', () => {
  const purpose = 'evaluate';

  test('refuses a picture that cannot be read unless told otherwise', async () => {
    const dataset = withFailures(7, (index) => index === 4);
    await expect(collect(dataset, { purpose })).rejects.toThrow('image 4 is damaged');
  });

  test('leaves it out under skip, reports it, and takes no image twice', async () => {
    const isDamaged = (index: number): boolean => index === 1 || (index >= 3 && index < 6);
    const { all, problems } = await collect(withFailures(7, isDamaged), { purpose, onProblem: 'skip' });
    expect(all.map(({ indices }) => indices)).toEqual([[0, 2], [6]]);
    expect(all.map(({ position }) => position)).toEqual([0, 2]);
    expect(problems.map(({ image }) => image)).toEqual([1, 3, 4, 5].map((index) => `image-${index}.png`));
    const hopeless = collect(
      withFailures(7, () => true),
      { purpose, onProblem: 'skip' },
    );
    await expect(hopeless).rejects.toThrow(/needs pictures that can be read, got 7 that cannot/);
  });
});
