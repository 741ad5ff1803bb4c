// The size in the first bytes of a picture is that of its decoded pixels, and damaged bytes do no harm.
import { decodeImage, type FileSource } from '@autoassign/datasets';
import * as fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { readPictureSize } from '../src/pictureSize.ts';
import { anyDamage } from './damage.ts';
import { memorySource } from './memory.ts';

const formats = [
  'baseline',
  'progressive',
  'grey',
  'cmyk',
  'png',
  'palette',
  '16 bit',
  'webp',
  'lossless',
  'alpha',
] as const;

const orientations = [1, 2, 3, 4, 5, 6, 7, 8];

const encoded = (
  width: number,
  height: number,
  format: (typeof formats)[number],
  orientation: number | undefined,
): Promise<Uint8Array> => {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256);
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const turned = orientation === undefined ? image : image.withMetadata({ orientation });
  const by: Record<(typeof formats)[number], () => Sharp> = {
    baseline: () => turned.jpeg(),
    progressive: () => turned.jpeg({ progressive: true }),
    grey: () => turned.grayscale().jpeg(),
    cmyk: () => turned.toColourspace('cmyk').jpeg(),
    png: () => turned.png(),
    palette: () => turned.png({ palette: true }),
    '16 bit': () => turned.toColourspace('rgb16').png(),
    webp: () => turned.webp(),
    lossless: () => turned.webp({ lossless: true }),
    alpha: () => turned.ensureAlpha(0.5).webp(),
  };
  return by[format]().toBuffer();
};

const anyPicture = fc.tuple(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(...formats),
  fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
);

test('the size is that of the decoded pixels, turned upright, from pieces of any length', async () => {
  await fc.assert(
    fc.asyncProperty(anyPicture, fc.integer({ min: 7, max: 999 }), async (picture, pieceLength) => {
      const bytes = await encoded(...picture);
      const { width, height } = await decodeImage(bytes, 'picture');
      expect(await readPictureSize(memorySource({ picture: bytes }), 'picture')).toEqual({ width, height });
      expect(await readPictureSize(memorySource({ picture: bytes }, { pieceLength }), 'picture')).toEqual({
        width,
        height,
      });
    }),
    {
      numRuns: 40,
      examples: [
        ...formats.map((format): [[number, number, typeof format, number], number] => [
          [31, 17, format, 6],
          64,
        ]),
        ...orientations.map((n): [[number, number, 'baseline', number], number] => [
          [31, 17, 'baseline', n],
          64,
        ]),
      ],
    },
  );
});

test('tables may stand before the size', async () => {
  const bytes = await encoded(31, 17, 'baseline', undefined);
  const start = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc4);
  const table = bytes.subarray(start, start + 2 + 256 * bytes[start + 2]! + bytes[start + 3]!);
  const moved = Uint8Array.from([...bytes.subarray(0, 2), ...table, ...bytes.subarray(2)]);
  expect(await decodeImage(moved, 'moved')).toMatchObject({ width: 31, height: 17 });
  expect(await readPictureSize(memorySource({ moved }), 'moved')).toEqual({ width: 31, height: 17 });
});

test('a large picture tells its size in its first 64 KB', async () => {
  const bytes = await encoded(1200, 900, 'baseline', 8);
  expect(bytes.length).toBeGreaterThan(1 << 17);
  const first = bytes.subarray(0, 1 << 16);
  expect(await readPictureSize(memorySource({ picture: first }), 'picture')).toEqual({
    width: 900,
    height: 1200,
  });
});

test('small files are read at once, large ones in pieces until the size is known', async () => {
  const picture = await encoded(31, 17, 'baseline', undefined);
  for (const size of [picture.length, 2 ** 20, 2 ** 20 + 1]) {
    let pieces = 0;
    let whole = 0;
    const source: FileSource = {
      name: 'memory',
      list: async () => undefined,
      stat: async () => ({ size, modified: 0 }),
      read: async () => {
        whole += 1;
        return picture;
      },
      stream: async function* () {
        for (const piece of [picture, new Uint8Array(size)]) {
          pieces += 1;
          yield piece;
        }
      },
    };
    expect(await readPictureSize(source, 'picture')).toEqual({ width: 31, height: 17 });
    expect([whole, pieces]).toEqual(size > 2 ** 20 ? [0, 1] : [1, 0]);
  }
});

test('damaged bytes give a size that a record can hold, or none', async () => {
  const pictures = await Promise.all(formats.map((format) => encoded(33, 21, format, 6)));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pictures),
      fc.array(anyDamage, { maxLength: 4 }),
      async (whole, damages) => {
        const damaged = damages.reduce((bytes, damage) => damage(bytes), whole);
        const size = await readPictureSize(memorySource({ damaged }, { pieceLength: 50 }), 'damaged');
        if (size === undefined) return;
        for (const side of [size.width, size.height]) expect(Int32Array.of(side)[0]).toBe(side);
        expect(Math.min(size.width, size.height)).toBeGreaterThan(0);
      },
    ),
    { numRuns: 1000 },
  );
});

test('other files have no size', async () => {
  for (const text of ['', 'GIF89b and more of it', 'hello, this is no picture at all'])
    expect(await readPictureSize(memorySource({ text }), 'text')).toBeUndefined();
});
