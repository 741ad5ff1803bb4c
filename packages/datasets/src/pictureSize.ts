// The size of a picture out of the first bytes of its file, without decoding it.
import { orientationIn } from './exif.ts';
import { stateOf } from './files.ts';
import { pictureHeader } from './pictureHeader.ts';
import type { FileSource } from './types.ts';

/** Width and height of a picture as it is decoded: turned upright. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Up to this, reading a whole file costs less than opening it for pieces. */
const smallBytes = 1 << 20;

/** A file that does not tell its size in so many bytes is not read on. */
const mostBytes = 1 << 26;

/**
 * The size of a picture, from as few bytes of its file as will do; undefined when it is no JPEG, PNG, WebP or GIF file, or a damaged one.
 *
 * Units    pixels, turned upright as the EXIF orientation asks
 * Throws   what the source throws when the file cannot be read
 * Example  await readPictureSize(source, 'JPEGImages/000005.jpg')
 */
export const readPictureSize = async (source: FileSource, path: string): Promise<PictureSize | undefined> => {
  const state = await stateOf(source, path);
  if (source.stream === undefined || (state !== undefined && state.size <= smallBytes))
    return sizeIn(await source.read(path));
  let bytes = new Uint8Array(0);
  let length = 0;
  for await (const piece of source.stream(path)) {
    bytes = withPiece(bytes, length, piece);
    length += piece.length;
    const size = sizeIn(bytes.subarray(0, length));
    if (size !== undefined || length > mostBytes) return size;
  }
  return undefined;
};

/** The bytes with a piece after the first `length` of them; room doubles, so that many pieces cost no more than one. */
const withPiece = (
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  piece: Uint8Array,
): Uint8Array<ArrayBuffer> => {
  const needed = length + piece.length;
  let roomy = bytes;
  if (needed > bytes.length) {
    roomy = new Uint8Array(Math.max(needed, 2 * bytes.length));
    roomy.set(bytes.subarray(0, length));
  }
  roomy.set(piece, length);
  return roomy;
};

/** The size that the first bytes of a file tell; undefined when they do not tell one that can be. */
const sizeIn = (bytes: Uint8Array): PictureSize | undefined => {
  const header = pictureHeader(bytes);
  const orientation = header && orientationIn(bytes, header.format);
  if (header === undefined || orientation === undefined) return undefined;
  const { width, height } = header;
  const isPossible = (side: number): boolean => side > 0 && side <= largestSide;
  if (!isPossible(width) || !isPossible(height)) return undefined;
  // orientations 5 to 8 are those that a quarter turn is part of
  return orientation >= 5 ? { width: height, height: width } : { width, height };
};

/** More than this no format allows, and no record can hold. */
const largestSide = 2 ** 31 - 1;
