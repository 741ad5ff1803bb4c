// The command line of `data`: what reaches the verbs, and what is refused.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tryProgram } from '../surroundings.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (...words: readonly string[]) => tryProgram(['data', ...words]).outcome;

describe('options that reach the verbs of data', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['info PATH', {}],
    ['info PATH --split val --json --quiet', { split: 'val', json: true, quiet: true }],
    ['check PATH --quick --follow-links', { quick: true, followLinks: true }],
    ['show PATH --out o --classes a,b,a', { out: 'o', count: 12, seed: 0, classes: ['a', 'b'] }],
    ['convert PATH --to voc --out o', { to: 'voc', out: 'o', images: 'copy' }],
    [
      'split PATH --out o --parts train=.8,val=0.2 --seed 3',
      { out: 'o', parts: { train: 0.8, val: 0.2 }, seed: 3, stratify: true, images: 'link' },
    ],
    [
      'split PATH --out o --parts a=1 --no-stratify',
      { out: 'o', parts: { a: 1 }, seed: 0, stratify: false, images: 'link' },
    ],
  ])('%s', async (words, options) => {
    const { exitCode, calls } = await run(...words.replace('PATH', here).split(' '));
    expect({ exitCode, calls: calls.map(({ verb, options: given }) => ({ verb, given })) }).toEqual({
      exitCode: 0,
      calls: [{ verb: `data ${words.split(' ')[0]}`, given: { path: here, ...options } }],
    });
  });

  it('download takes a name', async () => {
    const { calls } = await run('download', 'voc', '--parts', 'test2007', '--no-unpack');
    expect(calls[0]?.options).toEqual({ name: 'voc', parts: ['test2007'], unpack: false });
  });
});

describe('mistakes end with status 2 and one line that names the verb', () => {
  it.each<[words: string, ...says: string[]]>([
    ['info', 'autoassign data info: ', "'path'"],
    ['info /no/such', '<path> needs a file or folder that exists', '/no/such'],
    ['inof', 'autoassign data: ', 'Did you mean info?'],
    [`show ${here}`, 'autoassign data show: ', '--out'],
    [`show ${here} --out o --count 0`, '--count needs a whole number from 1'],
    [`show ${here} --out o --classes a,,b`, "--classes needs names with commas between them, got 'a,,b'"],
    [`convert ${here} --out o`, '--to'],
    [`convert ${here} --out o --to yolo`, "'yolo'", 'coco, voc'],
    [`convert ${here} --to coco --out o --images move`, 'copy, link, none'],
    [`split ${here} --out o`, '--parts'],
    [`split ${here} --out o --parts a=0.5,b=0.4`, 'shares that add up to 0.9', 'Try --parts train=0.8'],
    [`split ${here} --out o --parts a=0.5,a=0.5`, 'got a name twice'],
    [`split ${here} --out o --parts a`, "needs parts as name=share, got 'a'"],
    [`split ${here} --out o --parts ..=1`, "got '..=1'"],
    ['download', 'autoassign data download: ', "'name'"],
    ['download coco --part annotations', 'Did you mean --parts?'],
    ['download objects365', "'objects365'", 'coco, voc, wider'],
  ])('%s', async (words, ...says) => {
    const { exitCode, calls, stdout, stderr } = await run(...words.split(' '));
    expect({ exitCode, calls: calls.length, stdout }).toEqual({ exitCode: 2, calls: 0, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    for (const part of says) expect(stderr).toContain(part);
  });
});

it('help shows examples, and what a download needs', async () => {
  const data = await run('--help');
  expect([data.exitCode, data.stdout]).toEqual([0, expect.stringContaining('autoassign data check photos')]);
  const download = await run('download', '--help');
  expect(download.stdout).toMatch(/Needs the network/);
  expect(download.stdout).toMatch(/Objects365 .* form/);
  expect((await run()).exitCode).toBe(2);
});
