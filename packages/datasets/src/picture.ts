// The pixels of one picture of a dataset, read, decoded and compared with the size its record gives.
import { decodeImage } from './decode.ts';
import { DatasetError, oneLine } from './errors.ts';
import { errorOf, type Fault } from './fault.ts';
import { readFrom } from './files.ts';
import type { FileSource, ImageRecord, OpenOptions, Pixels } from './types.ts';

/**
 * The pixels of the picture at `path`, which `record` describes.
 *
 * Throws   DatasetError naming the file when it cannot be read or decoded, or has another size than the record says
 * Example  await readPicture('openVoc', source, 'JPEGImages/000005.jpg', record, options)
 */
export const readPicture = async (
  label: string,
  source: FileSource,
  path: string,
  record: ImageRecord,
  { maxPixels }: OpenOptions,
): Promise<Pixels> => {
  const file = `${source.name}/${path}`;
  const pixels = await decodeImage(await readFrom(source, path, label), file, { maxPixels });
  if (pixels.width === record.width && pixels.height === record.height) return pixels;
  throw errorOf(label, file, {
    kind: 'wrong size',
    place: 'width',
    sentence: `needs the annotated size ${record.width}x${record.height}, got a picture of ${pixels.width}x${pixels.height}. Correct the annotation, or annotate the picture as it is.`,
  });
};

/**
 * The fault of a file that cannot be read, or that a link leads out of the folder to.
 *
 * Example  problems.add(problemOf(label, file, unreadable(error)))
 */
export const unreadable = (cause: unknown): Fault =>
  cause instanceof DatasetError
    ? {
        kind: 'unsafe path',
        sentence: oneLine(cause)
          .replace(/^\w+\(.*?\): (?=needs)/, '')
          .concat('.'),
      }
    : {
        kind: 'unreadable file',
        sentence: `needs a readable file, got "${oneLine(cause)}". Check the path and its permissions.`,
      };
