// Folders that exist in memory only, to read datasets from.
import type { FileSource } from '@autoassign/datasets';

/** The files of a folder by their paths. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** What a folder in memory can do besides reading whole files. */
export interface MemoryAbilities {
  /** Whether its folders can be listed, as those on a disk and unlike those behind addresses. */
  readonly canList?: boolean;
  /** Bytes a piece when it is read piece by piece; 0 when it cannot be. */
  readonly pieceLength?: number;
}

/** Read access to files in memory; `asked` collects the paths that are read. */
export const memorySource = (
  files: Files,
  { canList = true, pieceLength = 0 }: MemoryAbilities = {},
  asked: string[] = [],
): FileSource => {
  const bytesOf = (path: string): Uint8Array => {
    asked.push(path);
    const content = files[path];
    if (content === undefined) throw new Error(`no such file: ${path}`);
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  const source: FileSource = {
    name: 'memory',
    read: async (path) => bytesOf(path),
    list: async (path) => (canList ? namesIn(files, path) : undefined),
  };
  if (pieceLength === 0) return source;
  return {
    ...source,
    stream: async function* (path) {
      const bytes = bytesOf(path);
      for (let at = 0; at < bytes.length; at += pieceLength) yield bytes.subarray(at, at + pieceLength);
    },
  };
};

const namesIn = (files: Files, folder: string): string[] => {
  const start = folder === '' ? '' : `${folder}/`;
  const names = Object.keys(files)
    .filter((path) => path.startsWith(start))
    .map((path) => path.slice(start.length).replace(/\/.*$/, ''));
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : 1));
};
