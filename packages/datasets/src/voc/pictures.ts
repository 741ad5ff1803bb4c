// Where the picture of an annotation is: found by the annotation's name, as in the development kit, or by the name it gives.
import type { Fault } from '../fault.ts';
import { listingsOf } from '../listings.ts';
import { joinPath, staysInside, withoutExtension } from '../paths.ts';
import { unreadable } from '../picture.ts';
import type { FileSource } from '../types.ts';
import type { VocFolder } from './layout.ts';
import type { VocEntry } from './lists.ts';

/** Finds the path of a picture in JPEGImages; undefined when it is not there, a fault when its folder must not be looked into. */
export type FindPicture = (
  entry: VocEntry,
  filename: string | undefined,
) => Promise<string | undefined | Fault>;

const extensions = ['.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG', '.webp'];

/**
 * A function that finds pictures. In a source that cannot list, the names are believed.
 *
 * Example  await pictureFinder(source)({ folder, name: '000005' }, '000005.jpg')
 */
export const pictureFinder = (source: FileSource): FindPicture => {
  const isThere = listingsOf(source);
  return async ({ folder, name }, filename) => {
    const isUsable =
      filename !== undefined && staysInside(filename) && withoutExtension(filename) !== filename;
    const given = isUsable ? joinPath('', filename) : undefined;
    const byName = extensions.map((extension) => name + extension);
    // The given name tells the extension; otherwise it only counts when there is no picture of the annotation's name.
    const inOrder =
      given === undefined
        ? byName
        : withoutExtension(given) === name
          ? [given, ...byName]
          : [...byName, given];
    try {
      for (const picture of inOrder)
        if ((await isThere(picturePath(folder, picture))) !== false) return picture;
    } catch (cause) {
      return unreadable(cause);
    }
    return undefined;
  };
};

/**
 * The path in the source of a picture of a folder.
 *
 * Example  picturePath(folder, '000005.jpg') // 'VOC2007/JPEGImages/000005.jpg'
 */
export const picturePath = ({ path }: VocFolder, picture: string): string =>
  joinPath(joinPath(path, 'JPEGImages'), picture);
