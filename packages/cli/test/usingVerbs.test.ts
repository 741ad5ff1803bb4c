// The verbs that use a trained detector: what `eval` and `predict` leave, and whose weights they take.
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCocoResults } from '@autoassign/datasets';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distinctNames } from '../src/runResults.ts';
import { blockImages, logLines, namesIn, runTiny, testFolder, writeCocoFolder } from './tinyRuns.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let out: string;
let data: string;
beforeAll(async () => {
  place = await testFolder();
  out = join(place.folder, 'runs');
  data = join(place.folder, 'blocks');
  await writeCocoFolder(data, { train: blockImages(4, 'a'), val: blockImages(3, 'b') });
  await runTiny(['train', '--data', data, '--out', out, '--steps', '3', '--quiet']);
});
afterAll(() => place.remove());

const jsonIn = async (...path: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;

/** What the log says of an evaluation. */
interface Evaluation {
  readonly ap: number;
  readonly perClass: object;
}

describe('eval', () => {
  it('gives the AP that training measured, and its detections as a COCO results file', async () => {
    const { exitCode, stdout, stderr } = await runTiny(['eval', '--data', data, '--out', out]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(join(out, 'train', 'best.safetensors'));
    expect(stdout).toContain('block');
    const folder = join(out, 'eval');
    expect(await namesIn(folder)).toEqual([
      'config.json',
      'confusion.json',
      'confusion.svg',
      'detections.json',
      'detections.png',
      'env.json',
      'errors.svg',
      'precision-recall.svg',
      'summary.json',
    ]);
    expect(stdout).toMatch(/^AP50 .* objects found by \d+ detections\nerror +count +AP50$/m);
    const errors = await readFile(join(folder, 'errors.svg'), 'utf8');
    expect(await sharp(Buffer.from(errors)).metadata()).toMatchObject({ width: 800 });
    for (const kind of ['classification', 'localisation', 'both', 'duplicate', 'background', 'missed'])
      expect(errors).toContain(`>${kind} (`);
    const evaluations = (await logLines(join(out, 'train'))).filter(
      (line): line is Evaluation => 'ap' in line,
    );
    const best = evaluations.reduce((a, b) => (b.ap >= a.ap ? b : a));
    const { ap, perClass } = best;
    expect(await jsonIn(folder, 'summary.json')).toMatchObject({ ap, perClass });
    const results = parseCocoResults(
      await readFile(join(folder, 'detections.json'), 'utf8'),
      'detections.json',
    );
    expect(new Set(results.map(({ image_id }) => image_id))).toEqual(new Set([1, 2, 3]));
  });

  it('takes any batch size to the same numbers', async () => {
    const summaries = [];
    for (const batch of ['1', '2']) {
      await runTiny([
        'eval',
        '--data',
        data,
        '--out',
        out,
        '--name',
        `b${batch}`,
        '--batch',
        batch,
        '--quiet',
      ]);
      const { metrics, perClass } = await jsonIn(out, `b${batch}`, 'summary.json');
      summaries.push({ metrics, perClass });
    }
    expect(summaries[0]).toEqual(summaries[1]);
  });
});

describe('eval --tta', () => {
  it('measures what is found in several looks, and says which', async () => {
    const words = ['eval', '--data', data, '--out', out, '--name', 'several', '--tta', '--quiet'];
    expect((await runTiny(words)).exitCode).toBe(0);
    expect(await jsonIn(out, 'several', 'config.json')).toMatchObject({
      augmentation: { scales: [0.75, 1, 1.25], flips: ['horizontal'] },
    });
    const text = await readFile(join(out, 'several', 'detections.json'), 'utf8');
    const results = parseCocoResults(text, 'detections.json');
    expect(new Set(results.map(({ image_id }) => image_id))).toEqual(new Set([1, 2, 3]));
  });
});

describe('names of pictures', () => {
  it('never meet, whatever was there before', () => {
    expect(distinctNames(['a', 'A', 'a-2', 'b', 'a'])).toEqual(['a', 'A-2', 'a-2-2', 'b', 'a-3']);
    const name = fc.constantFrom('a', 'A', 'a-2', 'a-2-2', 'a-3', 'b');
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const folded = distinctNames(names).map((one) => one.toLowerCase());
        expect(new Set(folded).size).toBe(names.length);
      }),
      { seed: 3 },
    );
  });
});

describe('predict', () => {
  it('draws every image and lists what it found, also for names that are the same', async () => {
    const images = [
      join(data, 'images', 'b0.png'),
      join(data, 'images', 'b1.png'),
      join(data, 'images', 'b0.png'),
    ];
    const { exitCode, events } = await runTiny([
      'predict',
      ...images,
      '--out',
      out,
      '--score',
      '0',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    const folder = join(out, 'predict');
    expect(await namesIn(folder)).toEqual([
      'b0-2.png',
      'b0.png',
      'b1.png',
      'config.json',
      'detections.json',
      'env.json',
    ]);
    expect((await sharp(join(folder, 'b0.png')).metadata()).width).toBe(64 * 8);
    const listed = (await jsonIn(folder, 'detections.json')) as unknown as readonly {
      readonly file: string;
      readonly detections: readonly {
        readonly class: string;
        readonly score: number;
        readonly box: number[];
      }[];
    }[];
    expect(listed.map(({ file }) => file)).toEqual(images);
    expect(listed[2]?.detections).toEqual(listed[0]?.detections);
    expect(listed[0]?.detections.length).toBeGreaterThan(0);
    for (const { class: name, score, box } of listed[0]?.detections ?? []) {
      expect(['block', 'other']).toContain(name);
      expect(score).toBeGreaterThan(0);
      expect([box[0]! >= 0, box[2]! <= 64, box[1]! >= 0, box[3]! <= 48]).toEqual([true, true, true, true]);
    }
    expect(events.filter(({ event }) => event === 'image')).toHaveLength(3);
  });

  it('keeps what it found when stopped', async () => {
    const images = ['b0.png', 'b1.png'].map((file) => join(data, 'images', file));
    const words = ['predict', ...images, '--out', out, '--name', 'halt', '--json'];
    const { exitCode } = await runTiny(words, { interruptAt: ({ event }) => event === 'image' });
    expect(exitCode).toBe(130);
    expect(await jsonIn(out, 'halt', 'detections.json')).toMatchObject([{ file: images[0] }]);
  });

  it('shows only what scores above --score', async () => {
    const image = join(data, 'images', 'b0.png');
    const { stdout } = await runTiny(['predict', image, '--out', out, '--name', 'p', '--score', '1']);
    expect(stdout).toContain('nothing above 1');
    expect(await jsonIn(out, 'p', 'detections.json')).toMatchObject([{ file: image, detections: [] }]);
  });

  it('takes the newest run unless told otherwise, a folder or a file', async () => {
    await runTiny(['train', '--data', data, '--out', out, '--name', 'later', '--steps', '1', '--quiet']);
    const past = new Date(Date.now() - 60_000);
    await utimes(join(out, 'train', 'best.safetensors'), past, past);
    const weightsOf = async (...words: readonly string[]): Promise<unknown> => {
      const image = join(data, 'images', 'a0.png');
      const { events } = await runTiny(['predict', image, '--out', out, '--name', 'w', '--json', ...words]);
      return events[0]?.weights;
    };
    const last = join(out, 'train', 'last.safetensors');
    expect(await weightsOf()).toBe(join(out, 'later', 'best.safetensors'));
    expect(await weightsOf('--weights', join(out, 'train'))).toBe(join(out, 'train', 'best.safetensors'));
    expect(await weightsOf('--weights', last)).toBe(last);
  });
});
