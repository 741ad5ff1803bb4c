// Every kind of bad COCO input: one clear line that names the file and the field, or a dropped box that is listed.
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batches, DatasetError, openCoco } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { cocoFolder, folderWith, jpegOf, validCoco } from '../samples.ts';

const failure = async (attempt: () => Promise<unknown>): Promise<DatasetError> => {
  const error = await attempt().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DatasetError)) throw new Error(`no DatasetError but ${String(error)}`);
  expect(error.message).not.toContain('\n');
  return error;
};

type Content = ReturnType<typeof validCoco>;

describe('refused when the folder is opened', () => {
  const cases: readonly [name: string, field: string, message: RegExp, spoil: (content: Content) => void][] =
    [
      [
        'annotation of an unknown image',
        'annotations[1].image_id',
        /listed in images, got 99/,
        (c) => (c.annotations[1]!.image_id = 99),
      ],
      [
        'annotation of an unknown category',
        'annotations[0].category_id',
        /listed in categories, got 5/,
        (c) => (c.annotations[0]!.category_id = 5),
      ],
      [
        'duplicate image ids',
        'images[1].id',
        /unique ids, got 7 in both images\[0\] and images\[1\]/,
        (c) => (c.images[1]!.id = 7),
      ],
      ['duplicate category ids', 'categories[1].id', /unique ids, got 9/, (c) => (c.categories[1]!.id = 9)],
      [
        'duplicate category names',
        'categories[1].name',
        /unique category names, got "late" in both categories\[0\] and categories\[1\]/,
        (c) => (c.categories[1]!.name = c.categories[0]!.name),
      ],
      [
        'duplicate annotation ids',
        'annotations[2].id',
        /unique ids, got 1/,
        (c) => (c.annotations[2]!.id = 1),
      ],
      [
        '.. in a file name',
        'images[0].file_name',
        /inside the image folder, got "\.\.\/a\.jpg"/,
        (c) => (c.images[0]!.file_name = '../a.jpg'),
      ],
      [
        '.. after a folder',
        'images[0].file_name',
        /inside the image folder/,
        (c) => (c.images[0]!.file_name = 'x\\..\\..\\a.jpg'),
      ],
      [
        'absolute file name',
        'images[0].file_name',
        /inside the image folder/,
        (c) => (c.images[0]!.file_name = '/etc/passwd'),
      ],
      [
        'file name with a drive',
        'images[0].file_name',
        /inside the image folder/,
        (c) => (c.images[0]!.file_name = 'C:\\a.jpg'),
      ],
      ['no images', 'images', /at least one entry in images/, (c) => void c.images.splice(0)],
      ['no categories', 'categories', /at least one entry in categories/, (c) => void c.categories.splice(0)],
      [
        'images that are no array',
        'images',
        /images to be an array, got "many"/,
        (c) => Object.assign(c, { images: 'many' }),
      ],
      [
        'annotations missing',
        'annotations',
        /annotations to be an array, got nothing/,
        (c) => Object.assign(c, { annotations: undefined }),
      ],
      [
        'an image without a width',
        'images[1].width',
        /an integer of at least 1, got nothing/,
        (c) => delete c.images[1]!.width,
      ],
      [
        'an image of no height',
        'images[1].height',
        /an integer of at least 1, got 0/,
        (c) => (c.images[1]!.height = 0),
      ],
      [
        'a box of three numbers',
        'annotations[0].bbox',
        /four numbers .* got \[1,2,3\]/,
        (c) => (c.annotations[0]!.bbox = [1, 2, 3]),
      ],
      [
        'an image that is not there',
        'file_name',
        /1 of 2 missing, first images\/c\.jpg/,
        (c) => (c.images[1]!.file_name = 'c.jpg'),
      ],
    ];

  test.each(cases)('%s', async (_, field, message, spoil) => {
    const folder = await cocoFolder(spoil);
    const error = await failure(() => openCoco(folder));
    expect(error.message).toMatch(message);
    expect(error.field).toBe(field);
    expect(error.message).toContain(field === 'file_name' ? folder : 'instances_val.json');
  });

  test.each([
    ['cut off', '{"images": ['],
    ['not JSON', 'hello'],
    ['empty', ''],
    ['not UTF-8', Uint8Array.of(0xff, 0xfe, 0x22)],
  ])('malformed JSON: %s', async (_, text) => {
    const folder = await cocoFolder();
    await writeFile(join(folder, 'annotations/instances_val.json'), text);
    const error = await failure(() => openCoco(folder));
    expect(error.message).toMatch(/instances_val\.json\): needs a JSON file, got ".+"\. Repair/);
    expect(error.file).toBe(`${folder}/annotations/instances_val.json`);
  });

  test('a folder without annotations, a folder that is not there, a file that is not there', async () => {
    const folder = await folderWith({ 'images/a.jpg': await jpegOf(4, 4) });
    expect((await failure(() => openCoco(folder))).message).toMatch(/without one/);
    expect((await failure(() => openCoco(join(folder, 'nowhere')))).message).toMatch(/nowhere\): needs/);
    const error = await failure(() => openCoco(join(folder, 'annotations/instances_x.json')));
    expect(error.message).toMatch(/instances_x\.json\): needs a readable file/);
  });

  test('images in none of the usual folders', async () => {
    const folder = await folderWith({ 'annotations/instances_val.json': validCoco() });
    expect((await failure(() => openCoco(folder))).message).toMatch(
      /needs the image a\.jpg .* got none in val\/.*option images/,
    );
  });
});

describe('boxes without meaning are dropped, counted and listed by file', () => {
  test.each([
    ['box of negative size', '[1, 1, -5, 4]'],
    ['box of zero size', '[1, 1, 5, 0]'],
    ['box not finite', '[1, null, 5, 4]'],
    ['box not finite', '[1, NaN, 5, 4]'],
    ['box not finite', '[1, 1, Infinity, 4]'],
    ['box outside the picture', '[40, 3, 5, 5]'],
    ['box outside the picture', '[-6, 3, 5, 5]'],
  ])('%s: %s', async (reason, box) => {
    const folder = await cocoFolder();
    const text = JSON.stringify(validCoco()).replace('[1.5,2,10,12]', box);
    await writeFile(join(folder, 'annotations/instances_val.json'), text);
    const dataset = await openCoco(folder);
    expect(dataset.report.problems).toMatchObject([{ kind: reason, image: 'a.jpg', annotationId: 1 }]);
    expect(dataset.report.objects).toBe(2);
    expect(dataset.record(0).annotations.map((annotation) => annotation.id)).toEqual([2]);
  });

  test('the word NaN in a name is left alone', async () => {
    const folder = await cocoFolder(({ categories }) => (categories[0]!.name = 'a "NaN" bread'));
    expect((await openCoco(folder)).classes).toContain('a "NaN" bread');
  });
});

describe('found when the image is read', () => {
  const readingFails = async (spoil: (path: string) => Promise<void>): Promise<DatasetError> => {
    const folder = await cocoFolder();
    const dataset = await openCoco(folder);
    await spoil(join(folder, 'images/b.jpg'));
    const error = await failure(() => dataset.at(1));
    expect(error.file).toBe(`${folder}/images/b.jpg`);
    expect((await dataset.at(0)).id).toBe(7);
    return error;
  };

  test('truncated JPEG', async () => {
    const error = await readingFails((path) => truncate(path, 700));
    expect(error.message).toMatch(/b\.jpg\): needs a complete image file, got ".*premature end.*"/);
  });

  test('a JPEG that lacks only its last bytes', async () => {
    const { length } = await jpegOf(40, 32);
    const error = await readingFails((path) => truncate(path, length - 20));
    expect(error.message).toMatch(/needs a complete image file/);
  });

  test('an empty file, a file of something else, a file that is gone', async () => {
    expect((await readingFails((path) => truncate(path, 0))).message).toMatch(/complete image file/);
    expect((await readingFails((path) => writeFile(path, 'hello'))).message).toMatch(/complete image file/);
    expect((await readingFails((path) => rm(path))).message).toMatch(/readable file/);
  });

  test('an image of another size than annotated', async () => {
    const other = await jpegOf(30, 32);
    const error = await readingFails((path) => writeFile(path, other));
    expect(error.message).toMatch(/needs the annotated size 40x32, got an image of 30x32/);
  });

  test('a batch with a damaged image fails with its name, after the batches before it', async () => {
    const folder = await cocoFolder();
    const dataset = await openCoco(folder);
    await truncate(join(folder, 'images/b.jpg'), 700);
    const normalization = { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' } as const;
    const seen: number[] = [];
    const error = await failure(async () => {
      for await (const batch of batches(dataset, { batchSize: 1, purpose: 'evaluate', normalization }))
        seen.push(...batch.ids);
    });
    expect(seen).toEqual([7]);
    expect(error.message).toMatch(/b\.jpg/);
  });

  test('training on a dataset without usable objects is refused', async () => {
    const dataset = await openCoco(await cocoFolder((content) => void content.annotations.shift()));
    const normalization = { mean: [0, 0, 0], std: [1, 1, 1], order: 'rgb' } as const;
    expect(() => batches(dataset, { batchSize: 1, normalization })).toThrow(/at least one image/);
  });
});
