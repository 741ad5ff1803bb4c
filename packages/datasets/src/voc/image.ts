// One picture of a PASCAL VOC dataset: its annotation file read and checked, the picture found, its size known.
import { type Fault, isFault, problemOf, quoted } from '../fault.ts';
import { joinPath } from '../paths.ts';
import { unreadable } from '../picture.ts';
import { readPictureSize } from '../pictureSize.ts';
import type { FileSource, Problem } from '../types.ts';
import { parseAnnotation, type VocAnnotation, type VocObject } from './annotation.ts';
import type { VocEntry } from './lists.ts';
import { type FindPicture, picturePath } from './pictures.ts';

/** A picture with its objects. */
export interface VocImage {
  /** The annotation file, as messages name it. */
  readonly annotationFile: string;
  /** Name of the picture in JPEGImages, after that of the year's folder where there are years. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly (VocObject | Fault)[];
}

/**
 * A picture of the dataset, or the problem that keeps it out.
 *
 * Example  await readImage(source, pictureFinder(source), { folder, name: '000005' })
 */
export const readImage = async (
  source: FileSource,
  findPicture: FindPicture,
  entry: VocEntry,
): Promise<VocImage | Problem> => {
  const annotationFile = `${source.name}/${annotationPath(entry)}`;
  const annotation = await readAnnotation(source, entry);
  if (isFault(annotation)) return problemOf('openVoc', annotationFile, annotation);
  const picture = await findPicture(entry, annotation.filename);
  if (isFault(picture)) return problemOf('openVoc', annotationFile, picture);
  if (picture === undefined) return problemOf('openVoc', annotationFile, noPicture(entry, annotation));
  const file = joinPath(entry.folder.year, picture);
  const size = annotation.size ?? (await sizeOfPicture(source, picturePath(entry.folder, picture)));
  if (isFault(size)) return problemOf('openVoc', annotationFile, size, file);
  return { annotationFile, file, width: size[0], height: size[1], objects: annotation.objects };
};

const annotationPath = ({ folder, name }: VocEntry): string =>
  joinPath(folder.path, `Annotations/${name}.xml`);

/**
 * What the annotation file of a picture says, or why it cannot be read.
 *
 * Example  await readAnnotation(source, { folder, name: '000005' })
 */
export const readAnnotation = async (source: FileSource, entry: VocEntry): Promise<VocAnnotation | Fault> => {
  let bytes: Uint8Array;
  try {
    bytes = await source.read(annotationPath(entry));
  } catch (cause) {
    return unreadable(cause);
  }
  return parseAnnotation(bytes);
};

const noPicture = ({ folder, name }: VocEntry, { filename }: VocAnnotation): Fault => ({
  kind: 'missing picture',
  place: 'filename',
  sentence: `needs the picture ${picturePath(folder, name)} as .jpg, .jpeg or .png, got none${filename === undefined ? '' : `, nor ${quoted(filename)}`}. Add the picture, or remove the annotation.`,
});

const sizeOfPicture = async (
  source: FileSource,
  path: string,
): Promise<readonly [number, number] | Fault> => {
  let got = 'neither there nor in the first bytes of the picture';
  try {
    const size = await readPictureSize(source, path);
    if (size !== undefined) return [size.width, size.height];
  } catch (cause) {
    got = `neither there, nor from the picture: ${unreadable(cause).sentence}`;
  }
  return {
    kind: 'wrong field',
    place: 'size',
    sentence: `needs width and height, got them ${got}. Add <size>, or replace the picture.`,
  };
};
