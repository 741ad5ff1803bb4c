// Pictures of every kind come out as the pixels they were made of, in Node; the same files wait in a fixture for browsers.
import { readFileSync, writeFileSync } from 'node:fs';
import { decodeImage } from '@autoassign/datasets';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  damagedPictures,
  expectCutsNoticed,
  expectTurnedBitsHandled,
  type StoredPicture,
} from './damage.ts';
import { differencesOf } from './differences.ts';
import { makePictures, type Picture } from './pictures.ts';
import { withoutSegments } from './segments.ts';

const folder = new URL('../fixtures/pictures/', import.meta.url);
const pictures = await makePictures();

test.each(pictures.filter(({ tolerance }) => tolerance !== undefined))(
  '$name: the pixels it was made of',
  async ({ name, bytes, pixels, tolerance }) => {
    const decoded = await decodeImage(bytes, name);
    expect(decoded).toMatchObject({ width: pixels.width, height: pixels.height, channels: 3 });
    expect(differencesOf(decoded.data, pixels.data).largest).toBeLessThanOrEqual(tolerance!);
  },
);

const encoded = (array: Uint8Array): string => Buffer.from(array).toString('base64');

const stored = async ({ name, bytes }: Picture): Promise<StoredPicture> => {
  const { width, height, data } = await decodeImage(bytes, name);
  return { name, bytes: encoded(bytes), width, height, decoded: encoded(data) };
};

const kept = async (): Promise<readonly StoredPicture[]> => {
  const file = new URL('pictures.json', folder);
  if (process.env.AUTOASSIGN_WRITE_FIXTURES !== undefined)
    writeFileSync(file, `${JSON.stringify(await Promise.all(pictures.map(stored)), null, 1)}\n`);
  return JSON.parse(readFileSync(file, 'utf8'));
};

const fixture = await kept();

test('the fixture for browsers holds these pictures', () => {
  expect(fixture.map(({ name }) => name)).toEqual(pictures.map(({ name }) => name));
});

test.each(fixture)('$name of the fixture', async ({ name, bytes, width, height, decoded }) => {
  const found = await decodeImage(bytesOf(bytes), name);
  expect(found).toMatchObject({ width, height });
  expect(differencesOf(found.data, bytesOf(decoded)).largest).toBe(0);
});

describe('colours', () => {
  test('a profile changes nothing: bytes are taken as they are', async () => {
    const { bytes } = pictures.find(({ name }) => name === 'profile.jpg')!;
    const decoded = await decodeImage(bytes, 'profile.jpg');
    const plain = await decodeImage(withoutSegments(bytes, 0xe2), 'plain.jpg');
    expect(differencesOf(decoded.data, plain.data).largest).toBe(0);
    const converted = await sharp(bytes).raw().toBuffer();
    expect(differencesOf(decoded.data, converted).largest).toBeGreaterThan(8);
  });

  test('CMYK is within 2 levels of OpenCV, with and without the marker of Adobe', async () => {
    const cmyk: StoredPicture = JSON.parse(readFileSync(new URL('cmyk.json', folder), 'utf8'));
    const decoded = await decodeImage(bytesOf(cmyk.bytes), 'cmyk.jpg');
    expect(differencesOf(decoded.data, bytesOf(cmyk.decoded)).largest).toBeLessThanOrEqual(2);
    const unmarked = await decodeImage(withoutSegments(bytesOf(cmyk.bytes), 0xee), 'unmarked.jpg');
    expect(differencesOf(decoded.data, unmarked.data).largest).toBe(0);
  });
});

describe('pictures that are too large', () => {
  test.each(fixture)('$name is refused by one pixel, and not otherwise', async ({ name, bytes }) => {
    const decode = (maxPixels: number): Promise<unknown> => decodeImage(bytesOf(bytes), name, { maxPixels });
    await expect(decode(383)).rejects.toMatchObject({ file: name, field: 'maxPixels' });
    await expect(decode(384)).resolves.toMatchObject({ channels: 3 });
  });

  test('a bomb is refused by its header alone', async () => {
    const bomb = bytesOf(fixture.find(({ name }) => name === 'rgb.png')!.bytes);
    new DataView(bomb.buffer).setUint32(16, 60_000);
    new DataView(bomb.buffer).setUint32(20, 50_000);
    const text =
      'decodeImage(bomb.png): needs a picture of at most maxPixels = 268435456 pixels, got 60000x50000 = 3000000000. Raise maxPixels if the picture is meant to be that large.';
    await expect(decodeImage(bomb, 'bomb.png')).rejects.toThrow(text);
    await expect(decodeImage(bomb.subarray(0, 30), 'bomb.png')).rejects.toThrow(text);
  });

  test('a GIF whose first frame is larger than its screen counts as large as that frame', async () => {
    const bytes = bytesOf(fixture.find(({ name }) => name === 'first frame.gif')!.bytes);
    const frame = bytes.findIndex((byte, i) => byte === 0x2c && bytes[i + 5] === 24 && bytes[i + 7] === 16);
    bytes.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    await expect(decodeImage(bytes, 'frame.gif')).rejects.toThrow(/got 65535x65535/);
  });
});

describe('damaged files', () => {
  const damaged = fixture.filter(({ name }) => damagedPictures.includes(name));

  test.each(damaged)('$name cut short', (picture) => expectCutsNoticed(picture, 25));

  test.each(damaged)('$name with bits turned over', (picture) => expectTurnedBitsHandled(picture, 30, 40));

  test.each(['', 'GIF89a', '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', 'BM'])(
    'no picture: %j',
    async (text) => {
      await expect(decodeImage(new TextEncoder().encode(text), 'text')).rejects.toThrow(
        /^decodeImage\(text\): needs a complete image file \(JPEG, PNG, WebP or GIF\), got \d+ bytes that begin otherwise\./,
      );
    },
  );
});
