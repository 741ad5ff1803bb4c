// Node's files: folders to read from, and folders that come into being in one move.
import { randomUUID } from 'node:crypto';
import {
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DatasetError } from '../../errors.ts';
import type { FolderWriter } from '../../types.ts';
import type { Platform } from '../platform.ts';

/** Read access to the folder at a path, and to nothing outside of it unless links are to be followed. */
export const openFolder: Platform['openFolder'] = (location, { followLinks = false } = {}) => {
  const root = resolve(location);
  let realRoot: string | undefined;
  /** The path on this machine; rejects when the file is not there, or not in the folder. */
  const inside = async (path: string): Promise<string> => {
    const target = resolve(root, path);
    if (!isWithin(root, target)) throw leaves(location, path, 'a path that leads out of it');
    if (followLinks) return target;
    const real = await realpath(target);
    realRoot ??= await realpath(root);
    if (!isWithin(realRoot, real)) throw leaves(location, path, `a link to ${real}`);
    return real;
  };
  return {
    name: location,
    read: async (path) => readFile(await inside(path)),
    list: async (path) => {
      try {
        return (await readdir(await inside(path))).sort();
      } catch (error) {
        if (error instanceof DatasetError) throw error;
        return [];
      }
    },
    async *stream(path) {
      yield* piecesOf(await inside(path));
    },
    stat: async (path) => {
      const { size, mtimeMs } = await stat(await inside(path));
      return { size, modified: mtimeMs };
    },
    write: async (path, parts) => {
      const folder = await inside(dirname(path));
      await replaceFile(join(folder, basename(path)), parts);
    },
    locate: (path) => join(location, path),
  };
};

const isWithin = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

const leaves = (location: string, path: string, got: string): DatasetError =>
  new DatasetError(
    `openFolder(${location}): needs files inside the folder, got ${path}, ${got}. Put the files into the folder, or pass followLinks: true (--follow-links) where it is meant to lead elsewhere.`,
    { file: `${location}/${path}` },
  );

const pieceBytes = 1 << 20;

/** A file piece by piece; the next one is read while the last is being used. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path);
  const next = (): Promise<Uint8Array> =>
    file
      .read(Buffer.allocUnsafeSlow(pieceBytes), 0, pieceBytes)
      .then(({ buffer, bytesRead }) => buffer.subarray(0, bytesRead));
  let ahead = next();
  try {
    for (let piece = await ahead; piece.length > 0; piece = await ahead) {
      ahead = next();
      yield piece;
    }
  } finally {
    await ahead.catch(() => undefined);
    await file.close();
  }
}

/** Writes beside the file and renames: whoever reads it meanwhile reads the old one or the new one. */
const replaceFile = async (path: string, parts: readonly Uint8Array[]): Promise<void> => {
  const prefix = `${basename(path)}.partial-`;
  await removeAbandoned(dirname(path), prefix);
  const partial = join(dirname(path), `${prefix}${process.pid}-${randomUUID()}`);
  try {
    const file = await open(partial, 'wx');
    try {
      for (const part of parts) await file.writeFile(part);
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

/** The folder of a path and the name in it. */
export const splitLocation: Platform['splitLocation'] = (location) => ({
  folder: dirname(location),
  file: basename(location),
});

/**
 * Write access to a new folder.
 *
 * Files go to a sibling folder that takes the final name at the very end: an interrupted write is never mistaken for a finished one.
 */
export const createFolder = async (location: string): Promise<FolderWriter> => {
  const final = resolve(location);
  const parent = dirname(final);
  const prefix = `${basename(final)}.partial-`;
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent, prefix);
  if ((await readdir(final).catch(() => [])).length > 0) throw notEmpty(location);
  // not mkdtemp, which keeps other users out: a dataset is an ordinary folder
  const partial = join(parent, `${prefix}${process.pid}-${randomUUID()}`);
  await mkdir(partial);
  const made = new Map<string, Promise<unknown>>();
  return {
    write: async (path, bytes) => {
      const target = join(partial, path);
      const folder = dirname(target);
      if (!made.has(folder)) made.set(folder, mkdir(folder, { recursive: true }));
      await made.get(folder);
      await writeFile(target, bytes);
    },
    commit: async () => {
      await rmdir(final).catch(() => undefined);
      await rename(partial, final);
    },
    discard: () => rm(partial, { recursive: true, force: true }),
  };
};

const notEmpty = (location: string): DatasetError =>
  new DatasetError(
    `createFolder(${location}): needs a new or empty folder, got one with files in it. Choose another folder, or remove this one.`,
    { file: location },
  );

/** Removes what earlier processes left when they were killed in the middle of a write. */
const removeAbandoned = async (parent: string, prefix: string): Promise<void> => {
  for (const name of await readdir(parent)) {
    const owner = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (owner === undefined || isRunning(Number(owner))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
};

const isRunning = (processId: number): boolean => {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
