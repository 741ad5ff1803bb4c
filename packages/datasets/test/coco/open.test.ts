// openCoco on folders of every usual layout: what is read, in which order, with which units.
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileSource, isTrainable, openCoco } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { cocoFolder, folderWith, jpegOf, validCoco } from '../samples.ts';

describe('content', () => {
  test('labels count categories by ascending id; boxes become corners; order is that of the file', async () => {
    const dataset = await openCoco(await cocoFolder());
    expect(dataset.classes).toEqual(['early', 'late']);
    expect(dataset.categoryIds).toEqual([2, 9]);
    expect(dataset.length).toBe(2);
    expect(dataset.record(0).id).toBe(7);
    expect(dataset.record(0).annotations[0]).toEqual({
      id: 1,
      box: [1.5, 2, 11.5, 14],
      size: [10, 12],
      label: 1,
      area: 100,
      isCrowd: false,
      isIgnored: false,
      isDifficult: false,
      isTruncated: false,
    });
  });

  test('crowd regions and ignored objects are kept but not trained on', async () => {
    const dataset = await openCoco(await cocoFolder());
    const [, crowd] = dataset.record(0).annotations;
    const [ignored] = dataset.record(1).annotations;
    expect(crowd?.isCrowd).toBe(true);
    expect(ignored?.isIgnored).toBe(true);
    expect([crowd, ignored].map((annotation) => isTrainable(annotation!))).toEqual([false, false]);
    expect(dataset.report).toMatchObject({ images: 2, objects: 3, crowds: 1, problems: [] });
  });

  test('iteration gives the same samples as random access, decoded to RGB bytes', async () => {
    const dataset = await openCoco(await cocoFolder());
    const seen: number[] = [];
    for await (const sample of dataset) {
      seen.push(sample.id);
      expect(sample.pixels).toMatchObject({ width: 40, height: 32, channels: 3 });
      expect(sample.pixels.data.length).toBe(40 * 32 * 3);
    }
    expect(seen).toEqual([7, 3]);
    await expect(async () => dataset.at(2)).rejects.toThrow(/index from 0 to 1, got 2/);
  });

  test('a missing area is that of the box', async () => {
    const folder = await cocoFolder(({ annotations }) => delete annotations[0]?.area);
    expect((await openCoco(folder)).record(0).annotations[0]?.area).toBe(120);
  });
});

describe('layout', () => {
  const files = async (annotations: string, images: string): Promise<string> => {
    const jpeg = await jpegOf(40, 32);
    return folderWith({
      [annotations]: validCoco(),
      [`${images}a.jpg`]: jpeg,
      [`${images}b.jpg`]: jpeg,
    });
  };

  test.each([
    ['annotations/instances_val.json', 'images/'],
    ['annotations/instances_val2017.json', 'val2017/'],
    ['annotations/instances_train2017.json', 'images/train2017/'],
    ['annotations/instances_train.json', 'train/'],
    ['annotations/instances_default.json', ''],
    ['instances_val.json', 'images/'],
    ['_annotations.coco.json', ''],
    ['valid/_annotations.coco.json', 'valid/'],
  ])('%s with images in "%s"', async (annotations, images) => {
    const folder = await files(annotations, images);
    expect((await openCoco(folder)).length).toBe(2);
    const byFile = await openCoco(join(folder, annotations));
    expect((await byFile.at(1)).id).toBe(3);
  });

  test('file names may lead into folders below the image folder', async () => {
    const jpeg = await jpegOf(40, 32);
    const content = validCoco();
    content.images[0]!.file_name = 'deep/er/a.jpg';
    const folder = await folderWith({
      'annotations/instances_val.json': content,
      'images/deep/er/a.jpg': jpeg,
      'images/b.jpg': jpeg,
    });
    expect((await (await openCoco(folder)).at(0)).pixels.width).toBe(40);
  });

  test('file names may be written with backslashes', async () => {
    const jpeg = await jpegOf(40, 32);
    const content = validCoco();
    content.images[0]!.file_name = 'deep\\a.jpg';
    content.images[1]!.file_name = 'deep\\b.jpg';
    const folder = await folderWith({
      'annotations/instances_val.json': content,
      'images/deep/a.jpg': jpeg,
      'images/deep/b.jpg': jpeg,
    });
    expect((await (await openCoco(folder)).at(0)).pixels.width).toBe(40);
  });

  test('options name files that lie elsewhere', async () => {
    const folder = await files('labels/all.json', 'pictures/raw/');
    const options = { annotations: 'labels/all.json', images: 'pictures/raw' };
    expect((await openCoco(folder, options)).length).toBe(2);
  });

  test('several splits need the option split, and the error lists them', async () => {
    const folder = await cocoFolder();
    const annotations = join(folder, 'annotations');
    await mkdir(join(folder, 'other'));
    const other = await cocoFolder();
    await rename(
      join(other, 'annotations/instances_val.json'),
      join(annotations, 'instances_train2017.json'),
    );
    await expect(openCoco(folder)).rejects.toThrow(
      /needs the option split.*train2017 \(annotations\/instances_train2017\.json\), val \(/,
    );
    expect((await openCoco(folder, { split: 'train' })).name).toMatch(/\(train2017\)$/);
    await expect(openCoco(folder, { split: 'test' })).rejects.toThrow(
      /got "test"\. Choose one of: train2017/,
    );
  });

  test('a source of files that is no folder on disk serves as well', async () => {
    const folder = await cocoFolder();
    const source: FileSource = {
      name: 'memory',
      read: (path) => readFile(join(folder, path)),
      list: async () => undefined,
    };
    await expect(openCoco(source)).rejects.toThrow(/memory.*option annotations/);
    const dataset = await openCoco(source, { annotations: 'annotations/instances_val.json' });
    expect((await dataset.at(0)).file).toBe('a.jpg');
  });
});
