// The browser's files: folders by address through fetch. Nothing is written to a disk here.
import { DatasetError } from '../../errors.ts';
import type { FileSource } from '../../types.ts';
import type { Platform } from '../platform.ts';

/** Read access to the folder at an address; it cannot be listed. */
export const openFolder = (location: string): FileSource => {
  const root = location.endsWith('/') ? location : `${location}/`;
  return {
    name: location,
    read: async (path) => {
      const response = await fetch(root + path.split('/').map(encodeURIComponent).join('/'));
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    list: async () => undefined,
  };
};

/** The folder of an address and the name in it. */
export const splitLocation: Platform['splitLocation'] = (location) => {
  const slash = location.lastIndexOf('/');
  return { folder: slash < 0 ? '.' : location.slice(0, slash), file: location.slice(slash + 1) };
};

/** Always an error: there is no file system here. */
export const createFolder: Platform['createFolder'] = async (location) => {
  throw new DatasetError(
    `createFolder(${location}): needs a file system, got a browser. Pass a FolderWriter instead of a path, or use shapes() in memory.`,
    { file: location },
  );
};
