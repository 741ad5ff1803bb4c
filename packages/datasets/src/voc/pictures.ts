// Where the picture of an annotation is: found by the annotation's name, as in the development kit, or by the name it gives.
import { joinPath, splitPath, staysInside, withoutExtension } from '../paths.ts';
import type { FileSource } from '../types.ts';
import type { VocFolder } from './layout.ts';
import type { VocEntry } from './lists.ts';

/** Finds the path of a picture in JPEGImages; undefined when it is not there. */
export type FindPicture = (entry: VocEntry, filename: string | undefined) => Promise<string | undefined>;

const extensions = ['.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG', '.webp'];

/**
 * A function that finds pictures and lists every folder once. In a source that cannot list, the names are believed.
 *
 * Example  await pictureFinder(source)({ folder, name: '000005' }, '000005.jpg')
 */
export const pictureFinder = (source: FileSource): FindPicture => {
  const listings = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  const isThere = async (folder: VocFolder, picture: string): Promise<boolean> => {
    const [directory, name] = splitPath(picturePath(folder, picture));
    let listing = listings.get(directory);
    if (listing === undefined) {
      listing = source.list(directory).then((names) => names && new Set(names));
      listings.set(directory, listing);
    }
    return (await listing)?.has(name) ?? true;
  };
  return async ({ folder, name }, filename) => {
    const given = filename !== undefined && staysInside(filename) ? joinPath('', filename) : undefined;
    const byName = extensions.map((extension) => name + extension);
    // The given name tells the extension; otherwise it only counts when there is no picture of the annotation's name.
    const inOrder =
      given === undefined
        ? byName
        : withoutExtension(given) === name
          ? [given, ...byName]
          : [...byName, given];
    for (const picture of inOrder) if (await isThere(folder, picture)) return picture;
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
