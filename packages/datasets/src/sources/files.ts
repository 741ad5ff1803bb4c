// Files that the user chose or dropped on a page, as a source.
import { DatasetError } from '../errors.ts';
import type { FileSource } from '../types.ts';

/**
 * Read access to files by their paths in the folder they were chosen from; files without such a path lie at the top.
 *
 * Throws   DatasetError when two files have one path
 * Example  openCoco(sourceOfFiles(input.files)) // <input type="file" webkitdirectory>
 */
export const sourceOfFiles = (files: Iterable<File>, name = 'files'): FileSource => {
  const byPath = new Map<string, File>();
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  for (const file of files) {
    const path = pathOf(file);
    if (byPath.has(path))
      throw new DatasetError(
        `sourceOfFiles(${name}): needs files of different paths, got ${path} twice. Choose one folder.`,
        { file: path },
      );
    byPath.set(path, file);
    addToFolders(folders, path);
  }
  const file = (path: string): File => {
    const found = byPath.get(path);
    if (found === undefined) throw new Error('no such file was chosen');
    return found;
  };
  return {
    name,
    read: async (path) => new Uint8Array(await file(path).arrayBuffer()),
    list: async (path) => [...(folders.get(path) ?? [])].sort((a, b) => (a < b ? -1 : 1)),
    async *stream(path) {
      yield* piecesOf(file(path).stream());
    },
    stat: async (path) => {
      const { size, lastModified } = file(path);
      return { size, modified: lastModified };
    },
  };
};

/** The path without the chosen folder itself, which all files of one choice have in common. */
const pathOf = ({ name, webkitRelativePath }: File): string =>
  webkitRelativePath ? webkitRelativePath.slice(webkitRelativePath.indexOf('/') + 1) : name;

const addToFolders = (folders: Map<string, Set<string>>, path: string): void => {
  const parts = path.split('/');
  for (let depth = 0; depth < parts.length; depth++) {
    const folder = parts.slice(0, depth).join('/');
    const names = folders.get(folder) ?? new Set();
    names.add(parts[depth]!);
    folders.set(folder, names);
  }
};

/**
 * The pieces of a stream of a browser, which not all of them can iterate over.
 *
 * Example  for await (const piece of piecesOf(file.stream())) count += piece.length
 */
export async function* piecesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // what is left is not wanted, and must not keep the file or the connection open
    await reader.cancel().catch(() => undefined);
  }
}
