// The sizes of WiderFace pictures, which its files do not tell: read from the first bytes of each picture.
import { type Fault, problemOf } from '../fault.ts';
import { listingsOf } from '../listings.ts';
import { joinPath } from '../paths.ts';
import { unreadable } from '../picture.ts';
import { type PictureSize, readPictureSize } from '../pictureSize.ts';
import type { FileSource, Problem } from '../types.ts';
import type { WiderEntry } from './parse.ts';

/**
 * A function that gives the size of a picture, or the problem that keeps it out.
 *
 * Example  await sizeReader(source, 'WIDER_val/images', file)(entry)
 */
export const sizeReader = (
  source: FileSource,
  images: string,
  annotationFile: string,
): ((entry: WiderEntry) => Promise<PictureSize | Problem>) => {
  const isThere = listingsOf(source);
  return async ({ path, line }) => {
    const picture = joinPath(images, path);
    const problem = (file: string, fault: Fault): Problem => problemOf('openWiderFace', file, fault, path);
    const file = `${source.name}/${picture}`;
    try {
      if ((await isThere(picture)) === false) return problem(annotationFile, missing(picture, line));
      const size = await readPictureSize(source, picture);
      if (size !== undefined) return size;
    } catch (cause) {
      return problem(file, unreadable(cause));
    }
    return problem(file, {
      kind: 'damaged picture',
      sentence: 'needs a JPEG, PNG or WebP picture, got bytes that tell no size. Replace the picture.',
    });
  };
};

const missing = (picture: string, line: number): Fault => ({
  kind: 'missing picture',
  place: `line ${line}`,
  sentence: `needs the picture ${picture}, got none. Add the picture, or name its folder with the option images.`,
});
