// The size of a picture out of the first bytes of its file, without decoding it: JPEG, PNG and WebP.
import { orientationOf } from './exif.ts';
import type { FileSource } from './types.ts';

/** Width and height of a picture as it is decoded: turned upright. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What the first bytes of a file tell: a size, that more bytes are needed, or that no size can be had. */
type Finding = PictureSize | 'more' | 'none';

/**
 * The size of a picture, from as few bytes of its file as will do; undefined when it is no JPEG, PNG or WebP file, or a damaged one.
 *
 * Units    pixels, turned upright as the EXIF orientation asks
 * Throws   what the source throws when the file cannot be read
 * Example  await readPictureSize(source, 'JPEGImages/000005.jpg')
 */
export const readPictureSize = async (source: FileSource, path: string): Promise<PictureSize | undefined> => {
  if (source.stream === undefined) return sizeIn(findSize(await source.read(path)));
  let bytes = new Uint8Array(0);
  let length = 0;
  for await (const piece of source.stream(path)) {
    bytes = withPiece(bytes, length, piece);
    length += piece.length;
    const finding = findSize(bytes.subarray(0, length));
    if (finding !== 'more') return sizeIn(finding);
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

const sizeIn = (finding: Finding): PictureSize | undefined =>
  typeof finding === 'string' ? undefined : finding;

/**
 * What the first bytes of a picture file tell of its size.
 *
 * Source   ITU-T T.81 (JPEG), PNG third edition, RFC 9649 (WebP)
 * Example  findSize(bytes.subarray(0, 65536))
 */
const findSize = (bytes: Uint8Array): Finding => {
  if (bytes.length < 16) return 'more';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) === 0xffd8) return jpegSize(bytes, view);
  if (view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) return pngSize(bytes, view);
  if (textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WEBP') return webpSize(bytes, view);
  return 'none';
};

const textAt = (bytes: Uint8Array, from: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(from, from + length));

/** More than this no format allows, and no record can hold. */
const largestSide = 2 ** 31 - 1;

const upright = (width: number, height: number, orientation: number): Finding => {
  if (width === 0 || height === 0 || width > largestSide || height > largestSide) return 'none';
  // orientations 5 to 8 are those that a quarter turn is part of
  return orientation >= 5 ? { width: height, height: width } : { width, height };
};

const jpegSize = (bytes: Uint8Array, view: DataView): Finding => {
  let orientation = 1;
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return 'none';
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // markers without a length
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2;
      continue;
    }
    // the scan or the end, and no frame before it
    if (marker < 0xc0 || (marker >= 0xd8 && marker <= 0xda)) return 'none';
    if (isFrame(marker)) return upright(view.getUint16(at + 7), view.getUint16(at + 5), orientation);
    const length = view.getUint16(at + 2);
    if (length < 2) return 'none';
    if (marker === 0xe1 && orientation === 1) {
      const end = at + 2 + length;
      if (end > bytes.length) return 'more';
      orientation = orientationOf(bytes.subarray(at + 4, end));
    }
    at += 2 + length;
  }
  return 'more';
};

/** SOF0 to SOF15, of which three numbers stand for other segments. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

const pngSize = (bytes: Uint8Array, view: DataView): Finding => {
  if (textAt(bytes, 12, 4) !== 'IHDR') return 'none';
  // EXIF data stands before the picture data, if anywhere.
  for (let at = 8; at + 8 <= bytes.length; ) {
    const kind = textAt(bytes, at + 4, 4);
    const end = at + 12 + view.getUint32(at);
    const isExif = kind === 'eXIf';
    if (isExif && end > bytes.length) return 'more';
    if (isExif || kind === 'IDAT')
      return upright(
        view.getUint32(16),
        view.getUint32(20),
        isExif ? orientationOf(bytes.subarray(at + 8, end - 4)) : 1,
      );
    at = end;
  }
  return 'more';
};

const webpSize = (bytes: Uint8Array, view: DataView): Finding => {
  if (bytes.length < 30) return 'more';
  const kind = textAt(bytes, 12, 4);
  if (kind === 'VP8 ')
    return upright(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff, 1);
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return upright((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1, 1);
  }
  if (kind !== 'VP8X') return 'none';
  const hasExif = (bytes[20]! & 0x08) !== 0;
  const orientation = hasExif ? webpOrientation(bytes, view) : 1;
  if (orientation === 'more') return 'more';
  return upright(
    1 + (view.getUint32(24, true) & 0xffffff),
    1 + (view.getUint32(26, true) >>> 8),
    orientation,
  );
};

/** WebP keeps EXIF data behind the picture. */
const webpOrientation = (bytes: Uint8Array, view: DataView): number | 'more' => {
  let at = 12;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at + 4, true);
    if (textAt(bytes, at, 4) === 'EXIF') {
      if (at + 8 + length > bytes.length) return 'more';
      return orientationOf(bytes.subarray(at + 8, at + 8 + length));
    }
    at += 8 + length + (length % 2);
  }
  return at >= 8 + view.getUint32(4, true) ? 1 : 'more';
};
