// The orientation that a WebP file's EXIF data ask for: not every browser turns such pictures upright, so it is done here.
import type { Pixels } from '../../types.ts';

/**
 * The EXIF orientation (1 to 8) of a WebP file, 1 where it has none. In the bytes themselves it becomes 1, so that no decoder turns the
 * picture a second time.
 *
 * Source   RFC 9649 (the chunk EXIF), EXIF 2.3 (tag 0x0112 of the first directory)
 */
export const takeWebpOrientation = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const length = view.getUint32(at + 4, true);
    if (view.getUint32(at) === exifChunk) return takeOrientation(view, at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  return 1;
};

const exifChunk = 0x45584946;
const exifPrefix = 0x45786966;
const orientationTag = 0x0112;
const entryLength = 12;

const takeOrientation = (view: DataView, start: number, end: number): number => {
  if (end > view.byteLength || end - start < 14) return 1;
  // Some writers repeat the prefix that JPEG files need: "Exif" and two zeros.
  const tiff = view.getUint32(start) === exifPrefix ? start + 6 : start;
  const little = view.getUint16(tiff) === 0x4949;
  const directory = tiff + view.getUint32(tiff + 4, little);
  if (directory + 2 > end) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * entryLength;
    if (entry + entryLength > end) return 1;
    if (view.getUint16(entry, little) !== orientationTag) continue;
    const orientation = view.getUint16(entry + 8, little);
    view.setUint16(entry + 8, 1, little);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
};

/**
 * The pixels turned as an EXIF orientation asks for.
 *
 * Source   EXIF 2.3: where the stored first row and first column belong; from 5 on they are exchanged
 */
export const orientedPixels = (pixels: Pixels, orientation: number): Pixels => {
  if (orientation === 1) return pixels;
  const isTransposed = orientation >= 5;
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const width = isTransposed ? pixels.height : pixels.width;
  const height = isTransposed ? pixels.width : pixels.height;
  const data = new Uint8Array(pixels.data.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [column, row] = isTransposed ? [y, x] : [x, y];
      const storedX = fromRight ? pixels.width - 1 - column : column;
      const storedY = fromBelow ? pixels.height - 1 - row : row;
      const from = (storedY * pixels.width + storedX) * 3;
      data[to] = pixels.data[from]!;
      data[to + 1] = pixels.data[from + 1]!;
      data[to + 2] = pixels.data[from + 2]!;
    }
  }
  return { width, height, channels: 3, data };
};
