// Whether files are there, by listing every folder once.
import { splitPath } from './paths.ts';
import type { FileSource } from './types.ts';

/** Whether a file is in the source; undefined when its folder cannot be listed. */
export type IsThere = (path: string) => Promise<boolean | undefined>;

/**
 * A function that tells whether a path is in a source and remembers what it has listed.
 *
 * Example  const isThere = listingsOf(source); await isThere('JPEGImages/000005.jpg')
 */
export const listingsOf = (source: FileSource): IsThere => {
  const listings = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  return async (path) => {
    const [folder, name] = splitPath(path);
    let listing = listings.get(folder);
    if (listing === undefined) {
      listing = source.list(folder).then((names) => names && new Set(names));
      listings.set(folder, listing);
    }
    return (await listing)?.has(name);
  };
};
