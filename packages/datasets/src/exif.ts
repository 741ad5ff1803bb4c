// The one fact that is needed from EXIF data: how a picture must be turned to stand upright, and where each format keeps it.
import type { PictureHeader } from './pictureHeader.ts';

/**
 * The orientation, 1 to 8, that the EXIF data in a picture file ask for, 1 where there are none; undefined when the bytes end too early to tell.
 *
 * Source   ITU-T T.81 with EXIF 2.32 (JPEG), PNG third edition, RFC 9649 (WebP)
 * Example  orientationIn(bytes, 'jpeg')
 */
export const orientationIn = (bytes: Uint8Array, format: PictureHeader['format']): number | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'jpeg') return jpegOrientation(bytes, view);
  if (format === 'png') return pngOrientation(bytes, view);
  return format === 'webp' ? webpOrientation(bytes, view) : 1;
};

/** In the segment APP1, before the frame that tells the size. */
const jpegOrientation = (bytes: Uint8Array, view: DataView): number => {
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = bytes[at + 1]!;
    const isTable = marker === 0xc4 || marker === 0xc8 || marker === 0xcc;
    if (marker >= 0xc0 && marker <= 0xcf && !isTable) return 1;
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else {
      const end = at + 2 + view.getUint16(at + 2);
      const orientation = marker === 0xe1 ? orientationOf(bytes.subarray(at + 4, end)) : 1;
      if (orientation !== 1) return orientation;
      at = end;
    }
  }
  return 1;
};

/** In the chunk eXIf, before the picture data. */
const pngOrientation = (bytes: Uint8Array, view: DataView): number | undefined => {
  for (let at = 8; at + 8 <= bytes.length; ) {
    const kind = view.getUint32(at + 4);
    const end = at + 12 + view.getUint32(at);
    if (kind === pictureData) return 1;
    if (kind === pngExif)
      return end > bytes.length ? undefined : orientationOf(bytes.subarray(at + 8, end - 4));
    at = end;
  }
  return undefined;
};

const pictureData = 0x49444154;
const pngExif = 0x65584966;

/** In the chunk EXIF, behind the picture data; a flag at the beginning tells whether there is one. */
const webpOrientation = (bytes: Uint8Array, view: DataView): number | undefined => {
  const isExtended = view.getUint32(12) === extended;
  if (!isExtended || (bytes[20]! & 0x08) === 0) return 1;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length;
    if (view.getUint32(at) === webpExif)
      return end > bytes.length ? undefined : orientationOf(bytes.subarray(at + 8, end));
    at = end + (length % 2);
  }
  return at >= 8 + view.getUint32(4, true) ? 1 : undefined;
};

const extended = 0x56503858;
const webpExif = 0x45584946;

/** The tag 0x0112 in the first directory of a TIFF structure; 1, upright, where it is missing or damaged. */
const orientationOf = (exif: Uint8Array): number => {
  // JPEG files begin it with a name, and so do some writers of the other formats.
  const isNamed = String.fromCharCode(...exif.subarray(0, 6)) === 'Exif\0\0';
  const tiff = isNamed ? exif.subarray(6) : exif;
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const order = view.getUint16(0);
  const isLittle = order === 0x4949;
  if (!isLittle && order !== 0x4d4d) return 1;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return 1;
  const count = view.getUint16(directory, isLittle);
  for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, isLittle) !== 0x0112) continue;
    const orientation = view.getUint16(entry + 8, isLittle);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
};
