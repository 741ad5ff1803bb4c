// One image from bytes or from a file, for prediction on pictures that belong to no dataset.
import { platform } from '#platform';
import { DatasetError, oneLine } from './errors.ts';
import { type PictureHeader, pictureHeader } from './pictureHeader.ts';
import type { Pixels } from './types.ts';

/** What decoding takes. */
export interface DecodeOptions {
  /** Pictures of more pixels than this are refused; 2^28 unless told otherwise. */
  readonly maxPixels?: number | undefined;
}

const usualMaxPixels = 2 ** 28;

/**
 * The pixels of an encoded image (JPEG, PNG, WebP, or the first frame of a GIF), turned upright as its EXIF data say. Grey becomes
 * three equal channels, what is transparent comes to lie on black, 16 bits are cut to 8, embedded colour profiles are left aside, and
 * CMYK becomes ink times black, as OpenCV and browsers do it.
 *
 * Throws   DatasetError naming `file` when the bytes are no such image, damaged or cut short, or have more than `maxPixels` pixels,
 *          which is known before anything is decoded
 * Example  await decodeImage(bytes, 'street.jpg')
 */
export const decodeImage = async (
  bytes: Uint8Array,
  file: string,
  { maxPixels = usualMaxPixels }: DecodeOptions = {},
): Promise<Pixels> => {
  const header = pictureHeader(bytes);
  if (header === undefined)
    throw new DatasetError(
      `decodeImage(${file}): needs a complete image file (JPEG, PNG, WebP or GIF), got ${bytes.length} bytes that begin otherwise. Convert or replace the file.`,
      { file },
    );
  if (header.width * header.height > maxPixels) throw tooLarge(file, header, maxPixels);
  try {
    return await platform.decode(bytes, header);
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    throw new DatasetError(
      `decodeImage(${file}): needs a complete image file, got "${oneLine(cause)}". Replace the file.`,
      { file, cause },
    );
  }
};

const tooLarge = (file: string, { width, height }: PictureHeader, maxPixels: number): DatasetError =>
  new DatasetError(
    `decodeImage(${file}): needs a picture of at most maxPixels = ${maxPixels} pixels, got ${width}x${height} = ${width * height}. Raise maxPixels if the picture is meant to be that large.`,
    { file, field: 'maxPixels' },
  );

/**
 * The pixels of an image file (Node) or address (browser).
 *
 * Throws   DatasetError naming the file when it cannot be read or is no complete image
 * Example  await openImage('photos/street.jpg')
 */
export const openImage = async (location: string, options: DecodeOptions = {}): Promise<Pixels> => {
  const { folder, file } = platform.splitLocation(location);
  let bytes: Uint8Array;
  try {
    bytes = await platform.openFolder(folder, { followLinks: true }).read(file);
  } catch (cause) {
    throw new DatasetError(
      `openImage(${location}): needs a readable file, got "${oneLine(cause)}". Check the path and its permissions.`,
      { file: location, cause },
    );
  }
  return decodeImage(bytes, location, options);
};
