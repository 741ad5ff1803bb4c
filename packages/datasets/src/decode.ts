// One image from bytes or from a file, for prediction on pictures that belong to no dataset.
import { platform } from '#platform';
import { DatasetError, oneLine } from './errors.ts';
import type { Pixels } from './types.ts';

/** What decoding takes. */
export interface DecodeOptions {
  /** Pictures of more pixels than this are refused; 2^28 unless told otherwise. */
  readonly maxPixels?: number | undefined;
}

const usualMaxPixels = 2 ** 28;

/**
 * The pixels of an encoded image (JPEG, PNG, WebP and what else the platform reads), turned upright.
 *
 * Throws   DatasetError naming `file` when the bytes are no image, damaged or cut short
 * Example  await decodeImage(bytes, 'street.jpg')
 */
export const decodeImage = async (
  bytes: Uint8Array,
  file: string,
  { maxPixels = usualMaxPixels }: DecodeOptions = {},
): Promise<Pixels> => {
  try {
    return await platform.decode(bytes, { maxPixels });
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    throw new DatasetError(
      `decodeImage(${file}): needs a complete image file, got "${oneLine(cause)}". Replace the file.`,
      { file, cause },
    );
  }
};

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
