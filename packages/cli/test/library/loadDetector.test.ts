// The library in Node: what it takes, that it finds what the program finds, and how it ends.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { demoConfig } from '@autoassign/detector';
import { createBackend } from '@autoassign/tensor';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Detection, LoadedPictureDetector } from '../../src/index.ts';
import { loadDetector } from '../../src/index.ts';
import { picturePixels } from '../../src/library/picturePixels.ts';
import { runTiny, testFolder } from '../tinyRuns.ts';
import { bareWeights, tinyConfig, tinyWeights } from './tinyWeights.ts';

let place: Awaited<ReturnType<typeof testFolder>>;
let weights: string;
let picture: string;
let raw: { data: Uint8Array; width: number; height: number; channels: 3 };
let detector: LoadedPictureDetector;
beforeAll(async () => {
  place = await testFolder();
  weights = join(place.folder, 'tiny #1.safetensors');
  picture = join(place.folder, 'a picture.png');
  await writeFile(weights, await tinyWeights());
  const data = Uint8Array.from({ length: 80 * 60 * 3 }, (_, i) => (i * i * 7 + (i >> 5)) % 256);
  raw = { data, width: 80, height: 60, channels: 3 };
  await sharp(data, { raw: { width: 80, height: 60, channels: 3 } }).toFile(picture);
  detector = await loadDetector(weights, { backend: 'wasm' });
}, 60_000);
afterAll(async () => {
  await detector.close();
  await place.remove();
});

const all = { score: 0 } as const;

describe('loadDetector', () => {
  it('finds what the program finds, in pixels of the picture', async () => {
    const out = join(place.folder, 'runs');
    const words = [
      'predict',
      picture,
      '--weights',
      weights,
      '--out',
      out,
      '--score',
      '0',
      '--json',
      '--no-pictures',
    ];
    const { events } = await runTiny(words);
    const listed = events.find(({ event }) => event === 'image')?.detections as readonly {
      readonly class: string;
      readonly score: number;
      readonly box: readonly number[];
    }[];
    const found = await detector.predict(picture, all);
    expect(found.length).toBeGreaterThan(0);
    expect(
      found.map(({ className, score, box }) => ({ class: className, score, box: Object.values(box) })),
    ).toEqual(listed);
    expect(Math.max(...found.map(({ box }) => box.right))).toBeGreaterThan(64);
    expect(found.every(({ box }) => box.left >= 0 && box.right <= 80 && box.bottom <= 60)).toBe(true);
    expect(found.every(({ label, className }) => detector.classes[label] === className)).toBe(true);
  });

  it('takes a picture in every form', async () => {
    const wanted = await detector.predict(picture, all);
    const encoded = await sharp(picture).png().toBuffer();
    const rgba = await sharp(picture).ensureAlpha().raw().toBuffer();
    const forms = [
      pathToFileURL(picture),
      `data:image/png;base64,${encoded.toString('base64')}`,
      new Uint8Array(encoded),
      new Uint8Array(encoded).buffer,
      new Blob([new Uint8Array(encoded)]),
      raw,
      { width: 80, height: 60, data: new Uint8ClampedArray(rgba) },
    ];
    expect(await detector.predictBatch(forms, all)).toEqual(forms.map(() => wanted));
  });

  it('raw pixels: grey in three equal channels, what is transparent on black', async () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(bytes, async (data) => {
        const grey = await picturePixels({ width: 4, height: 2, data }, 'grey');
        expect([...grey.data]).toEqual([...data].flatMap((byte) => [byte, byte, byte]));
        const [r = 0, g = 0, b = 0, a = 0] = data;
        const clear = await picturePixels({ width: 2, height: 1, data }, 'clear');
        expect([...clear.data.subarray(0, 3)]).toEqual([r, g, b].map((byte) => Math.round((byte * a) / 255)));
      }),
      { seed: 41, numRuns: 50 },
    );
  });

  it('takes weights from bytes, on a backend of the caller, with a configuration for files that have none', async () => {
    const backend = await createBackend('cpu');
    const bare = await bareWeights(tinyConfig);
    await expect(loadDetector(bare, { backend })).rejects.toThrow(/needs the network's configuration/);
    const own = await loadDetector(bare, { backend, config: tinyConfig });
    const small = { data: raw.data.subarray(0, 32 * 32 * 3), width: 32, height: 32 };
    const [wanted, found] = await Promise.all([detector.predict(small, all), own.predict(small, all)]);
    expect(found.length).toBe(wanted.length);
    expect(found[0]!.score).toBeCloseTo(wanted[0]!.score, 5);
    await own.close();
    await backend.destroy();
  });

  it('takes the network from a preset where the file says nothing', async () => {
    const config = demoConfig(['one', 'other']);
    const bare = await bareWeights(config);
    await expect(loadDetector(bare, { backend: 'wasm', preset: 'smal' })).rejects.toThrow(/'small'/);
    const made = await loadDetector(bare, { backend: 'wasm', preset: 'small' });
    expect(made.classes).toEqual(['class 1', 'class 2']);
    expect(made.config).toEqual({ ...config, classes: made.classes });
    await made.close();
    const named = await loadDetector(bare, { backend: 'wasm', preset: 'small', classes: config.classes });
    expect(named.config).toEqual(config);
    await named.close();
    await expect(loadDetector(bare, { backend: 'wasm', preset: 'r50-voc' })).rejects.toThrow(/weights/);
  });

  it('keeps to score, limit, classes and overlap, and looks several times when asked', async () => {
    const found = await detector.predict(raw, all);
    const middle = found[found.length >> 1]!.score;
    expect(await detector.predict(raw, { score: middle })).toEqual(
      found.filter(({ score }) => score > middle),
    );
    expect(await detector.predict(raw, { ...all, limit: 3 })).toEqual(found.slice(0, 3));
    const others = await detector.predict(raw, { ...all, classes: ['other'] });
    expect(new Set(others.map(({ label }) => label))).toEqual(new Set([1]));
    await expect(detector.predict(raw, { classes: ['cat'] })).rejects.toThrow(/block, other.*'cat'/);
    const best = (list: readonly Detection[]): number => list[0]!.score;
    expect(best(await detector.predict(raw, { ...all, augmentation: true }))).toBeGreaterThanOrEqual(
      best(found),
    );
    const same = { scales: [1], iouThreshold: 0.6 };
    const once = await detector.predict(raw, { ...all, augmentation: same });
    expect(once.map(({ label }) => label)).toEqual(found.map(({ label }) => label));
    once.forEach(({ box, score }, i) => {
      expect(score).toBeCloseTo(found[i]!.score, 6);
      expect(box.left).toBeCloseTo(found[i]!.box.left, 3);
    });
  });

  it('finds in a mirror image what it finds in the picture, when it looks into mirrors too', async () => {
    const { width, height, data } = raw;
    const mirrored = Uint8Array.from(data, (_, i) => {
      const [pixel, c] = [Math.floor(i / 3), i % 3];
      const x = pixel % width;
      return data[3 * (pixel - x + (width - 1 - x)) + c]!;
    });
    const options = {
      ...all,
      augmentation: { scales: [1, 0.75], flips: ['horizontal'], votingIou: 0.7 },
    } as const;
    const found = await detector.predict(raw, options);
    const other = await detector.predict({ width, height, data: mirrored }, options);
    const rows = (list: readonly Detection[], place: (box: Detection['box']) => readonly number[]) =>
      list.map(({ label, score, box }) => [label, score, ...place(box)]);
    const here = rows(found, ({ left, top, right, bottom }) => [left, top, right, bottom]);
    const there = rows(other, ({ left, top, right, bottom }) => [width - right, top, width - left, bottom]);
    const best = Math.ceil(here.length / 2); // beyond, scores lie closer than rounding
    for (const row of here.slice(0, best))
      expect(there.some((one) => one.every((value, k) => Math.abs(value - row[k]!) < 1e-2))).toBe(true);
    expect(best).toBeGreaterThan(10);
  });

  it('names what it cannot read', async () => {
    await expect(loadDetector(join(place.folder, 'no.safetensors'))).rejects.toThrow(/no\.safetensors/);
    await expect(loadDetector(new Uint8Array(3))).rejects.toThrow(/weights/);
    await expect(detector.predict(join(place.folder, 'no.png'))).rejects.toThrow(/no\.png/);
    await expect(detector.predict(new Uint8Array(9))).rejects.toThrow(/picture 1/);
    await expect(detector.predict({ width: 3, height: 3, data: new Uint8Array(5) })).rejects.toThrow(
      /5 bytes/,
    );
    await expect(detector.predict({ width: 3, height: 3 })).rejects.toThrow(/no canvases/);
  });

  it('serves calls that overlap, ends after them, and then no more', async () => {
    const own = await loadDetector(weights, { threads: 1 });
    const calls = [own.predict(raw, all), own.predict(picture, all), own.predict(raw, all)];
    const results = await Promise.all(calls);
    expect(results[2]).toEqual(results[0]);
    await Promise.all([own.close(), own.close()]);
    await expect(own.predict(raw)).rejects.toThrow(/was closed/);
  });
});
