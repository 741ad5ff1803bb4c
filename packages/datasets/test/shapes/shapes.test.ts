// The shapes dataset: the same bits for ever, the distribution of its recipe, and a COCO folder that is whole or not there.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type FolderWriter,
  openCoco,
  renderShapes,
  shapeClasses,
  shapes,
  writeShapes,
} from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { folderWith } from '../samples.ts';

describe('rendering', () => {
  test('the bits of an image depend on seed and index alone, and never change', () => {
    const hash = createHash('sha256');
    for (const index of [0, 1, 2, 900_000]) {
      const { pixels, boxes, labels } = renderShapes(0, index);
      hash.update(pixels.data).update(JSON.stringify([boxes, labels]));
    }
    expect(hash.digest('hex')).toBe('6cfb406627e82002c426d476880fa8c9d6e2e41177c568de18ebfa520ebaa46c');
    expect(renderShapes(1, 0).pixels).not.toEqual(renderShapes(0, 0).pixels);
    expect(renderShapes(0, 1).pixels).not.toEqual(renderShapes(0, 0).pixels);
  });

  const images = Array.from({ length: 400 }, (_, i) => renderShapes(0, 900_000 + i));
  const objects = images.flatMap(({ boxes, labels }) =>
    boxes.map((box, i) => ({ box, label: labels[i]!, width: box[2] - box[0], height: box[3] - box[1] })),
  );

  test('box sides have the percentiles of the recipe', () => {
    const sides = objects.flatMap(({ width, height }) => [width, height]).sort((a, b) => a - b);
    const percentile = (percent: number): number => sides[Math.floor((percent / 100) * sides.length)]!;
    const expected = { 5: 14, 25: 20, 50: 30, 75: 47, 95: 70 };
    for (const [percent, side] of Object.entries(expected)) {
      // The recipe's figures are from 200 images.
      const difference = Math.abs(percentile(Number(percent)) / side - 1);
      expect(difference, `percentile ${percent}: ${percentile(Number(percent))}`).toBeLessThan(0.08);
    }
    expect(sides[0]).toBeGreaterThanOrEqual(4);
    expect(sides.at(-1)).toBeLessThanOrEqual(120);
  });

  test('1 to 6 objects, nearly all of those wanted (3.5 on average) are placed', () => {
    const counts = images.map(({ boxes }) => boxes.length);
    expect(new Set(counts)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    expect(objects.length / images.length).toBeGreaterThan(3.2);
    expect(objects.length / images.length).toBeLessThan(3.8);
  });

  test('classes are equally frequent', () => {
    const counts = shapeClasses.map((_, label) => objects.filter((object) => object.label === label).length);
    const mean = objects.length / shapeClasses.length;
    const statistic = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    // 7 degrees of freedom: above 24.3 once in a thousand.
    expect(statistic).toBeLessThan(24.3);
  });

  test('boxes are whole pixels inside the image', () => {
    for (const { box } of objects) {
      expect(box.every(Number.isInteger)).toBe(true);
      expect(Math.min(box[0], box[1])).toBeGreaterThanOrEqual(0);
      expect(Math.max(box[2], box[3])).toBeLessThanOrEqual(128);
    }
  });

  test('the noise is what makes neighbours differ: its deviation is 2 to 14, 8 on average', () => {
    // In flat regions the difference of neighbours is noise alone, with twice its variance; the median resists edges.
    const deviations = images.map(({ pixels: { data } }) => {
      const differences = Array.from({ length: 4000 }, (_, i) => Math.abs(data[i * 12]! - data[i * 12 + 3]!));
      differences.sort((a, b) => a - b);
      return differences[2000]! / 0.6745 / Math.SQRT2;
    });
    const mean = deviations.reduce((sum, value) => sum + value, 0) / deviations.length;
    expect(mean).toBeGreaterThan(7);
    expect(mean).toBeLessThan(9.5);
    expect(Math.max(...deviations)).toBeLessThan(18);
  });
});

describe('in memory', () => {
  test('is the same stream as renderShapes, split by split', async () => {
    const dataset = shapes({ length: 3, split: 'validation', seed: 4 });
    const sample = await dataset.at(2);
    const { pixels, boxes, labels } = renderShapes(4, 900_002);
    expect(sample.pixels).toEqual(pixels);
    expect(sample.annotations.map((annotation) => annotation.box)).toEqual(boxes);
    expect(sample.annotations.map((annotation) => annotation.label)).toEqual(labels);
    expect(dataset.classes).toEqual(shapeClasses);
    expect(() => shapes({ length: 0 })).toThrow(/length to be an integer from 1/);
  });
});

describe('on disk', () => {
  const options = { train: 6, validation: 3, seed: 2 } as const;
  const fresh = async (): Promise<string> => join(await folderWith({ 'keep.txt': '' }), 'shapes');

  test('is a COCO folder with the same objects and nearly the same pixels', async () => {
    const folder = await fresh();
    const progress: number[] = [];
    const onProgress = (done: number): void => void progress.push(done);
    expect(await writeShapes(folder, { ...options, onProgress })).toEqual({ images: 9, isReused: false });
    expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const [split, name, length] of [
      ['train', 'train', 6],
      ['validation', 'val', 3],
    ] as const) {
      const onDisk = await openCoco(folder, { split: name });
      const inMemory = shapes({ length, split, seed: 2 });
      expect(onDisk.report).toEqual(inMemory.report);
      for (let i = 0; i < length; i++) {
        const sample = await onDisk.at(i);
        const original = await inMemory.at(i);
        expect({ ...sample, pixels: 0 }).toEqual({ ...original, pixels: 0 });
        const error = original.pixels.data.reduce(
          (sum, v, j) => sum + Math.abs(v - sample.pixels.data[j]!),
          0,
        );
        expect(error / original.pixels.data.length).toBeLessThan(4);
      }
    }
  });

  test('is reused with the same options, refused with others', async () => {
    const folder = await fresh();
    await writeShapes(folder, options);
    expect(await writeShapes(folder, options)).toEqual({ images: 9, isReused: true });
    await expect(writeShapes(folder, { ...options, seed: 3 })).rejects.toThrow(
      /same options, got one with .*"seed": 2/,
    );
  });

  test('writers that begin together leave one folder, which all of them take', async () => {
    const parent = await folderWith({});
    const folder = join(parent, 'shapes');
    const written = await Promise.all([1, 2, 3].map(() => writeShapes(folder, options)));
    expect(written.map(({ isReused }) => isReused).sort()).toEqual([false, true, true]);
    expect(await readdir(parent)).toEqual(['shapes']);
  });

  test('never touches a folder with other files', async () => {
    const folder = await folderWith({ 'mine.txt': 'precious' });
    await expect(writeShapes(folder, options)).rejects.toThrow(/needs a new or empty folder/);
    expect(await readdir(folder)).toEqual(['mine.txt']);
  });

  test('an interrupted write leaves nothing, and what a killed one left is removed by the next', async () => {
    const folder = await fresh();
    const controller = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 3) controller.abort(new Error('interrupted'));
    };
    const many = { ...options, train: 60 };
    await expect(writeShapes(folder, { ...many, onProgress, signal: controller.signal })).rejects.toThrow(
      'interrupted',
    );
    expect(await readdir(dirname(folder))).toEqual(['keep.txt']);
    // Process ids end at 2^22 on Linux, so this one cannot be running.
    await mkdir(`${folder}.partial-99999999-abc`);
    await writeShapes(folder, options);
    expect((await readdir(dirname(folder))).sort()).toEqual(['keep.txt', 'shapes']);
  });

  test('a full disk is an error in one line, and what was written is removed', async () => {
    const written: string[] = [];
    let discarded = false;
    const full: FolderWriter = {
      write: async (path) => {
        written.push(path);
        if (written.length > 4) throw new Error('ENOSPC: no space left on device, write');
      },
      commit: () => expect.unreachable('a half-written folder was committed'),
      discard: async () => {
        discarded = true;
      },
    };
    await expect(writeShapes(full, options)).rejects.toThrow(
      /needs a folder it can write, got "ENOSPC: no space left on device, write"\. Make room/,
    );
    expect(discarded).toBe(true);
  });

  test('a place that cannot be written to is named', async () => {
    const folder = await folderWith({ file: 'not a folder' });
    await expect(writeShapes(join(folder, 'file/shapes'), options)).rejects.toThrow(
      /writeShapes\(.*file\/shapes\): needs a folder it can write/,
    );
  });

  test('a file that was changed by hand is noticed when it is read', async () => {
    const folder = await fresh();
    await writeShapes(folder, options);
    const path = join(folder, 'images/train-000001.jpg');
    await writeFile(path, (await readFile(path)).subarray(0, 900));
    const dataset = await openCoco(folder, { split: 'train' });
    await expect(dataset.at(1)).rejects.toThrow(/train-000001\.jpg\): needs a complete image file/);
  });
});
