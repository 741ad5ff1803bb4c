// Pictures of every kind in this browser, against what Node reads from the same files.
// Chromium and sharp both decode JPEG with libjpeg-turbo and agree in every bit, as they do for PNG, GIF and WebP. Where something is
// computed afterwards, they are at most 1 level apart: alpha on black (mean 0.5, since sharp cuts and Chromium rounds) and CMYK (0.24).
import { decodeImage } from '@autoassign/datasets';
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  damagedPictures,
  expectCutsNoticed,
  expectTurnedBitsHandled,
  type StoredPicture,
} from '../platform/damage.ts';
import { differencesOf } from '../platform/differences.ts';
import { withoutSegments } from '../platform/segments.ts';

const fixture = async <Content>(name: string): Promise<Content> =>
  (await fetch(new URL(`../fixtures/pictures/${name}`, import.meta.url))).json();
const pictures = await fixture<readonly StoredPicture[]>('pictures.json');
const cmyk = await fixture<StoredPicture>('cmyk.json');

const isComputed = (name: string): boolean => /alpha|cmyk/.test(name);

test.each(pictures)('$name: Node and the browser agree', async ({ name, bytes, width, height, decoded }) => {
  const found = await decodeImage(bytesOf(bytes), name);
  expect(found).toMatchObject({ width, height, channels: 3 });
  const { largest, mean } = differencesOf(found.data, bytesOf(decoded));
  expect(largest).toBeLessThanOrEqual(isComputed(name) ? 1 : 0);
  expect(mean).toBeLessThanOrEqual(0.5);
});

test('CMYK is within 2 levels of OpenCV, with and without the marker of Adobe', async () => {
  const found = await decodeImage(bytesOf(cmyk.bytes), 'cmyk.jpg');
  expect(differencesOf(found.data, bytesOf(cmyk.decoded)).largest).toBeLessThanOrEqual(2);
  const unmarked = await decodeImage(withoutSegments(bytesOf(cmyk.bytes), 0xee), 'unmarked.jpg');
  expect(unmarked.data).toEqual(found.data);
});

test.each(pictures)('$name is refused when it has more pixels than allowed', async ({ name, bytes }) => {
  await expect(decodeImage(bytesOf(bytes), name, { maxPixels: 383 })).rejects.toThrow(
    `decodeImage(${name}): needs a picture of at most maxPixels = 383 pixels, got `,
  );
});

describe('damaged files', () => {
  const damaged = pictures.filter(({ name }) => damagedPictures.includes(name));

  test.each(damaged)('$name cut short', (picture) => expectCutsNoticed(picture, 15));

  test.each(damaged)('$name with bits turned over', (picture) => expectTurnedBitsHandled(picture, 15, 41));
});
