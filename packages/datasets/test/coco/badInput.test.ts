// Every kind of bad COCO input: one clear line that names the file and the field, or a dropped box that is listed.
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batches, DatasetError, openCoco, type ProblemKind } from '@autoassign/datasets';
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

type Spoilt = readonly [name: string, place: string, message: RegExp, spoil: (content: Content) => void];

describe('refused when the folder is opened', () => {
  const cases: readonly Spoilt[] = [
    [
      'duplicate category ids',
      'categories[1].id',
      /unique ids, got 9 in both categories\[0\] and categories\[1\]/,
      (c) => (c.categories[1]!.id = 9),
    ],
    [
      'duplicate category names',
      'categories[1].name',
      /unique category names, got "late" in both categories\[0\] and categories\[1\]/,
      (c) => (c.categories[1]!.name = c.categories[0]!.name),
    ],
    [
      'a category without a name',
      'categories[0].name',
      /to be a text, got nothing/,
      (c) => delete c.categories[0]!.name,
    ],
    ['no images', 'images', /at least one entry in images, got none/, (c) => void c.images.splice(0)],
    [
      'no categories',
      'categories',
      /needs 1 to 65536 entries in categories, got 0/,
      (c) => void c.categories.splice(0),
    ],
    [
      'images that are no array',
      'images',
      /images to be an array, got a text at line 1, byte 10\. Correct/,
      (c) => Object.assign(c, { images: 'many' }),
    ],
    [
      'annotations missing',
      'annotations',
      /annotations to be an array, got nothing/,
      (c) => Object.assign(c, { annotations: undefined }),
    ],
    [
      'no picture there',
      'images',
      /needs the image c\.jpg of .*instances_val\.json, got none in val\/, images\/val\//,
      ({ images }) => images.map((image) => Object.assign(image, { file_name: 'c.jpg' })),
    ],
  ];

  test.each(cases)('%s', async (_, field, message, spoil) => {
    const folder = await cocoFolder(spoil);
    for (const onProblem of ['skip', 'strict'] as const) {
      const error = await failure(() => openCoco(folder, { onProblem }));
      expect(error.message).toMatch(message);
      expect(error.message).toContain('instances_val.json');
      expect(error.field).toBe(field);
    }
  });

  test('no image that can be used: the first reason is told', async () => {
    const folder = await cocoFolder(({ images }) => {
      for (const image of images) image.width = 0;
    });
    expect((await failure(() => openCoco(folder))).message).toMatch(
      /got 2 of which none can be used: .*images\[0\]\.width to be an integer of at least 1, got 0\./,
    );
  });

  test.each([
    [
      'cut off',
      '{"images": [',
      /got an end where a value or "\]" belongs at line 1, byte 12, in images\[0\]/,
    ],
    ['not JSON', 'hello', /got 'h' where "\{" belongs at line 1, byte 0/],
    ['empty', '', /got an empty file at line 1, byte 0/],
    ['a list', '\n[]', /got '\[' where "\{" belongs at line 2, byte 1/],
    [
      'not UTF-8',
      Uint8Array.of(0xff, 0xfe, 0x7b, 0),
      /needs a JSON file in UTF-8, got one in another encoding/,
    ],
    [
      'a comma too many',
      '{"images": [{"id": 1,}]}',
      /got '\}' where a name in quotes belongs .* byte 21, in images\[0\]/,
    ],
    ['images twice', '{"images": [], "images": []}', /needs images once, got it again/],
  ])('malformed JSON: %s', async (_, text, message) => {
    const folder = await cocoFolder();
    await writeFile(join(folder, 'annotations/instances_val.json'), text);
    const error = await failure(() => openCoco(folder));
    expect(error.message).toMatch(message);
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

describe('entries that are wrong are left out and listed, or thrown under strict', () => {
  const cases: readonly (readonly [
    kind: ProblemKind,
    ...Spoilt,
    left: readonly [images: number, objects: number],
  ])[] = [
    [
      'unknown id',
      'annotation of an unknown image',
      'annotations[1].image_id',
      /listed in images, got 99/,
      (c) => (c.annotations[1]!.image_id = 99),
      [2, 2],
    ],
    [
      'unknown id',
      'annotation of an unknown category',
      'annotations[0].category_id',
      /listed in categories, got 5/,
      (c) => (c.annotations[0]!.category_id = 5),
      [2, 2],
    ],
    [
      'duplicate id',
      'duplicate image ids',
      'images[1].id',
      /unique ids, got 7 in both images\[0\] and images\[1\]/,
      (c) => Object.assign(c.images[1]!, { id: 7 }) && c.annotations.pop(),
      [1, 2],
    ],
    [
      'duplicate id',
      'duplicate annotation ids',
      'annotations[2].id',
      /unique ids, got 1 in both annotations\[0\] and annotations\[2\]/,
      (c) => (c.annotations[2]!.id = 1),
      [2, 2],
    ],
    [
      'unsafe path',
      '.. in a file name',
      'images[0].file_name',
      /inside the image folder, got "\.\.\/a\.jpg"/,
      (c) => (c.images[0]!.file_name = '../a.jpg'),
      [1, 1],
    ],
    [
      'unsafe path',
      '.. after a folder',
      'images[0].file_name',
      /inside the image folder/,
      (c) => (c.images[0]!.file_name = 'x\\..\\..\\a.jpg'),
      [1, 1],
    ],
    [
      'unsafe path',
      'absolute file name',
      'images[0].file_name',
      /inside the image folder/,
      (c) => (c.images[0]!.file_name = '/etc/passwd'),
      [1, 1],
    ],
    [
      'unsafe path',
      'file name with a drive',
      'images[1].file_name',
      /inside the image folder/,
      (c) => (c.images[1]!.file_name = 'C:\\a.jpg'),
      [1, 2],
    ],
    [
      'unsafe path',
      'file name with a zero byte',
      'images[1].file_name',
      /inside the image folder, got "b\\u0000\.jpg"/,
      (c) => (c.images[1]!.file_name = 'b\0.jpg'),
      [1, 2],
    ],
    [
      'wrong field',
      'an image without a width',
      'images[1].width',
      /an integer of at least 1, got nothing/,
      (c) => delete c.images[1]!.width,
      [1, 2],
    ],
    [
      'wrong field',
      'an image of no height',
      'images[1].height',
      /an integer of at least 1, got 0/,
      (c) => (c.images[1]!.height = 0),
      [1, 2],
    ],
    [
      'wrong field',
      'a box of three numbers',
      'annotations[0].bbox',
      /four numbers .* got \[1,2,3\]/,
      (c) => (c.annotations[0]!.bbox = [1, 2, 3]),
      [2, 2],
    ],
    [
      'wrong field',
      'an id that is a text',
      'annotations[0].id',
      /an integer, got "1"/,
      (c) => (c.annotations[0]!.id = '1'),
      [2, 2],
    ],
    [
      'wrong field',
      'a flag that is neither 0 nor 1',
      'annotations[0].iscrowd',
      /0 or 1, got 2/,
      (c) => (c.annotations[0]!.iscrowd = 2),
      [2, 2],
    ],
    [
      'wrong field',
      'an annotation that is no object',
      'annotations[3]',
      /an object, got 5/,
      (c) => c.annotations.push(5 as never),
      [2, 3],
    ],
    [
      'missing picture',
      'a picture that is not there',
      '',
      /needs the picture .*images\/c\.jpg of the image with id 3, got no such file/,
      (c) => (c.images[1]!.file_name = 'c.jpg'),
      [1, 2],
    ],
  ];

  test.each(cases)('%s: %s', async (kind, _, place, message, spoil, [images, objects]) => {
    const folder = await cocoFolder(spoil);
    const { report } = await openCoco(folder);
    expect(report).toMatchObject({ images, objects, problemCounts: { [kind]: 1 } });
    expect(report.problems).toHaveLength(1);
    const [problem] = report.problems;
    expect(problem!.kind).toBe(kind);
    expect(problem!.message).toMatch(message);
    expect(problem!.place ?? '').toBe(place);
    const error = await failure(() => openCoco(folder, { onProblem: 'strict' }));
    expect([error.message, error.file, error.field]).toEqual([
      problem!.message,
      problem!.file,
      problem!.place,
    ]);
  });

  test('places count the entries of the file, those left out included', async () => {
    const folder = await cocoFolder((c) => {
      c.annotations[0]!.bbox = 1;
      c.annotations[2]!.image_id = 8;
    });
    const { problems } = (await openCoco(folder)).report;
    expect(problems.map(({ place }) => place)).toEqual(['annotations[0].bbox', 'annotations[2].image_id']);
  });

  test('of one kind ten thousand are listed, and all are counted', async () => {
    const folder = await cocoFolder((c) => {
      for (let id = 4; id < 12_004; id++)
        c.annotations.push({ ...c.annotations[0]!, id, bbox: [1, 1, 0, 4] });
    });
    const { report } = await openCoco(folder);
    expect(report.problems).toHaveLength(10_000);
    expect(report.problemCounts).toEqual({ 'box of zero size': 12_000 });
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
    expect(error.message).toMatch(/needs the annotated size 40x32, got a picture of 30x32/);
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
