// Predicting for many pictures: folders, patterns and standard input, result files in every form, and pictures that cannot be read.
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idsFor } from '../src/cocoIds.ts';
import { groupedBy } from '../src/finder.ts';
import { patternExpression, pictureFiles } from '../src/pictureFiles.ts';
import { blockImages, namesIn, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
let data: string;
let pictures: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
  data = join(place.folder, 'blocks');
  pictures = join(place.folder, 'pictures');
  await writeCocoFolder(data, { train: blockImages(4, 'a'), val: blockImages(2, 'b') });
  await runTiny(['train', '--data', data, '--out', out, '--steps', '2', '--quiet']);
  await mkdir(join(pictures, 'deep', '.hidden'), { recursive: true });
  const plain = async (path: string, width: number, height: number, seed: number): Promise<void> => {
    const bytes = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * i * seed) % 251));
    await sharp(bytes, { raw: { width, height, channels: 3 } }).toFile(join(pictures, path));
  };
  await plain('wide.png', 70, 30, 3);
  await plain('small.png', 40, 30, 5);
  await plain('tall.JPG', 30, 70, 7);
  await plain(join('deep', 'small.png'), 33, 31, 11);
  await plain(join('deep', '.hidden', 'no.png'), 8, 8, 1);
  await writeFile(join(pictures, 'notes.txt'), 'no picture');
});
afterAll(() => place.remove());

const jsonIn = async (...path: readonly string[]): Promise<unknown> =>
  JSON.parse(await readFile(join(...path), 'utf8'));

interface Listed {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly { class: string; score: number; box: readonly number[] }[];
}

const predict = (name: string, ...words: readonly string[]) =>
  runTiny(['predict', ...words, '--out', out, '--name', name, '--score', '0', '--json']);

describe('which pictures words mean', () => {
  it('a folder is all pictures below it in the order of names, without hidden ones and results', async () => {
    const found = await pictureFiles([pictures], out);
    expect(found.map(({ name }) => name)).toEqual(['deep_small', 'small', 'tall', 'wide']);
    const without = await pictureFiles([pictures], join(pictures, 'deep'));
    expect(without.map(({ name }) => name)).toEqual(['small', 'tall', 'wide']);
  });

  it('a pattern is the files that match, in the same order; a file is itself, again too', async () => {
    const namesFor = async (...words: readonly string[]) =>
      (await pictureFiles(words, out)).map(({ name }) => name);
    expect(await namesFor(join(pictures, '*.png'))).toEqual(['small', 'wide']);
    expect(await namesFor(join(pictures, '**', 's*.{png,jpg}'))).toEqual(['deep_small', 'small']);
    const wide = join(pictures, 'wide.png');
    expect(await namesFor(wide, join(pictures, 'd*', '[r-t]mall.p?g'), wide)).toEqual([
      'wide',
      'deep_small',
      'wide',
    ]);
  });

  it('patterns without special characters match themselves alone', () => {
    const letters = fc.string({
      unit: fc.constantFrom('a', '.', '+', '(', ')', '^', '$', '|', '\\', ' ', '-'),
    });
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        expect(patternExpression(a).test(b)).toBe(a === b);
        expect(patternExpression(`${a}*`).test(`${a}${b}`)).toBe(true);
        expect(patternExpression(`*${a}`).test(`${b}/${a}`)).toBe(false);
        expect(patternExpression(`**/${a}`).test(`x/y/${a}`)).toBe(true);
      }),
      { seed: 31 },
    );
  });
});

describe('batches of one padded size', () => {
  it('hold every picture once, no more than asked for, in powers of two', () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 9 }), (sizes, most) => {
        const groups = groupedBy(sizes, most);
        expect(groups.flat().sort((a, b) => a - b)).toEqual([...sizes.keys()]);
        for (const group of groups) {
          expect(new Set(group.map((index) => sizes[index])).size).toBe(1);
          expect(group.length <= most && Number.isInteger(Math.log2(group.length))).toBe(true);
        }
      }),
      { seed: 32 },
    );
  });

  it('give what pictures give alone', async () => {
    await predict('alone', pictures, '--batch', '1', '--no-pictures');
    const { exitCode } = await predict('together', pictures, '--batch', '4');
    expect(exitCode).toBe(0);
    expect(await namesIn(join(out, 'together'))).toEqual([
      'config.json',
      'deep_small.png',
      'detections.json',
      'env.json',
      'small.png',
      'tall.png',
      'wide.png',
    ]);
    const [alone, together] = (await Promise.all(
      ['alone', 'together'].map((name) => jsonIn(out, name, 'detections.json')),
    )) as [Listed[], Listed[]];
    expect(together.map(({ file, width, height }) => [file, width, height])).toEqual(
      alone.map(({ file, width, height }) => [file, width, height]),
    );
    expect(alone.every(({ detections }) => detections.length > 0)).toBe(true);
    together.forEach(({ detections }, i) => {
      expect(detections.length).toBe(alone[i]!.detections.length);
      detections.forEach(({ score, box }, k) => {
        expect(score).toBeCloseTo(alone[i]!.detections[k]!.score, 4);
        box.forEach((side, j) => {
          expect(side).toBeCloseTo(alone[i]!.detections[k]!.box[j]!, 2);
        });
      });
    });
  });
});

describe('forms of results', () => {
  it('txt: the numbers of the list as shares of the picture', async () => {
    await predict('lines', pictures, '--format', 'txt', '--no-pictures');
    const names = ['deep_small', 'small', 'tall', 'wide'];
    expect(await namesIn(join(out, 'lines'))).toEqual([
      'config.json',
      'deep_small.txt',
      'env.json',
      'small.txt',
      'tall.txt',
      'wide.txt',
    ]);
    await predict('list', pictures, '--no-pictures');
    const listed = (await jsonIn(out, 'list', 'detections.json')) as Listed[];
    for (const [i, { width, height, detections }] of listed.entries()) {
      const lines = (await readFile(join(out, 'lines', `${names[i]}.txt`), 'utf8')).trimEnd().split('\n');
      expect(lines.length).toBe(detections.length);
      lines.forEach((line, k) => {
        const [label, x, y, w, h, score] = line.split(' ').map(Number) as [
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        const { box, class: name, score: wanted } = detections[k]!;
        expect(['block', 'other'][label]).toBe(name);
        expect(score).toBeCloseTo(wanted, 5);
        const back = [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height];
        back.forEach((side, j) => {
          expect(side).toBeCloseTo(box[j]!, 3);
        });
      });
    }
  });

  it('coco: with the ids of an annotation file, or counted from 1', async () => {
    const images = join(data, 'images');
    const annotations = join(data, 'annotations', 'instances_val.json');
    const words = ['--format', 'coco', '--no-pictures'];
    const known = await predict('known', join(images, 'b1.png'), ...words, '--annotations', annotations);
    expect(known.exitCode).toBe(0);
    const results = (await jsonIn(out, 'known', 'detections.json')) as {
      image_id: number;
      category_id: number;
    }[];
    expect(new Set(results.map(({ image_id }) => image_id))).toEqual(new Set([2]));
    await predict('counted', join(images, 'b1.png'), ...words);
    const counted = (await jsonIn(out, 'counted', 'detections.json')) as typeof results;
    expect(counted).toEqual(results.map((one) => ({ ...one, image_id: 1 })));
    expect(await jsonIn(out, 'counted', 'images.json')).toMatchObject({
      images: [{ id: 1, width: 64, height: 48 }],
      categories: [
        { id: 1, name: 'block' },
        { id: 2, name: 'other' },
      ],
    });
    const unknown = await predict('unknown', join(images, 'a1.png'), ...words, '--annotations', annotations);
    expect([unknown.exitCode, unknown.stderr.includes("without '")]).toEqual([2, true]);
    expect(await namesIn(out)).not.toContain('unknown');
  });

  it('ids go by as much of the path as the file names', () => {
    const known = {
      file: 'x.json',
      images: [
        { id: 7, name: 'train/1.jpg' },
        { id: 8, name: 'val/1.jpg' },
        { id: 9, name: 'val/2.jpg' },
      ],
      categories: [{ id: 5, name: 'cat' }],
    };
    const ids = (path: string) => idsFor([path], ['cat'], known);
    expect(ids(join('data', 'val', '1.jpg'))).toEqual({ images: [8], categories: [5] });
    expect(ids('2.jpg').images).toEqual([9]);
    expect(() => ids('1.jpg')).toThrow("without '1.jpg'");
    expect(() => idsFor(['2.jpg'], ['dog'], known)).toThrow("without 'dog'");
  });
});

describe('what is looked for', () => {
  it('--classes, --limit and --iou choose; a class that the weights do not have is a mistake', async () => {
    const image = join(data, 'images', 'b0.png');
    const found = async (...words: readonly string[]) => {
      await predict('some', image, '--no-pictures', ...words);
      const numbers = (await namesIn(out)).flatMap((name) => /^some(?:-(\d+))?$/.exec(name)?.[1] ?? []);
      const last = Math.max(0, ...numbers.map(Number));
      const [one] = (await jsonIn(out, last === 0 ? 'some' : `some-${last}`, 'detections.json')) as [Listed];
      return one.detections;
    };
    const all = await found();
    const ofClass = await found('--classes', 'other');
    expect(ofClass.length).toBeGreaterThan(0);
    expect(ofClass.every(({ class: name }) => name === 'other')).toBe(true);
    expect(await found('--limit', '2')).toEqual(all.slice(0, 2));
    expect((await found('--iou', '1', '--limit', '1000')).length).toBeGreaterThan(all.length);
    const wrong = await predict('wrong', image, '--classes', 'cat');
    expect([wrong.exitCode, wrong.stderr.includes('block, other')]).toEqual([2, true]);
  });

  it('--tta looks several times: boxes stay in the picture, and best scores do not fall', async () => {
    const image = join(data, 'images', 'b0.png');
    expect((await predict('once', image, '--no-pictures')).exitCode).toBe(0);
    expect((await predict('often', image, '--no-pictures', '--tta')).exitCode).toBe(0);
    const [[once], [often]] = (await Promise.all(
      ['once', 'often'].map((name) => jsonIn(out, name, 'detections.json')),
    )) as [[Listed], [Listed]];
    expect(often.detections[0]!.score).toBeGreaterThanOrEqual(once.detections[0]!.score - 1e-6);
    for (const { box } of often.detections) {
      expect(box[0]! >= -1e-3 && box[1]! >= -1e-3 && box[2]! <= 64.001 && box[3]! <= 48.001).toBe(true);
    }
    expect(await jsonIn(out, 'often', 'config.json')).toMatchObject({
      augmentation: { scales: [0.75, 1, 1.25] },
    });
  });
});

describe('pictures that cannot be read', () => {
  it('are named and left out, and the status is 1', async () => {
    const folder = join(place.folder, 'mixed');
    await mkdir(folder);
    await writeFile(join(folder, 'a.jpg'), 'not a picture');
    await writeFile(join(folder, 'b.png'), await readFile(join(pictures, 'small.png')));
    const { exitCode, events, stderr } = await predict('mixed', folder);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('a.jpg');
    expect(stderr).toContain('1 picture of 2 could not be read.');
    expect(events.map(({ event }) => event)).toEqual(['run', 'unreadable', 'image']);
    expect(await jsonIn(out, 'mixed', 'detections.json')).toMatchObject([{ file: join(folder, 'b.png') }]);
  });
});

describe('Ctrl-C', () => {
  it('leaves what was found whole, with its own status though pictures could not be read', async () => {
    const folder = join(place.folder, 'stopped');
    await mkdir(folder);
    const good = await readFile(join(pictures, 'small.png'));
    await writeFile(join(folder, 'a.jpg'), 'not a picture');
    for (const name of ['b', 'c', 'd']) await writeFile(join(folder, `${name}.png`), good);
    const words = ['predict', folder, '--out', out, '--name', 'stopped', '--score', '0', '--json'];
    const { exitCode, events } = await runTiny(words, { interruptAt: ({ event }) => event === 'image' });
    expect(exitCode).toBe(130);
    expect(events.map(({ event }) => event)).toEqual(['run', 'unreadable', 'image']);
    expect(await jsonIn(out, 'stopped', 'detections.json')).toMatchObject([{ file: join(folder, 'b.png') }]);
    expect(await namesIn(join(out, 'stopped'))).toEqual([
      'b.png',
      'config.json',
      'detections.json',
      'env.json',
    ]);
  });
});

describe('standard input', () => {
  it('is one picture', async () => {
    const program = fileURLToPath(new URL('./tinyProgram.ts', import.meta.url));
    const words = ['predict', '-', '--out', out, '--name', 'piped', '--threads', '1', '--quiet'];
    const node = ['--conditions=@autoassign/source', '--import', 'tsx'];
    const child = spawn(process.execPath, [...node, program, ...words], { stdio: 'pipe' });
    child.stdin.end(await readFile(join(pictures, 'wide.png')));
    const closed = new Promise((resolve) => child.once('close', resolve));
    expect([await text(child.stderr), await closed]).toEqual(['', 0]);
    expect(await jsonIn(out, 'piped', 'detections.json')).toMatchObject([{ file: '-', width: 70 }]);
    expect(await namesIn(join(out, 'piped'))).toContain('stdin.png');
  });
});
