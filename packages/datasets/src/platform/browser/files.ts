// The browser's files: folders by address through fetch. Nothing is written to a disk here.
import { DatasetError } from '../../errors.ts';
import { piecesOf } from '../../sources/files.ts';
import type { FileSource } from '../../types.ts';
import type { Platform } from '../platform.ts';

/** Read access to the folder at an address; it cannot be listed. */
export const openFolder = (location: string): FileSource => {
  const root = location.endsWith('/') ? location : `${location}/`;
  const ask = async (path: string, method: 'GET' | 'HEAD'): Promise<Response> => {
    const parts = path.split('/');
    if (parts.includes('..'))
      throw new DatasetError(
        `openFolder(${location}): needs files inside the folder, got ${path}, a path that leads out of it. Correct the path.`,
        { file: `${location}/${path}` },
      );
    const response = await fetch(root + parts.map(encodeURIComponent).join('/'), { method });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return response;
  };
  return {
    name: location,
    read: async (path) => new Uint8Array(await (await ask(path, 'GET')).arrayBuffer()),
    list: async () => undefined,
    async *stream(path) {
      const { body } = await ask(path, 'GET');
      if (body !== null) yield* piecesOf(body);
    },
    stat: async (path) => {
      const { headers } = await ask(path, 'HEAD');
      const size = Number.parseInt(headers.get('content-length') ?? '', 10);
      const modified = Date.parse(headers.get('last-modified') ?? '');
      if (!Number.isFinite(size)) throw new Error('the server does not tell the size');
      return { size, modified: Number.isFinite(modified) ? modified : 0 };
    },
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
