// What can go wrong in a verb: one line that names the culprit, the right status, and nothing lost or half-written.

import { mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCheckpoint } from '@autoassign/detector';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TinyOutcome } from './tinyRuns.ts';
import { blockImages, namesIn, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
let data: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
  data = join(place.folder, 'blocks');
  await writeCocoFolder(data, { train: blockImages(4, 'a'), val: blockImages(2, 'b') });
  await runTiny(['train', '--data', data, '--out', out, '--name', 'good', '--steps', '2', '--quiet']);
});
afterAll(() => place.remove());

/** The one line that a failed run ends with; what was said before stays out of it. */
function lastLine({ stderr }: TinyOutcome): string {
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}

async function expectFailure(words: readonly string[], ...says: readonly string[]): Promise<void> {
  const outcome = await runTiny([...words, '--out', out, '--name', 'bad']);
  expect(outcome.exitCode).toBe(1);
  for (const part of says) expect(lastLine(outcome)).toContain(part);
  expect(outcome.stdout).toBe('');
}

async function brokenFolder(
  name: string,
  change: (content: Record<string, unknown>) => unknown,
): Promise<string> {
  const folder = join(place.folder, name);
  await writeCocoFolder(folder, { train: blockImages(2, 'a'), val: blockImages(1, 'b') });
  const path = join(folder, 'annotations', 'instances_train.json');
  const changed = change(JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>);
  await writeFile(path, typeof changed === 'string' ? changed : JSON.stringify(changed));
  return folder;
}

describe('data that cannot be used', () => {
  const cases: readonly (readonly [
    what: string,
    change: (content: Record<string, unknown>) => unknown,
    says: string,
  ])[] = [
    ['malformed JSON', () => '{"images": [', 'instances_train.json'],
    ['no images', (content) => ({ ...content, images: [], annotations: [] }), 'instances_train.json'],
    ['no objects', (content) => ({ ...content, annotations: [] }), 'usable object'],
    ['an unknown category', (content) => ({ ...content, categories: [{ id: 9, name: 'x' }] }), 'category'],
    [
      'other categories in validation',
      (content) => ({ ...content, categories: [{ id: 1, name: 'x' }] }),
      'same categories',
    ],
  ];
  it.each(cases)('%s', async (what, change, says) => {
    const folder = await brokenFolder(what, change);
    await expectFailure(['train', '--data', folder], 'autoassign train: ', says);
    expect(await namesIn(out)).not.toContain('bad');
  });

  it('counts boxes that are left out, and lists them by file', async () => {
    const folder = await brokenFolder('bad boxes', (content) => {
      const annotations = content.annotations as readonly Record<string, unknown>[];
      const flat = { ...annotations[0], id: 999, bbox: [1, 1, 0, 5] };
      return { ...content, annotations: [...annotations, flat] };
    });
    const words = ['train', '--data', folder, '--out', out, '--name', 'dropped', '--steps', '1'];
    const { exitCode, stderr } = await runTiny(words);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('1 problem, left out: a0.png (box of zero size)');
    const report = JSON.parse(await readFile(join(out, 'dropped', 'data.json'), 'utf8')) as object;
    expect(report).toMatchObject({ train: { problems: [{ image: 'a0.png', annotationId: 999 }] } });
  });

  it('an image cut short in the middle of training: the steps before it are kept', async () => {
    const folder = join(place.folder, 'cut');
    await writeCocoFolder(folder, { train: blockImages(4, 'a'), val: blockImages(1, 'b') });
    const words = ['train', '--data', folder, '--out', out, '--name', 'cut', '--steps', '40', '--json'];
    const cut = (step: unknown): void => {
      if (step !== 2) return;
      for (const { file } of blockImages(4, 'a')) {
        writeFileSync(join(folder, 'images', file), 'no image');
      }
    };
    const outcome = await runTiny(words, {
      interruptAt: ({ event, step }) => {
        if (event === 'step') cut(step);
        return false;
      },
    });
    expect(outcome.exitCode).toBe(1);
    expect(lastLine(outcome)).toContain('decodeImage');
    const kept = readCheckpoint(new Uint8Array(await readFile(join(out, 'cut', 'last.safetensors'))));
    expect(kept.step).toBeGreaterThan(1);
  });

  it('eval refuses a folder with other classes, and one that is empty', async () => {
    const other = join(place.folder, 'other');
    await writeCocoFolder(other, { val: blockImages(1, 'b') }, ['cat', 'dog']);
    const weights = ['--weights', join(out, 'good')];
    await expectFailure(['eval', '--data', other, ...weights], 'block, other', 'cat, dog');
    const empty = join(place.folder, 'empty');
    await mkdir(empty);
    await expectFailure(['eval', '--data', empty, ...weights], empty, 'instances_');
  });
});

describe('images that cannot be used', () => {
  it('predict names a path where nothing is before it does anything, as a mistake of the command line', async () => {
    const good = join(data, 'images', 'a0.png');
    const empty = join(place.folder, 'nothing here');
    await mkdir(empty);
    for (const [word, says] of [
      [join(place.folder, 'none.jpg'), 'no such file or folder'],
      [empty, 'nothing here'],
      [join(data, '*.tiff'), 'which no file matches'],
    ] as const) {
      const outcome = await runTiny(['predict', good, word, '--out', out, '--name', 'bad']);
      expect([outcome.exitCode, lastLine(outcome).includes(says)]).toEqual([2, true]);
    }
    expect(await namesIn(out)).not.toContain('bad');
  });
});

describe('weights and runs that cannot be used', () => {
  it('names a file that holds no weights, and a folder without any', async () => {
    const image = join(data, 'images', 'a0.png');
    const junk = join(place.folder, 'junk.safetensors');
    await writeFile(junk, 'junk');
    await expectFailure(['predict', image, '--weights', junk], 'junk.safetensors');
    await expectFailure(['predict', image, '--weights', data], data, 'best.safetensors');
    const nothing = await runTiny(['predict', image, '--out', join(place.folder, 'no runs')]);
    expect({ exitCode: nothing.exitCode, line: lastLine(nothing).includes('Train first') }).toEqual({
      exitCode: 1,
      line: true,
    });
  });

  /** A copy of the good run with its configuration changed. */
  async function copiedRun(name: string, change: (config: string) => string): Promise<string> {
    const folder = join(out, name);
    await mkdir(folder);
    for (const file of ['last.safetensors', 'metrics.jsonl']) {
      await copyFile(join(out, 'good', file), join(folder, file));
    }
    await writeFile(
      join(folder, 'config.json'),
      change(await readFile(join(out, 'good', 'config.json'), 'utf8')),
    );
    return folder;
  }

  it('names the array of a checkpoint that has another shape', async () => {
    const folder = await copiedRun('reshaped', (config) => config.replace('"channels": 8', '"channels": 16'));
    await expectFailure(['train', '--resume', folder], 'last.safetensors', "'neck.", 'f32[16', 'F32[8');
  });

  it.each([
    ['a missing field', (config: string) => config.replace('"rate"', '"pace"'), 'recipe.pace): needs only'],
    [
      'an earlier format',
      (config: string) => config.replace('"format": 3', '"format": 2'),
      'earlier version',
    ],
    ['an impossible network', (config: string) => config.replace('"convs": 1', '"convs": 0'), 'head.convs'],
    ['data that are gone', (config: string) => config.replaceAll('blocks', 'vanished'), 'vanished'],
    ['other data', (config: string) => config.replace('"train": 4', '"train": 5'), '5 + 2 images'],
    ['malformed JSON', () => '{', 'malformed JSON'],
  ])('refuses to resume with %s', async (what, change, says) => {
    const folder = await copiedRun(what, change);
    await expectFailure(['train', '--resume', folder], says);
    await rm(folder, { recursive: true });
  });

  it('refuses to begin anew when the checkpoint cannot be read or is gone, and leaves the log alone', async () => {
    const folder = await copiedRun('unreadable', (config) => config);
    const log = await readFile(join(folder, 'metrics.jsonl'), 'utf8');
    await rm(join(folder, 'last.safetensors'));
    await expectFailure(
      ['train', '--resume', folder],
      'last.safetensors',
      'checkpoint of step 2',
      'no such file',
    );
    await mkdir(join(folder, 'last.safetensors'));
    await expectFailure(['train', '--resume', folder], 'last.safetensors', 'EISDIR');
    expect(await readFile(join(folder, 'metrics.jsonl'), 'utf8')).toBe(log);
  });

  // The summary says that a run is finished: one that died before it had all its results is gone on with.
  it('has no summary before every other result is written', async () => {
    const folder = await copiedRun('withoutResults', (config) => config);
    await mkdir(join(folder, 'data.json'));
    await expectFailure(['train', '--resume', folder], 'data.json');
    expect(await namesIn(folder)).not.toContain('summary.json');
    await rm(join(folder, 'data.json'), { recursive: true });
    expect((await runTiny(['train', '--resume', folder])).exitCode).toBe(0);
    expect(await namesIn(folder)).toEqual(expect.arrayContaining(['data.json', 'summary.json']));
  });

  it('says that a finished run is finished, and changes nothing', async () => {
    const before = await readFile(join(out, 'good', 'summary.json'), 'utf8');
    const { exitCode, stderr, events } = await runTiny(['train', '--resume', join(out, 'good'), '--json']);
    expect(exitCode).toBe(0);
    expect(events).toEqual([{ event: 'finished', folder: join(out, 'good') }]);
    expect(stderr).toContain('finished');
    expect(await readFile(join(out, 'good', 'summary.json'), 'utf8')).toBe(before);
  });
});

describe('what goes wrong on the way', () => {
  it('stops at the first loss that is no number, naming step and operation, and keeps the state before', async () => {
    const words = ['train', '--data', data, '--out', out, '--name', 'nan', '--steps', '6'];
    const outcome = await runTiny(words, { recipe: { rate: 1e30 } });
    expect(outcome.exitCode).toBe(1);
    const step = Number(/step (\d+)/.exec(lastLine(outcome))?.[1]);
    expect(step).toBeGreaterThan(1);
    expect(lastLine(outcome)).toMatch(/first such operation is: .*(conv2d|mul|sum|div|matmul|exp)/);
    const kept = readCheckpoint(new Uint8Array(await readFile(join(out, 'nan', 'last.safetensors'))));
    expect(kept.step).toBe(step - 1);
    expect(await namesIn(join(out, 'nan'))).not.toContain('summary.json');
  });

  it('ends with the file that could not be written, and leaves no half of it', async () => {
    const words = ['train', '--data', data, '--out', out, '--name', 'blocked', '--steps', '4', '--json'];
    const outcome = await runTiny(words, {
      interruptAt: ({ event, folder }) => {
        if (event === 'run') mkdirSync(join(String(folder), 'last.safetensors')); // a folder where the file should go
        return false;
      },
    });
    expect(outcome.exitCode).toBe(1);
    expect(lastLine(outcome)).toContain(join(out, 'blocked', 'last.safetensors'));
    expect((await namesIn(join(out, 'blocked'))).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
