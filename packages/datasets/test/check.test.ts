// The check of a dataset: every problem once, with kind, file and place, in both layouts.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, Problem } from '@autoassign/datasets';
import { checkDataset, openCoco, openVoc } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { annotationOf, cocoFolder, folderWith, jpegOf } from './samples.ts';
import { recordsDataset } from './write/datasets.ts';

const problemsOf = async (
  dataset: Dataset,
  options?: Parameters<typeof checkDataset>[1],
): Promise<Problem[]> => {
  const found: Problem[] = [];
  for await (const problem of checkDataset(dataset, options)) found.push(problem);
  return found;
};

const brief = (problems: readonly Problem[]): readonly string[] =>
  problems.map(({ kind, image, place = '' }) => [kind, image, place].join(' | '));

test('a dataset without a problem has none', async () => {
  expect(await problemsOf(await openCoco(await cocoFolder()))).toEqual([]);
});

test('in order: what opening found, then picture by picture boxes and files', async () => {
  const folder = await cocoFolder((content) => {
    content.annotations.push(
      { id: 4, image_id: 3, category_id: 2, bbox: [1, 1, 0, 5], area: 0 },
      { id: 5, image_id: 3, category_id: 9, bbox: [-1.01, 0, 20, 20], area: 400 },
      { id: 6, image_id: 3, category_id: 9, bbox: [-1, -1, 42, 34], area: 400 },
      { id: 7, image_id: 7, category_id: 2, bbox: [0, 0, 5, 33.5], area: 100 },
    );
  });
  const dataset = await openCoco(folder);
  await writeFile(join(folder, 'images/a.jpg'), (await jpegOf(40, 32)).subarray(0, 200));
  await writeFile(join(folder, 'images/b.jpg'), await jpegOf(41, 32));
  const problems = await problemsOf(dataset);
  expect(brief(problems)).toEqual([
    'box of zero size | b.jpg | annotations[3].bbox',
    'box beyond the picture | a.jpg | object 3 (early)',
    'damaged picture | a.jpg | ',
    'box beyond the picture | b.jpg | object 2 (late)',
    'wrong size | b.jpg | ',
  ]);
  expect(problems[2]!.file).toBe(join(folder, 'images/a.jpg'));
  for (const { message } of problems) expect(message).toMatch(/^\w+\(.+\): needs .+, got .+/);
  expect(brief(await problemsOf(dataset, { decode: false }))).toEqual([
    'box of zero size | b.jpg | annotations[3].bbox',
    'box beyond the picture | a.jpg | object 3 (early)',
    'box beyond the picture | b.jpg | object 2 (late)',
  ]);
});

describe('pictures that cannot be used', () => {
  const failing = (error: Error): Dataset => ({
    ...recordsDataset([{ id: 1, file: 'a.jpg', width: 9, height: 9, annotations: [] }], ['x']),
    at: () => Promise.reject(error),
  });

  test('one that vanished after opening is missing', async () => {
    const xml =
      '<annotation><filename>a.jpg</filename><size><width>40</width><height>32</height></size></annotation>';
    const folder = await folderWith({ 'Annotations/a.xml': xml, 'JPEGImages/a.jpg': await jpegOf(40, 32) });
    const dataset = await openVoc(folder);
    await rm(join(folder, 'JPEGImages/a.jpg'));
    expect(brief(await problemsOf(dataset))).toEqual(['missing picture | a.jpg | ']);
  });

  test.each([
    ['EACCES', 'unreadable file'],
    ['ENOENT', 'missing picture'],
    ['Z_DATA_ERROR', 'damaged picture'],
  ])('the code %s means %s', async (code, kind) => {
    const [problem] = await problemsOf(failing(Object.assign(new Error('no\nluck'), { code })));
    expect(problem).toMatchObject({ kind, file: 'a.jpg', image: 'a.jpg', message: 'no luck' });
  });
});

test('a problem that opening listed is not listed again', async () => {
  const beyond = annotationOf(5, [0, 0, 90, 9]);
  const dataset = recordsDataset(
    [{ id: 1, file: 'a.jpg', width: 9, height: 9, annotations: [beyond] }],
    ['x'],
  );
  const known: Problem = {
    kind: 'box beyond the picture',
    file: 'a.xml',
    image: 'a.jpg',
    annotationId: 5,
    message: '',
  };
  const listed = { ...dataset, report: { ...dataset.report, problems: [known] } };
  expect(await problemsOf(listed, { decode: false })).toEqual([known]);
  expect(await problemsOf(dataset, { decode: false })).toHaveLength(1);
});

test('tells how far it is, and stops when told to', async () => {
  const record = (id: number) => ({ id, file: `${id}.jpg`, width: 9, height: 9, annotations: [] });
  const dataset = recordsDataset([record(1), record(2), record(3)], ['x']);
  const controller = new AbortController();
  const seen: string[] = [];
  const onProgress = (done: number, total: number): void => {
    seen.push(`${done}/${total}`);
    if (done === 2) controller.abort();
  };
  const stopped = problemsOf(dataset, { decode: false, onProgress, signal: controller.signal });
  expect(await stopped.catch((reason: unknown) => reason)).toBe(controller.signal.reason);
  expect(seen).toEqual(['1/3', '2/3']);
});
