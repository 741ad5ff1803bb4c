// openObjects365 on folders as the archives unpack them: names, folders, flags of its own.
import { join } from 'node:path';
import { DatasetError, openObjects365 } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { folderWith, jpegOf } from '../samples.ts';

const names = ['images/v1/patch8/objects365_v1_00420917.jpg', 'images/v2/patch16/objects365_v2_00907801.jpg'];

/** Two images as in version 2, with all 365 categories. */
const content = (files: readonly string[] = names) => ({
  images: files.map((file_name, i) => ({
    height: 32,
    id: 420917 + i,
    license: 5,
    width: 40,
    file_name,
    url: '',
  })),
  annotations: [
    {
      id: 51,
      iscrowd: 0,
      isfake: 0,
      area: 120,
      isreflected: 1,
      bbox: [1.5, 2, 10, 12],
      image_id: 420917,
      category_id: 365,
    },
    {
      id: 52,
      iscrowd: 1,
      isfake: 1,
      area: 400,
      isreflected: 0,
      bbox: [5, 5, 20, 20],
      image_id: 420918,
      category_id: 1,
    },
    {
      id: 53,
      iscrowd: 0,
      isfake: 0,
      area: 400,
      isreflected: 1,
      bbox: [5, 5, 20, 20],
      image_id: 420918,
      category_id: 2,
    },
    { id: 54, iscrowd: 0, area: 400, bbox: [5, 5, 20, 20], image_id: 420918, category_id: 2 },
    { id: 55, iscrowd: 0, isfake: 7, area: 400, bbox: [5, 5, 20, 20], image_id: 420918, category_id: 2 },
  ],
  categories: Array.from({ length: 365 }, (_, i) => ({ id: i + 1, name: `class ${i + 1}` })),
  licenses: [{ name: 'License', id: 0, url: '' }],
});

describe('layout', () => {
  test.each([
    [
      'zhiyuan_objv2_train.json',
      ['images/v1/patch8/objects365_v1_00420917.jpg', 'images/v2/patch16/objects365_v2_00907801.jpg'],
    ],
    [
      'annotations/zhiyuan_objv2_val.json',
      ['val/images/v1/patch8/objects365_v1_00420917.jpg', 'val/images/v2/patch16/objects365_v2_00907801.jpg'],
    ],
    [
      'annotations/zhiyuan_objv2_val.json',
      ['val/v1/patch8/objects365_v1_00420917.jpg', 'val/v2/patch16/objects365_v2_00907801.jpg'],
    ],
    [
      'train/zhiyuan_objv2_train.json',
      ['train/patch8/objects365_v1_00420917.jpg', 'train/patch16/objects365_v2_00907801.jpg'],
    ],
    [
      'zhiyuan_objv2_train.json',
      ['images/train/objects365_v1_00420917.jpg', 'images/train/objects365_v2_00907801.jpg'],
    ],
    ['objects365_train.json', ['train/objects365_v1_00420917.jpg', 'train/objects365_v2_00907801.jpg']],
  ])('%s with %s', async (annotations, [first, second]) => {
    const jpeg = await jpegOf(40, 32);
    const folder = await folderWith({ [annotations]: content(), [first!]: jpeg, [second!]: jpeg });
    const dataset = await openObjects365(folder);
    expect(dataset).toMatchObject({ format: 'objects365', length: 2 });
    expect((await dataset.at(1)).id).toBe(420918);
    expect(dataset.locate?.(1)).toBe(join(folder, second!));
    const byFile = await openObjects365(join(folder, annotations), { onProblem: 'strict' });
    expect((await byFile.at(0)).file).toBe(names[0]);
  });

  test('version 1 keeps its pictures in one folder', async () => {
    const jpeg = await jpegOf(40, 32);
    const files = ['obj365_val_000000000001.jpg', 'obj365_val_000000000002.jpg'];
    const folder = await folderWith({
      'objects365_val.json': content(files),
      [`val/${files[0]}`]: jpeg,
      [`val/${files[1]}`]: jpeg,
    });
    expect((await openObjects365(folder)).length).toBe(2);
  });

  test('a file of each version for one split: which one has to be said', async () => {
    const files = { 'zhiyuan_objv2_val.json': content(), 'objects365_val.json': content() };
    const folder = await folderWith({ ...files, [names[0]!]: await jpegOf(40, 32) });
    await expect(openObjects365(folder, { split: 'val' })).rejects.toThrow(
      /needs the option annotations.*val \(objects365_val\.json\), val \(zhiyuan_objv2_val\.json\)/,
    );
    expect((await openObjects365(folder, { annotations: 'objects365_val.json' })).length).toBe(1);
  });

  test('a folder of something else', async () => {
    const folder = await folderWith({ 'annotations/instances_val.json': content() });
    const error = await openObjects365(folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatasetError);
    expect(String(error)).toMatch(
      /openObjects365\(.*\): needs zhiyuan_objv2_\*\.json or objects365_\*\.json, got a folder/,
    );
  });
});

test('365 names, flags as attributes, crowds; patches that are not there are left out with their objects', async () => {
  const jpeg = await jpegOf(40, 32);
  const folder = await folderWith({ 'zhiyuan_objv2_val.json': content(), [names[1]!]: jpeg });
  const dataset = await openObjects365(folder);
  expect(dataset.classes).toHaveLength(365);
  expect(dataset.classes[364]).toBe('class 365');
  expect(dataset.report).toMatchObject({
    images: 1,
    objects: 4,
    crowds: 1,
    problemCounts: { 'missing picture': 1 },
  });
  expect(dataset.report.problems[0]).toMatchObject({ image: names[0], file: `${folder}/${names[0]}` });
  const { annotations } = dataset.record(0);
  expect(annotations.map(({ id, isCrowd, attributes }) => ({ id, isCrowd, attributes }))).toEqual([
    { id: 52, isCrowd: true, attributes: { isfake: 1, isreflected: 0 } },
    { id: 53, isCrowd: false, attributes: { isfake: 0, isreflected: 1 } },
    { id: 54, isCrowd: false, attributes: undefined },
    { id: 55, isCrowd: false, attributes: { isfake: 7 } },
  ]);
});
