// The writers: names of pictures and splits, ids, large files in pieces, and folders that are whole or not there.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, ImageRecord, Splits, WriteOptions, WrittenDataset } from '@autoassign/datasets';
import { openVoc, writeCoco, writeVoc } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { annotationOf, folderWith } from '../samples.ts';
import { recordsDataset } from './datasets.ts';
import { memoryFolder, textOf } from './memory.ts';

const record = (id: number, file: string, boxes = 1): ImageRecord => ({
  id,
  file,
  width: 40,
  height: 30,
  annotations: Array.from({ length: boxes }, (_, i) => annotationOf(10 * id + i, [1, 2, 11 + i, 22])),
});

const dataset = (...records: readonly ImageRecord[]): Dataset => recordsDataset(records, ['cat', 'dog']);

const writers = { writeCoco, writeVoc };

describe.each(Object.entries(writers))('%s', (label, write) => {
  const written = async (splits: Splits, options?: WriteOptions): Promise<WrittenDataset> =>
    write(memoryFolder().writer, splits, options);

  test('a picture that two splits share is one picture', async () => {
    const [a, b] = [record(1, 'a.jpg'), record(2, 'b.jpg')];
    const { images, objects, pictures } = await written({
      train: dataset(a),
      all: dataset({ ...b, id: 7 }, a),
    });
    expect({ images, objects }).toEqual({ images: 3, objects: 3 });
    expect(pictures.map(({ split, index, path }) => [split, index, path.replace(/.*\//, '')])).toEqual([
      ['train', 0, 'a.jpg'],
      ['all', 0, 'b.jpg'],
    ]);
  });

  test('different pictures of one name in two splits get the name of the split', async () => {
    const { pictures } = await written({
      train: dataset(record(1, 'x/a.jpg')),
      val: dataset(record(1, 'x\\a.jpg', 3)),
    });
    expect(pictures.map(({ path }) => path.split('/').slice(1).join('/'))).toEqual([
      'x/a.jpg',
      'val/x/a.jpg',
    ]);
  });

  test('so do pictures whose files are elsewhere', async () => {
    const at = (folder: string): Dataset => ({
      ...dataset(record(1, 'a.jpg')),
      locate: () => `${folder}/a.jpg`,
    });
    const { pictures } = await written({ train: at('/x'), val: at('/y'), test: at('/x') });
    expect(pictures.map(({ split, path }) => [split, path.split('/').slice(1).join('/')])).toEqual([
      ['train', 'a.jpg'],
      ['val', 'val/a.jpg'],
    ]);
  });

  test.each<[string, Splits, RegExp]>([
    ['no split', {}, /at least one dataset/],
    [
      'a split that is no file name',
      { 'a/b': dataset(record(1, 'a.jpg')) },
      /split names that are file names, got "a\/b"/,
    ],
    ['a split of dots', { '..': dataset(record(1, 'a.jpg')) }, /split names/],
    [
      'other classes',
      { a: dataset(record(1, 'a.jpg')), b: recordsDataset([record(1, 'b.jpg')], ['dog', 'cat']) },
      /same classes in every split, got \(cat, dog\) in a and \(dog, cat\) in b/,
    ],
    [
      'a name twice',
      { a: dataset(record(1, 'a.jpg'), record(2, 'a.jpg')) },
      /different names, got a\.jpg twice/,
    ],
    ['a name that leads out', { a: dataset(record(1, '../a.jpg')) }, /inside the folder/],
    ['an empty name', { a: dataset(record(1, '')) }, /inside the folder/],
  ])('refuses %s', async (_, splits, message) => {
    await expect(written(splits)).rejects.toThrow(message);
    await expect(written(splits)).rejects.toThrow(
      new RegExp(`^${label}\\(.*\\): needs .*, got .*\\. .*\\.$`),
    );
  });

  test('when stopped, leaves nothing behind', async () => {
    const controller = new AbortController();
    const folder = memoryFolder();
    const onProgress = (done: number): void => {
      if (done === 2) controller.abort();
    };
    const splits = { train: dataset(record(1, 'a.jpg'), record(2, 'b.jpg'), record(3, 'c.jpg')) };
    const options = { signal: controller.signal, onProgress };
    const error = await write(folder.writer, splits, options).catch((reason: unknown) => reason);
    expect(controller.signal.aborted && error === controller.signal.reason).toBe(true);
    expect(folder.state).toEqual({ committed: false, discarded: true });
  });

  test('tells how far it is', async () => {
    const seen: [number, number][] = [];
    const splits = {
      train: dataset(record(1, 'a.jpg'), record(2, 'b.jpg')),
      val: dataset(record(1, 'a.jpg')),
    };
    await written(splits, { onProgress: (...progress) => seen.push(progress) });
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  test('on disk: refuses a folder with files, and leaves none of its own behind', async () => {
    const folder = await folderWith({ 'full/x.txt': 'x' });
    const splits = { train: dataset(record(1, 'a.jpg')) };
    await expect(write(join(folder, 'full'), splits)).rejects.toThrow(/new or empty folder/);
    await write(join(folder, 'new'), splits);
    expect(await readdir(folder)).toEqual(['full', 'new']);
  });
});

test('COCO ids are kept where they are distinct whole numbers, else counted', async () => {
  const idsOf = async (...ids: readonly number[]): Promise<object> => {
    const folder = memoryFolder();
    await writeCoco(folder.writer, {
      a: dataset(...ids.map((id, i) => ({ ...record(id, `${i}.jpg`), id }))),
    });
    const { images, annotations } = JSON.parse(textOf(folder, 'annotations/instances_a.json'));
    return [images, annotations].map((list: { id: number }[]) => list.map(({ id }) => id));
  };
  expect(await idsOf(7, 3)).toEqual([
    [7, 3],
    [70, 30],
  ]);
  expect(await idsOf(7, 7)).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(await idsOf(7.5, 3)).toEqual([
    [1, 2],
    [75, 30],
  ]);
});

test('a COCO file of any length is handed on in small pieces', async () => {
  const large = dataset(...Array.from({ length: 1500 }, (_, i) => record(i, `${i}.jpg`, 6)));
  const lengths: number[] = [];
  const { writer } = memoryFolder();
  await writeCoco(
    {
      ...writer,
      write: async (_, bytes) => {
        if (bytes instanceof Uint8Array) throw new Error('the whole file at once');
        for await (const piece of bytes) lengths.push(piece.length);
      },
    },
    { train: large },
  );
  expect(Math.max(...lengths)).toBeLessThan(2 ** 17);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(10 * 2 ** 16);
});

test.each([
  ['a class with a control character', ['a\u0001'], 'a.jpg', /class "a\\u0001"/],
  ['a class with a line break', ['a\nb'], 'a.jpg', /class "a\\nb"/],
  ['a class with white space at its end', ['a '], 'a.jpg', /class "a "/],
  ['half of a surrogate pair', ['\ud800'], 'a.jpg', /class/],
  ['a picture name with a control character', ['a'], 'a\u0007.jpg', /filename of a/],
])('VOC refuses %s, which XML would not give back', async (_, classes, file, message) => {
  const spoilt = recordsDataset([record(1, file)], classes);
  await expect(writeVoc(memoryFolder().writer, { a: spoilt })).rejects.toThrow(message);
});

test('VOC identifiers: no white space, a number where one is taken, subfolders kept', async () => {
  const folder = memoryFolder();
  const names = ['a b.jpg', 'a_b.jpg', 'a_b.png', 'x/a b.jpg', 'x.y/c.jpg'];
  const records = names.map((name, i) => record(i + 1, name));
  const { pictures } = await writeVoc(folder.writer, { all: dataset(...records) });
  expect(textOf(folder, 'ImageSets/Main/all.txt')).toBe('a_b-2\na_b\na_b-3\nx/a_b\nx_y/c\n');
  expect(textOf(folder, 'classes.txt')).toBe('cat\ndog\n');
  for (const { path } of pictures) folder.files.set(path, new Uint8Array(1));
  const opened = await openVoc(folder.source);
  expect(Array.from({ length: opened.length }, (_, i) => opened.record(i).file)).toEqual(names);
});

test('VOC corners count from 1 and include the last pixel; only what they cannot say is said besides', async () => {
  const folder = memoryFolder();
  const whole = annotationOf(1, [0, 0, 40, 30]);
  const thin = annotationOf(2, [3, 4, 4, 10]);
  const broken = annotationOf(3, [0.1, 0.2, 10.5, 20.5]);
  await writeVoc(folder.writer, {
    a: dataset({ ...record(1, 'a.jpg'), annotations: [whole, thin, broken] }),
  });
  const xml = textOf(folder, 'Annotations/a.xml').replace(/\s/g, '');
  const [first, second, third] = xml.split('</object>');
  expect(first).toContain('<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>40</xmax><ymax>30</ymax></bndbox>');
  expect(first).not.toMatch(/<box>|<area>|<iscrowd>|<ignore>|<pose>|<attributes>/);
  expect(second).toContain('<box><x>3</x><y>4</y><width>1</width><height>6</height></box>');
  expect(third).toContain('<xmin>1.1</xmin><ymin>1.2</ymin><xmax>10.5</xmax><ymax>20.5</ymax>');
  expect(third).toContain('<box><x>0.1</x><y>0.2</y><width>10.4</width><height>20.3</height></box>');
});
