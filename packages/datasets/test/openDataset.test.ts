// The layout of a folder is recognised by its files, and says what it is; unknown folders say what they hold.
import { join } from 'node:path';
import { detectLayout, openDataset, trainingSplits } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { failureOf } from './failure.ts';
import { memorySource } from './memory.ts';
import { cocoFolder, folderWith, validCoco } from './samples.ts';
import { below, vocFiles, vocFolder } from './voc/samples.ts';
import { widerFiles } from './widerface/samples.ts';

const coco = JSON.stringify(validCoco());

describe('detectLayout', () => {
  test.each([
    [
      'COCO: splits train2017, val2017',
      { 'annotations/instances_train2017.json': coco, 'annotations/instances_val2017.json': coco },
    ],
    ['COCO: split default', { 'instances_default.json': coco, 'images/a.jpg': '' }],
    [
      'COCO: splits train, valid',
      { 'train/_annotations.coco.json': coco, 'valid/_annotations.coco.json': coco },
    ],
    ['COCO: no splits', { '_annotations.coco.json': coco }],
    [
      'PASCAL VOC: splits train, val, trainval, test, night',
      Object.fromEntries(
        ['night', 'test', 'trainval', 'val', 'train', 'cat_train']
          .map((name) => [`ImageSets/Main/${name}.txt`, ''])
          .concat([['Annotations/a.xml', '']]),
      ),
    ],
    ['PASCAL VOC: no splits', { 'Annotations/a.xml': '' }],
    [
      'PASCAL VOC (VOC2007, VOC2012): split train',
      {
        'VOC2012/Annotations/a.xml': '',
        'VOC2007/Annotations/a.xml': '',
        'VOC2007/ImageSets/Main/train.txt': '',
      },
    ],
    [
      'Objects365: splits train, val',
      { 'train/zhiyuan_objv2_train.json': '', 'val/zhiyuan_objv2_val.json': '' },
    ],
    ['Objects365: split val', { 'annotations/objects365_val.json': '', 'images/a.jpg': '' }],
    [
      'WiderFace: splits train, val, test',
      Object.fromEntries(
        ['test_filelist', 'val_bbx_gt', 'train_bbx_gt'].map((name) => [
          `wider_face_split/wider_face_${name}.txt`,
          '',
        ]),
      ),
    ],
  ])('%s', async (says, files) => {
    const layout = await detectLayout(memorySource(files));
    expect(layout.says).toBe(says);
    const named = /splits? (.*)$/.exec(says)?.[1]?.split(', ') ?? [];
    expect(layout.splits).toEqual(says.includes('no splits') ? [] : named);
  });

  test('a folder of none of them says what was looked for and what it holds', async () => {
    const error = await failureOf(() => detectLayout(memorySource({ 'a.txt': '', 'b/c.png': '' })));
    expect(error.message).toMatch(
      /COCO.*Objects365.*PASCAL VOC.*WiderFace.*got a folder that holds a\.txt, b\. Check the path\.$/,
    );
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}.png`, '']));
    expect((await failureOf(() => detectLayout(memorySource(many)))).message).toMatch(/and 20 more\./);
    const folder = await folderWith({});
    expect((await failureOf(() => detectLayout(join(folder, 'nowhere')))).message).toMatch(
      /nowhere.*holds nothing/,
    );
  });

  test('where capitals do not count, a folder is what its name says', async () => {
    const source = memorySource({ 'Annotations/instances_a.json': '', 'Annotations/a.xml': '' });
    const list = (path: string) => source.list(path.replace('annotations', 'Annotations'));
    expect((await detectLayout({ ...source, list })).says).toBe('PASCAL VOC: no splits');
  });

  test('a folder of two layouts, a folder that cannot be listed', async () => {
    const both = { ...(await vocFiles()), 'annotations/instances_val.json': coco };
    expect((await failureOf(() => detectLayout(memorySource(both)))).message).toMatch(
      /got COCO: split val; and PASCAL VOC: splits train, test/,
    );
    const unlisted = memorySource(await vocFiles(), { canList: false });
    expect((await failureOf(() => openDataset(unlisted, { split: 'train' }))).message).toMatch(
      /can be listed/,
    );
  });
});

describe('openDataset', () => {
  test('folders, and files by their paths', async () => {
    const folder = await cocoFolder();
    expect((await openDataset(folder)).format).toBe('coco');
    expect((await openDataset(join(folder, 'annotations/instances_val.json'))).format).toBe('coco');
    const objects365 = memorySource({ 'objects365_val.json': coco, 'a.jpg': '', 'b.jpg': '' });
    expect((await openDataset(objects365)).format).toBe('objects365');
    const renamed = await folderWith({ 'objects365_val.json': validCoco(), 'a.jpg': '', 'b.jpg': '' });
    expect((await openDataset(join(renamed, 'objects365_val.json'))).format).toBe('objects365');
    const voc = await vocFolder();
    expect((await openDataset(voc, { split: 'test' })).format).toBe('voc');
    const byList = await openDataset(join(voc, 'ImageSets/Main/train.txt'));
    expect([byList.format, byList.length, byList.name]).toEqual(['voc', 2, `${voc} (train)`]);
    const wider = memorySource(await widerFiles());
    expect((await openDataset(wider, { split: 'val' })).format).toBe('widerface');
  });

  test('progress counts files to the end; an aborted signal stops with its reason', async () => {
    const source = memorySource(below('VOC2007', await vocFiles()));
    const seen: unknown[] = [];
    await openDataset(source, { split: 'test', onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([{ done: 2, total: 2, unit: 'files' }]);
    const stop = new AbortController();
    const asked: string[] = [];
    const stopping = memorySource(await vocFiles(), {}, asked);
    stop.abort(new Error('enough'));
    await expect(openDataset(stopping, { split: 'train', signal: stop.signal })).rejects.toThrow('enough');
    expect(asked.filter((path) => path.endsWith('.xml'))).toEqual([]);
  });
});

test.each([
  [['train', 'val'], 'train', 'val'],
  [['train2017', 'val2017'], 'train2017', 'val2017'],
  [['test', 'train', 'valid'], 'train', 'valid'],
  [['train', 'validation', 'test'], 'train', 'validation'],
  [['train', 'val', 'trainval', 'test'], 'trainval', 'test'],
  [['train', 'val', 'trainval'], 'train', 'val'],
  [['train', 'test'], 'train', undefined],
  [['val'], undefined, 'val'],
  [[], undefined, undefined],
])('of the splits %j: train on %s, validate on %s', (splits, train, validation) => {
  expect(trainingSplits(splits)).toEqual({ train, validation });
});
