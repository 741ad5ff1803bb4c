// Files cut short and with bits turned over, the same for Node and browsers.
import { DatasetError, decodeImage } from '@autoassign/datasets';
import { expect } from 'vitest';
import { differencesOf } from './differences.ts';

/** A picture file and its pixels, as the fixture holds them. */
export interface StoredPicture {
  readonly name: string;
  readonly bytes: string;
  readonly width: number;
  readonly height: number;
  readonly decoded: string;
}

export const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** One picture of every format and way to store it. */
export const damagedPictures: readonly string[] = [
  'rgb.png',
  'interlaced.png',
  'palette.png',
  'grey 16 bits.png',
  'alpha.png',
  'lossless.webp',
  'lossy.webp',
  'first frame.gif',
  'noise.jpg',
  'progressive noise.jpg',
  'cmyk.jpg',
  'orientation 6.jpg',
  'orientation 6.webp',
];

/** Decodes bytes that may be damaged: gives pixels that are whole, or undefined after an error that names the file. */
const pixelsOrError = async (bytes: Uint8Array, maxPixels: number): Promise<Uint8Array | undefined> => {
  try {
    const { width, height, channels, data } = await decodeImage(bytes, 'damaged', { maxPixels });
    expect(data.length).toBe(width * height * channels);
    expect(width * height).toBeLessThanOrEqual(maxPixels);
    return data;
  } catch (error) {
    expect(error).toBeInstanceOf(DatasetError);
    expect(String(error)).toMatch(/^DatasetError: decodeImage\(damaged\): needs .+, got .+\. .+\.$/);
    return undefined;
  }
};

/** Checks that a file cut anywhere is an error, or whole all the same: the last bytes of some formats hold no pixels. */
export const expectCutsNoticed = async (picture: StoredPicture, cuts: number): Promise<void> => {
  const bytes = bytesOf(picture.bytes);
  const step = Math.max(1, Math.floor(bytes.length / cuts));
  for (let length = 0; length < bytes.length; length += step) {
    const data = await pixelsOrError(bytes.subarray(0, length), 1e6);
    if (data === undefined) continue;
    expect(length, `${picture.name} cut to ${length} bytes`).toBeGreaterThan(bytes.length - 16);
    expect(differencesOf(data, bytesOf(picture.decoded)).largest).toBeLessThanOrEqual(1);
  }
};

/** Checks that a file with one bit turned over gives pixels or an error that names it, never anything else. */
export const expectTurnedBitsHandled = async (
  picture: StoredPicture,
  times: number,
  seed: number,
): Promise<void> => {
  const bytes = bytesOf(picture.bytes);
  for (let i = 0; i < times; i++) {
    const at = (Math.imul(seed + i, 0x9e3779b1) >>> 0) % (bytes.length * 8);
    const damaged = bytes.slice();
    damaged[at >> 3]! ^= 1 << (at & 7);
    await pixelsOrError(damaged, 1e6);
  }
};
