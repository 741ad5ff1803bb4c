// A folder that the user gave a page access to, as a source.
import type { FileSource } from '../types.ts';
import { piecesOf } from './files.ts';

/** What the types of the platform do not have yet. */
interface Listable {
  keys(): AsyncIterable<string>;
  queryPermission?(of: { readonly mode: 'readwrite' }): Promise<PermissionState>;
}

/**
 * Read access to a folder of the user's disk, or of the page's own storage; caches are written if the user allowed writing.
 *
 * Example  openCoco(sourceOfDirectory(await showDirectoryPicker()))
 */
export const sourceOfDirectory = (handle: FileSystemDirectoryHandle): FileSource => {
  const folder = async (parts: readonly string[]): Promise<FileSystemDirectoryHandle> => {
    let found = handle;
    for (const part of parts) found = await found.getDirectoryHandle(part);
    return found;
  };
  const parent = (path: string): Promise<FileSystemDirectoryHandle> => folder(partsOf(path).slice(0, -1));
  const file = async (path: string): Promise<File> =>
    (await (await parent(path)).getFileHandle(partsOf(path).at(-1) ?? '')).getFile();
  return {
    name: handle.name,
    read: async (path) => new Uint8Array(await (await file(path)).arrayBuffer()),
    list: async (path) => {
      try {
        const names: string[] = [];
        for await (const name of ((await folder(partsOf(path))) as unknown as Listable).keys())
          names.push(name);
        return names.sort((a, b) => (a < b ? -1 : 1));
      } catch {
        return [];
      }
    },
    async *stream(path) {
      yield* piecesOf((await file(path)).stream());
    },
    stat: async (path) => {
      const { size, lastModified } = await file(path);
      return { size, modified: lastModified };
    },
    write: async (path, parts) => {
      const permission = await (handle as unknown as Listable).queryPermission?.({ mode: 'readwrite' });
      // asking now would surprise the user; where nothing can be asked there is only the page's own storage
      if ((permission ?? 'granted') !== 'granted') throw new Error('the folder may only be read');
      const target = await (await parent(path)).getFileHandle(partsOf(path).at(-1) ?? '', { create: true });
      // written to a file of its own, which takes the name when it is closed
      const writable = await target.createWritable();
      try {
        for (const part of parts) await writable.write(part as Uint8Array<ArrayBuffer>);
      } catch (error) {
        await writable.abort();
        throw error;
      }
      await writable.close();
    },
  };
};

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');
