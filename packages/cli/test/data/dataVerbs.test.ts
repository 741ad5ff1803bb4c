// The verbs of `data` on small datasets: what they print, leave behind and end with.
import { rmSync } from 'node:fs';
import { cp, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCoco, openVoc } from '@autoassign/datasets';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { filesIn, newFolder } from './folders.ts';
import { runData, vocFolder, vocXml } from './runData.ts';

describe('info', () => {
  it('prints what is there, in tables', async () => {
    const { exitCode, stdout, stderr } = await runData(['info', await vocFolder()]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('PASCAL VOC: splits train, val, trainval');
    expect(stdout).toMatch(/split +pictures +objects +no objects +crowd +ignored +difficult +problems\n/);
    expect(stdout).toMatch(/^trainval +10 +15 +0 +0 +0 +5 +0$/m);
    expect(stdout).toMatch(/^cat +10 +66\.7 % +10$/m);
    expect(stdout).toContain('Picture sizes: 64x48 (10).');
  });

  it('prints one object under --json, and leaves plots', async () => {
    const out = join(await newFolder(), 'plots');
    const { events, exitCode } = await runData(['info', await vocFolder(), '--json', '--out', out]);
    expect([exitCode, events.length]).toEqual([0, 1]);
    expect(events[0]).toMatchObject({
      event: 'info',
      format: 'voc',
      splits: [
        { split: 'train' },
        { split: 'val' },
        { split: 'trainval', problems: 0, statistics: { images: 10 } },
      ],
      groups: [{ splits: ['train', 'val', 'trainval'], statistics: { images: 10, objects: 15 } }],
    });
    expect(await filesIn(out)).toEqual(['boxes.svg', 'classes.svg', 'objects.svg', 'pictures.svg']);
    for (const file of await filesIn(out))
      expect((await sharp(join(out, file)).metadata()).width).toBeGreaterThanOrEqual(800);
  });

  it('shows one split when it is named, and says which there are when it is not', async () => {
    const folder = await vocFolder();
    expect((await runData(['info', folder, '--split', 'val'])).stdout).toMatch(/^val +3 +4/m);
    const { exitCode, stderr } = await runData(['info', folder, '--split', 'tset']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^autoassign data info: openVoc\(.*\): needs .*Choose one of: train, val, trainval\.\n$/,
    );
  });
});

describe('check', () => {
  it('ends with 0 where there is no problem', async () => {
    const { exitCode, stdout } = await runData(['check', await vocFolder()]);
    expect([exitCode, stdout]).toEqual([0, 'No problems: 3 splits, 10 pictures, 15 objects.\n']);
  });

  const spoilt = (): Promise<string> =>
    vocFolder((files) => {
      files['Annotations/000001.xml'] = vocXml('000001', [
        ['cat', 5, 5, 5, 9],
        ['cat', 5, 5, 67, 40],
      ]);
      files['JPEGImages/000002.jpg'] = (files['JPEGImages/000002.jpg'] as Uint8Array).subarray(0, 300);
    });

  it('finds every problem once, though its file is in two splits, and ends with 1', async () => {
    const folder = await spoilt();
    const { exitCode, stdout, stderr } = await runData(['check', folder]);
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain('autoassign data check:');
    expect(stdout.match(/^\S.*\(\d+\)$/gm)).toEqual([
      'box of zero size (1)',
      'box beyond the picture (1)',
      'damaged picture (1)',
    ]);
    expect(stdout).toContain(join(folder, 'Annotations/000001.xml'));
    expect(stdout).toContain('3 problems: 3 splits, 10 pictures, 15 objects.');
  });

  it('gives a JSON line per problem and one in the end', async () => {
    const { exitCode, events } = await runData(['check', await spoilt(), '--json', '--quick']);
    expect(exitCode).toBe(1);
    expect(events.map(({ event, kind }) => kind ?? event)).toEqual([
      'box of zero size',
      'box beyond the picture',
      'summary',
    ]);
    expect(events[0]).toMatchObject({
      file: expect.stringContaining('000001.xml'),
      message: expect.any(String),
    });
    expect(events.at(-1)).toMatchObject({
      problems: 2,
      kinds: { 'box of zero size': 1, 'box beyond the picture': 1 },
    });
  });

  it('lists a split that cannot be opened among the problems, and checks the others', async () => {
    const folder = await newFolder();
    const out = join(folder, 'coco');
    await runData(['convert', await vocFolder(), '--to', 'coco', '--out', out]);
    await writeFile(join(out, 'annotations/instances_val.json'), '{"images": [');
    const { exitCode, events } = await runData(['check', out, '--json']);
    expect(exitCode).toBe(1);
    expect(events.map(({ event }) => event)).toEqual(['problem', 'summary']);
    expect(events[0]).toMatchObject({ file: expect.stringContaining('instances_val.json') });
    expect(events[1]).toMatchObject({ pictures: 10 });
  });

  it('tells of pictures that are there twice, which is no problem', async () => {
    const source = await vocFolder((files) => {
      files['JPEGImages/000009.jpg'] = files['JPEGImages/000000.jpg'] as Uint8Array;
    });
    const { exitCode, events } = await runData(['check', source, '--json']);
    const same = ['000000', '000009'].map((id) => join(source, `JPEGImages/${id}.jpg`));
    expect([exitCode, events[0]]).toEqual([0, { event: 'same pictures', groups: [same] }]);
    expect((await runData(['check', source])).stdout).toContain(`  ${same.join(' = ')}\n`);
    expect((await runData(['check', source, '--quick'])).stdout).not.toContain('more than once');
  });

  it('follows links out of the folder only when told to', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    for (const name of ['Annotations', 'ImageSets', 'classes.txt'])
      await symlink(join(source, name), join(folder, name));
    await cp(join(source, 'JPEGImages'), join(folder, 'JPEGImages'), { recursive: true });
    expect((await runData(['check', folder, '--quick'])).exitCode).toBe(1);
    expect((await runData(['check', folder, '--quick', '--follow-links'])).exitCode).toBe(0);
  });

  it('is an error where there is no dataset, or no such split', async () => {
    const nothing = await runData(['check', await newFolder()]);
    expect([nothing.exitCode, nothing.stdout]).toEqual([1, '']);
    expect(nothing.stderr).toMatch(/^autoassign data check: detectLayout\(.*\n$/);
    expect((await runData(['check', await vocFolder(), '--split', 'x'])).stderr).toContain('Choose one of');
  });
});

describe('show', () => {
  it('leaves pictures and a sheet, the same for the same seed', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    const names = async (out: string, ...words: readonly string[]): Promise<readonly string[]> => {
      const { exitCode } = await runData([
        'show',
        source,
        '--count',
        '2',
        '--out',
        join(folder, out),
        ...words,
      ]);
      expect(exitCode).toBe(0);
      return filesIn(join(folder, out));
    };
    const [first, again, other] = [await names('a'), await names('b'), await names('c', '--seed', '5')];
    expect(first).toHaveLength(3);
    expect(first).toContain('sheet.png');
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const drawn = await sharp(join(folder, 'a', first[0] ?? '')).metadata();
    expect([drawn.format, drawn.width]).toEqual(['jpeg', 512]);
  });

  it('shows only the classes asked for', async () => {
    const out = join(await newFolder(), 'dogs');
    const { events } = await runData(['show', await vocFolder(), '--classes', 'dog', '--out', out, '--json']);
    const pictures = events.filter(({ event }) => event === 'picture');
    expect(pictures.map(({ file, objects }) => [file, objects])).toEqual(
      [0, 2, 4, 6, 8].map((i) => [`00000${i}.jpg`, 1]),
    );
  });

  it('refuses a class that is not there, and a folder with files', async () => {
    const source = await vocFolder();
    const wrong = await runData(['show', source, '--classes', 'cow', '--out', join(await newFolder(), 'x')]);
    expect([wrong.exitCode, wrong.stderr.trimEnd().split('\n').at(-1)]).toEqual([
      2,
      expect.stringMatching(
        /^autoassign data show: --classes needs classes of .*, got 'cow'\. Choose from: cat, dog\.$/,
      ),
    ]);
    const full = await runData(['show', source, '--out', source]);
    expect(full.stderr).toMatch(/^autoassign data show: write\(.*\): needs a new or empty folder/);
  });
});

describe('convert', () => {
  it('from VOC to COCO and back leaves every picture and object as it was', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    const [coco, voc] = [join(folder, 'coco'), join(folder, 'voc')];
    const there = await runData(['convert', source, '--to', 'coco', '--out', coco]);
    expect([there.exitCode, there.stdout]).toEqual([
      0,
      expect.stringContaining('train 7, val 3, trainval 10 pictures'),
    ]);
    const back = await runData(['convert', coco, '--to', 'voc', '--out', voc, '--images', 'link']);
    expect(back.exitCode).toBe(0);
    const [before, between, after] = [
      await openVoc(source, { split: 'trainval' }),
      await openCoco(coco, { split: 'trainval' }),
      await openVoc(voc, { split: 'trainval' }),
    ];
    for (let i = 0; i < before.length; i += 1) {
      const { file, width, height, annotations } = before.record(i);
      const boxes = annotations.map(({ box, label }) => [box, label]);
      expect(between.record(i)).toMatchObject({ file, width, height });
      expect(between.record(i).annotations.map(({ box, label }) => [box, label])).toEqual(boxes);
      expect(after.record(i).annotations.map(({ box, label }) => [box, label])).toEqual(boxes);
    }
    const name = 'JPEGImages/000003.jpg';
    expect((await readFile(join(voc, name))).equals(await readFile(join(source, name)))).toBe(true);
    const inode = async (path: string): Promise<number> => (await stat(path)).ino;
    expect(await inode(join(voc, name))).toBe(await inode(join(coco, 'images/000003.jpg')));
    expect(await inode(join(voc, name))).not.toBe(await inode(join(source, name)));
    expect((await runData(['check', voc])).exitCode).toBe(0);
  });

  it('writes annotations alone with --images none, and one split when it is named', async () => {
    const out = join(await newFolder(), 'coco');
    await runData([
      'convert',
      await vocFolder(),
      '--to',
      'coco',
      '--out',
      out,
      '--split',
      'val',
      '--images',
      'none',
    ]);
    expect(await filesIn(out)).toEqual(['annotations/instances_val.json']);
  });

  it('says what is left out', async () => {
    const source = await vocFolder((files) => {
      files['Annotations/000001.xml'] = vocXml('000001', [['cat', 5, 5, 5, 9]]);
    });
    const out = join(await newFolder(), 'coco');
    const { stderr } = await runData(['convert', source, '--to', 'coco', '--out', out]);
    expect(stderr).toContain(
      `Left out: what 2 problems concern. 'autoassign data check ${source}' lists them.`,
    );
  });

  it('stopped, or without a picture file, leaves nothing behind', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    const out = join(folder, 'coco');
    const interruptAt = (text: string): boolean => text.startsWith('write annotations');
    const stopped = await runData(['convert', source, '--to', 'coco', '--out', out], { interruptAt });
    expect([stopped.exitCode, await filesIn(folder)]).toEqual([130, []]);
    const { exitCode, events } = await runData(['convert', source, '--to', 'voc', '--out', out, '--json'], {
      interruptAt: (text) => {
        if (text.startsWith('write annotations'))
          rmSync(join(source, 'JPEGImages/000004.jpg'), { force: true });
        return false;
      },
    });
    expect([exitCode, await filesIn(folder)]).toEqual([1, []]);
    expect(events.at(-1)?.message).toMatch(
      /000004\.jpg\): needs a picture file it can copy, got ENOENT\. Add the picture/,
    );
  });

  it('refuses a folder with files before it reads anything', async () => {
    const source = await vocFolder();
    const { exitCode, stderr } = await runData(['convert', source, '--to', 'coco', '--out', source]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^autoassign data convert: write\(.*\): needs a new or empty folder, got one with files in it\./,
    );
  });
});

describe('split', () => {
  it('divides all pictures, in the layout of the dataset', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    const out = join(folder, 'split');
    const { exitCode, stdout } = await runData([
      'split',
      source,
      '--parts',
      'train=0.6,val=0.4',
      '--out',
      out,
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^pictures of +train +val\nall +6 +4\ncat +6 +4\ndog +3 +2$/m);
    const lists = await Promise.all(
      ['train', 'val'].map((name) => readFile(join(out, `ImageSets/Main/${name}.txt`), 'utf8')),
    );
    expect(
      lists
        .join('')
        .trim()
        .split('\n')
        .sort((a, b) => (a < b ? -1 : 1)),
    ).toEqual(Array.from({ length: 10 }, (_, i) => `00000${i}`));
    expect((await runData(['check', out])).exitCode).toBe(0);
  });

  it('writes COCO when asked to, and refuses parts without a picture', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    const out = join(folder, 'split');
    const coco = ['--to', 'coco', '--no-stratify', '--images', 'none', '--json'];
    const { events } = await runData(['split', source, '--parts', 'a=0.5,b=0.5', '--out', out, ...coco]);
    expect(events.at(-1)).toMatchObject({
      event: 'split',
      format: 'coco',
      parts: { a: 5, b: 5 },
      stratify: false,
    });
    expect(await filesIn(out)).toEqual(['annotations/instances_a.json', 'annotations/instances_b.json']);
    const few = await runData(['split', source, '--parts', 'a=0.99,b=0.01', '--out', join(folder, 'few')]);
    expect(few.stderr).toContain('needs at least one picture for every part, got none for b of 10 pictures');
  });
});

describe('every verb', () => {
  it('says nothing but errors under --quiet', async () => {
    const [folder, source] = [await newFolder(), await vocFolder()];
    const commands = [
      ['info', source],
      ['check', source],
      ['show', source, '--out', join(folder, 'a')],
      ['convert', source, '--to', 'coco', '--out', join(folder, 'b')],
      ['split', source, '--parts', 'a=0.5,b=0.5', '--out', join(folder, 'c')],
    ];
    for (const words of commands)
      expect(await runData([...words, '--quiet'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('removes what a killed run left beside the new folder', async () => {
    const folder = await newFolder();
    const abandoned = join(folder, 'out.draft-999999999-x');
    await mkdir(abandoned);
    await writeFile(join(abandoned, 'x'), 'x');
    await runData(['show', await vocFolder(), '--count', '1', '--out', join(folder, 'out')]);
    expect((await filesIn(folder)).filter((file) => file.includes('draft'))).toEqual([]);
  });
});
