// openVoc on folders of every usual layout: what is read, in which order, with which units.
import { detectLayout, openDataset, openVoc } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { folderWith } from '../samples.ts';
import { annotationXml, below, vocFiles, vocFolder, type WrittenObject } from './samples.ts';

describe('content', () => {
  test('corners counted from 1 become half-open edges; flags and attributes follow; order is that of the list', async () => {
    const dataset = await openVoc(await vocFolder(), { split: 'train' });
    expect(dataset.length).toBe(2);
    expect(dataset.record(0)).toMatchObject({ id: 1, file: 'b.jpg', width: 40, height: 32, annotations: [] });
    expect(dataset.record(1).annotations).toEqual([
      {
        id: 1,
        box: [2, 3, 12, 16],
        size: [10, 13],
        label: dataset.classes.indexOf('dog'),
        area: 130,
        isCrowd: false,
        isIgnored: false,
        isDifficult: true,
        isTruncated: true,
        attributes: { pose: 'Left', occluded: false },
      },
      {
        id: 2,
        box: [0, 0, 40, 32],
        size: [40, 32],
        label: dataset.classes.indexOf('cat'),
        area: 1280,
        isCrowd: false,
        isIgnored: false,
        isDifficult: false,
        isTruncated: false,
      },
    ]);
    expect(dataset.classes).toHaveLength(20);
    expect((await dataset.at(1)).pixels).toMatchObject({ width: 40, height: 32 });
  });

  test('labels are the same in every split, whatever classes it holds', async () => {
    const folder = await vocFolder((files) => {
      files['Annotations/b.xml'] = annotationXml('b.jpg', [{ name: 'zebra', corners: [1, 1, 5, 5] }]);
    });
    const train = await openVoc(folder, { split: 'train' });
    const test = await openVoc(folder, { split: 'test' });
    expect(train.classes).toEqual(['cat', 'dog', 'zebra']);
    expect(test.classes).toEqual(train.classes);
    expect(test.record(0).annotations[0]?.label).toBe(2);
  });
});

describe('additions that keep what other formats know', () => {
  const firstObject = async (corners: WrittenObject['corners'], more: string) => {
    const xml = annotationXml('a.jpg', [{ name: 'cat', corners, more }]);
    const folder = await vocFolder((files) => (files['Annotations/a.xml'] = xml));
    return (await openVoc(folder, { split: 'train', onProblem: 'strict' })).record(1).annotations[0];
  };

  const box = (x: number, y: number, width: number, height: number): string =>
    `<box><x>${x}</x><y>${y}</y><width>${width}</width><height>${height}</height></box>`;

  test('area, crowd and ignored flags, attributes with their types', async () => {
    const attribute = (name: string, value: string, type = ''): string =>
      `<attribute><name>${name}</name><value>${value}</value>${type && `<type>${type}</type>`}</attribute>`;
    const attributes =
      attribute('blur', '2', 'number') + attribute('wet', 'true', 'boolean') + attribute('fur', '07');
    const more = `<iscrowd>1</iscrowd><ignore>1</ignore><area>12.5</area><attributes>${attributes}</attributes>`;
    expect(await firstObject([1, 1, 9, 9], more)).toMatchObject({
      area: 12.5,
      isCrowd: true,
      isIgnored: true,
      attributes: { blur: 2, wet: true, fur: '07' },
    });
  });

  test('a box beside the corners counts when it is the same box: it may be narrower than a pixel', async () => {
    const narrow = await firstObject([4, 5, 3.5, 4.25], box(3, 4, 0.5, 0.25));
    expect(narrow).toMatchObject({ box: [3, 4, 3.5, 4.25], size: [0.5, 0.25], area: 0.125 });
    const [x, width] = [0.1, 0.7];
    expect(x + 1 - 1).not.toBe(x); // why the addition is needed
    const exact = await firstObject([x + 1, 2, x + width, 9], box(x, 1, width, 8));
    expect([exact?.box[0], exact?.size]).toEqual([x, [width, 8]]);
    const edited = await firstObject([3, 4, 12, 16], box(2, 3, 11, 13));
    expect(edited?.box).toEqual([2, 3, 12, 16]);
  });
});

test('labels are the same in every choice of years', async () => {
  const files = await vocFiles();
  const zebra = annotationXml('b.jpg', [{ name: 'zebra', corners: [1, 1, 5, 5] }]);
  const folder = await folderWith({
    ...below('VOC2007', files),
    ...below('VOC2012', { ...files, 'Annotations/b.xml': zebra }),
  });
  for (const years of [undefined, [2007], [2012]]) {
    const { classes } = await openVoc(folder, { split: 'train', ...(years && { years }) });
    expect(classes).toEqual(['cat', 'dog', 'zebra']);
  }
});

describe('layout', () => {
  test('several years of a devkit: names begin with the year, years without the list are left out', async () => {
    const files = await vocFiles();
    const { 'ImageSets/Main/test.txt': _, ...without } = files;
    const folder = await folderWith({
      ...below('VOCdevkit/VOC2007', files),
      ...below('VOCdevkit/VOC2012', without),
    });
    const all = await openDataset(folder, { split: 'train' });
    const names = Array.from({ length: all.length }, (_entry, index) => all.record(index).file);
    expect(names).toEqual(['VOC2007/b.jpg', 'VOC2007/a.jpg', 'VOC2012/b.jpg', 'VOC2012/a.jpg']);
    expect((await all.at(2)).id).toBe(3);
    expect((await openVoc(folder, { split: 'test' })).length).toBe(1);
    expect((await openVoc(folder, { split: 'train', years: [2012] })).length).toBe(2);
    await expect(openVoc(folder, { split: 'test', years: [2007, 2012] })).rejects.toThrow(/none in VOC2012/);
    await expect(openVoc(folder, { split: 'train', years: [2008] })).rejects.toThrow(
      /folder VOC2008, got VOC2007, VOC2012/,
    );
    expect((await detectLayout(folder)).says).toBe('PASCAL VOC (VOC2007, VOC2012): splits train, test');
  });

  test('several splits need the option split, and the error lists them without those of single classes', async () => {
    const folder = await vocFolder();
    await expect(openVoc(folder)).rejects.toThrow(/needs the option split.*Choose one of: train, test\.$/);
    await expect(openVoc(folder, { split: 'val' })).rejects.toThrow(/got "val"\. Choose one of: train, test/);
    expect((await detectLayout(folder)).says).toBe('PASCAL VOC: splits train, test');
  });

  test('a folder without lists: every annotation', async () => {
    const folder = await vocFolder((files) => {
      for (const path of Object.keys(files)) if (path.startsWith('ImageSets')) delete files[path];
    });
    const dataset = await openDataset(folder);
    expect(dataset.length).toBe(2);
    expect(dataset.name).toBe(folder);
    expect((await detectLayout(folder)).splits).toEqual([]);
    await expect(openVoc(folder, { split: 'train' })).rejects.toThrow(/Leave out split/);
  });
});
