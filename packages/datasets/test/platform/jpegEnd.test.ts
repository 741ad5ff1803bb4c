// The check for JPEG files cut short, on files of sharp's making.
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { isTruncatedJpeg } from '../../src/platform/browser/jpegEnd.ts';

const image = (): Sharp => {
  const data = Uint8Array.from({ length: 60 * 50 * 3 }, (_, i) => (i * i) % 251);
  return sharp(data, { raw: { width: 60, height: 50, channels: 3 } });
};

describe.each([
  ['baseline', () => image().jpeg()],
  ['progressive', () => image().jpeg({ progressive: true })],
  [
    'with metadata',
    () =>
      image()
        .withExif({ IFD0: { Copyright: 'x'.repeat(300) } })
        .jpeg(),
  ],
])('%s', (_, make) => {
  test('whole files pass, also with bytes behind the end', async () => {
    const bytes = await make().toBuffer();
    expect(isTruncatedJpeg(bytes)).toBe(false);
    expect(isTruncatedJpeg(Buffer.concat([bytes, Buffer.alloc(10)]))).toBe(false);
  });

  test('every cut is noticed', async () => {
    const bytes = await make().toBuffer();
    for (let length = 2; length < bytes.length; length += 1)
      expect(isTruncatedJpeg(bytes.subarray(0, length)), `${length} bytes`).toBe(true);
  });
});

test('other files are none of its business', async () => {
  const png = await image().png().toBuffer();
  expect(isTruncatedJpeg(png.subarray(0, 100))).toBe(false);
});
