// A folder in memory that writers write and readers read, so that properties need no disk.
import type { FileSource, FolderWriter } from '@autoassign/datasets';

interface MemoryFolder {
  readonly writer: FolderWriter;
  readonly source: FileSource;
  readonly files: Map<string, Uint8Array>;
  readonly state: { committed: boolean; discarded: boolean };
}

export const memoryFolder = (): MemoryFolder => {
  const files = new Map<string, Uint8Array>();
  const state = { committed: false, discarded: false };
  const list = (path: string): string[] => {
    const prefix = path === '' ? '' : `${path}/`;
    const inside = [...files.keys()].filter((file) => file.startsWith(prefix));
    return [...new Set(inside.map((file) => file.slice(prefix.length).split('/')[0]!))].sort((a, b) =>
      a < b ? -1 : 1,
    );
  };
  return {
    files,
    state,
    writer: {
      write: async (path, bytes) => {
        if (files.has(path)) throw new Error(`${path} is written twice`);
        const pieces: Uint8Array[] = [];
        if (bytes instanceof Uint8Array) pieces.push(bytes);
        else for await (const piece of bytes) pieces.push(piece);
        files.set(path, new Uint8Array(Buffer.concat(pieces)));
      },
      commit: async () => {
        state.committed = true;
      },
      discard: async () => {
        state.discarded = true;
        files.clear();
      },
    },
    source: {
      name: 'memory',
      read: async (path) => {
        const found = files.get(path);
        if (found === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
        return found;
      },
      list: async (path) => list(path),
    },
  };
};

export const textOf = (folder: MemoryFolder, path: string): string =>
  new TextDecoder().decode(folder.files.get(path));
