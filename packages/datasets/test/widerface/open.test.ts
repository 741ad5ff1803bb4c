// openWiderFace: what is read, in which order, with which units; and every kind of bad input, by line.
import { join } from 'node:path';
import { isTrainable, openDataset, openWiderFace, type Problem } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../failure.ts';
import { memorySource } from '../memory.ts';
import { folderWith, jpegOf } from '../samples.ts';
import { dresses, parade, widerFiles, widerText } from './samples.ts';

const annotations = 'wider_face_split/wider_face_val_bbx_gt.txt';

describe('content', () => {
  test('boxes become corners, invalid faces are ignored, the other flags are attributes, sizes come from the pictures', async () => {
    const dataset = await openWiderFace(memorySource(await widerFiles()), { split: 'val' });
    expect(dataset.classes).toEqual(['face']);
    expect(dataset.record(0)).toMatchObject({ id: 1, file: parade, width: 40, height: 32 });
    expect(dataset.record(0).annotations[0]).toEqual({
      id: 1,
      box: [4, 5, 16, 15],
      size: [12, 10],
      label: 0,
      area: 120,
      isCrowd: false,
      isIgnored: false,
      isDifficult: false,
      isTruncated: false,
      attributes: { blur: 2, expression: 1, illumination: 0, occlusion: 2, pose: 1 },
    });
    expect(dataset.record(0).annotations.map(isTrainable)).toEqual([true, false]);
    expect(dataset.record(1)).toMatchObject({ id: 2, file: dresses, width: 32, height: 40, annotations: [] });
    expect(dataset.report).toMatchObject({ images: 2, objects: 2, imagesWithoutObjects: 1, problems: [] });
    expect((await dataset.at(1)).pixels.height).toBe(40);
  });

  test('the test split is a list of pictures without faces', async () => {
    const dataset = await openWiderFace(memorySource(await widerFiles()), { split: 'test' });
    expect([0, 1].map((index) => dataset.record(index).file)).toEqual([dresses, parade]);
    expect(dataset.report).toMatchObject({ objects: 0, imagesWithoutObjects: 2 });
  });

  test('after a count of 0 there may be a line of zeros, or none', async () => {
    for (const ofNone of ['0 0 0 0 0 0 0 0 0 0\n', '']) {
      const text = widerText(
        [
          [parade, []],
          [dresses, [[1, 2, 3, 4, 0, 0, 0, 0, 0, 0]]],
        ],
        ofNone,
      );
      const dataset = await openWiderFace(memorySource({ ...(await widerFiles()), [annotations]: text }), {
        split: 'val',
      });
      expect(dataset.report).toMatchObject({ images: 2, objects: 1, problems: [] });
    }
  });

  test('an annotation file by its path, on a disk and where nothing can be listed', async () => {
    const files = await widerFiles();
    const folder = await folderWith(files);
    for (const open of [openWiderFace, openDataset])
      expect((await open(join(folder, annotations))).length).toBe(2);
    const unlisted = memorySource(files, { canList: false, pieceLength: 100 });
    const dataset = await openWiderFace(unlisted, { annotations });
    expect((await dataset.at(0)).annotations).toHaveLength(2);
    expect((await failureOf(() => openWiderFace(unlisted))).message).toMatch(/needs the option annotations/);
    const renamed = {
      ...Object.fromEntries(
        Object.entries(files).map(([path, content]) => [path.replace(annotations, 'all.txt'), content]),
      ),
    };
    expect(
      (await failureOf(() => openWiderFace(memorySource(renamed), { annotations: 'all.txt' }))).field,
    ).toBe('images');
    const named = await openWiderFace(memorySource(renamed), {
      annotations: 'all.txt',
      images: 'WIDER_val/images/',
    });
    expect((await named.at(0)).width).toBe(40);
  });

  test('several splits need the option split, and the error lists them', async () => {
    const source = memorySource(await widerFiles());
    expect((await failureOf(() => openWiderFace(source))).message).toMatch(
      /option split.*Choose one of: val \(.*\), test \(/,
    );
    expect((await failureOf(() => openWiderFace(source, { split: 'train' }))).message).toMatch(/got "train"/);
    expect((await failureOf(() => openWiderFace(memorySource({ a: '' })))).message).toMatch(
      /got a folder without one/,
    );
  });

  test('sizes are read from the beginning of each picture only', async () => {
    const large = await jpegOf(600, 500);
    const files = { ...(await widerFiles()), [`WIDER_val/images/${parade}`]: large };
    let bytesRead = 0;
    const source = memorySource(files, { pieceLength: 1024 });
    const counting = {
      ...source,
      stream: async function* (path: string) {
        for await (const piece of source.stream!(path)) {
          bytesRead += piece.length;
          yield piece;
        }
      },
    };
    expect((await openWiderFace(counting, { split: 'val' })).record(0)).toMatchObject({
      width: 600,
      height: 500,
    });
    expect(bytesRead).toBeLessThan(3000);
    expect(large.length).toBeGreaterThan(50_000);
  });
});

describe('bad input', () => {
  /** The problems of the split val when its annotation file has that content. */
  const problemsOf = async (
    text: string | Uint8Array,
    more: Record<string, Uint8Array | string> = {},
  ): Promise<readonly Problem[]> => {
    const source = memorySource({ ...(await widerFiles()), [annotations]: text, ...more });
    const { problems } = (await openWiderFace(source, { split: 'val' })).report;
    const strict = await failureOf(() => openWiderFace(source, { split: 'val', onProblem: 'strict' }));
    expect(strict.message).toBe(problems[0]?.message);
    return problems;
  };

  const good = `${dresses}\n1\n1 2 3 4 0 0 0 0 0 0\n`;

  const lines: readonly [kind: Problem['kind'], line: string][] = [
    ['box of zero size', '1 2 0 4 0 0 0 0 0 0'],
    ['box of zero size', '1 2 3 0 0 0 0 0 0 0'],
    ['box of negative size', '1 2 -3 4 0 0 0 0 0 0'],
    ['box not finite', 'nan 2 3 4 0 0 0 0 0 0'],
    ['box not finite', '1 2 1e999 4 0 0 0 0 0 0'],
    ['box not finite', '1 2 1e300 1e300 0 0 0 0 0 0'],
    ['box outside the picture', '40 2 3 4 0 0 0 0 0 0'],
    ['box outside the picture', '1 -4 3 4 0 0 0 0 0 0'],
    ['wrong field', '1 2 3 4'],
    ['wrong field', '1 2 3 4 0 0 0 0 0 0 0'],
    ['wrong field', '1 2 three 4 0 0 0 0 0 0'],
    ['wrong field', '1 2 3 4 3 0 0 0 0 0'],
    ['wrong field', '1 2 3 4 0 0 0 2 0 0'],
    ['wrong field', '1 2 3 4 0 0 0 0.5 0 0'],
  ];

  test.each(lines)('a face is left out: %s, %s', async (kind, line) => {
    const problems = await problemsOf(`${good}${parade}\n2\n5 6 7 8 0 0 0 0 0 0\n${line}\n`);
    expect(problems).toMatchObject([{ kind, file: `memory/${annotations}`, place: 'line 7', image: parade }]);
    expect(problems[0]!.message).toMatch(
      /^openWiderFace\(memory\/.*_gt\.txt, line 7\): needs .+, got .+\. Correct /,
    );
  });

  const blocks: readonly [name: string, block: string, place: string, message: RegExp][] = [
    ['cut off after the path', `${parade}\n`, 'line 4', /number of faces .* got nothing/],
    ['no count', `${parade}\n1 2 3 4 0 0 0 0 0 0\n`, 'line 4', /number of faces in the line after the path/],
    [
      'too few lines',
      `${parade}\n3\n1 2 3 4 0 0 0 0 0 0\n`,
      'line 5',
      /as many lines as faces are counted \(3\) .* got 1/,
    ],
    ['too many lines', `${parade}\n0\n1 2 3 4 0 0 0 0 0 0\n`, 'line 5', /counted \(0\) .* got 1/],
    [
      '.. in a path',
      `../${parade}\n0\n`,
      'line 4',
      /a path inside the folder of pictures, got "\.\.\/0--Parade/,
    ],
    ['an absolute path', `/${parade}\n0\n`, 'line 4', /a path inside the folder of pictures/],
    ['a picture twice', `${dresses}\n0\n`, 'line 4', /every picture once, got ".*" also in line 1/],
    [
      'a picture that is not there',
      '0--Parade/x.jpg\n0\n',
      'line 4',
      /the picture WIDER_val\/images\/0--Parade\/x\.jpg, got none/,
    ],
  ];

  test.each(blocks)('a picture is left out: %s', async (_, block, place, message) => {
    const problems = await problemsOf(`${good}${block}`);
    expect(problems).toMatchObject([{ file: `memory/${annotations}`, place }]);
    expect(problems[0]!.message).toMatch(message);
  });

  test('a picture that is none, lines before the first path', async () => {
    const picture = `WIDER_val/images/${parade}`;
    expect(
      await problemsOf(`${good}${parade}\n0\n`, { [picture]: 'hello, this is no picture' }),
    ).toMatchObject([{ kind: 'damaged picture', file: `memory/${picture}`, image: parade }]);
    expect(await problemsOf(`hello\n\n${good}`)).toMatchObject([{ kind: 'malformed file', place: 'line 1' }]);
  });

  test('byte-order mark and Windows line ends are no problem, other encodings are', async () => {
    const text = `\ufeff${good}`.replaceAll('\n', '\r\n');
    const source = memorySource({ ...(await widerFiles()), [annotations]: text });
    expect((await openWiderFace(source, { split: 'val' })).report).toMatchObject({
      objects: 1,
      problems: [],
    });
    const latin1 = Uint8Array.from(`${good}0--F\u00eate/a.jpg\n0\n`, (character) => character.charCodeAt(0));
    const encoded = memorySource({ ...(await widerFiles()), [annotations]: latin1 });
    expect(await failureOf(() => openWiderFace(encoded, { split: 'val' }))).toMatchObject({
      file: `memory/${annotations}`,
      field: 'line 4',
    });
  });

  test('a list of pictures is checked line by line', async () => {
    const text = `${dresses}\n../a.jpg\n\n${dresses}\n${parade}\n`;
    const files = { ...(await widerFiles()), 'wider_face_split/wider_face_test_filelist.txt': text };
    const { report } = await openWiderFace(memorySource(files), { split: 'test' });
    expect(report.images).toBe(2);
    expect(report.problems).toMatchObject([
      { kind: 'unsafe path', place: 'line 2' },
      { kind: 'duplicate id', place: 'line 4' },
    ]);
  });

  test('nothing left is an error', async () => {
    const open = async (text: string) =>
      openWiderFace(memorySource({ ...(await widerFiles()), [annotations]: text }), { split: 'val' });
    expect((await failureOf(() => open(''))).message).toMatch(/at least one picture, got none/);
    expect((await failureOf(() => open('x.jpg\n0\n'))).message).toMatch(/got 1 problems, first: /);
  });
});
