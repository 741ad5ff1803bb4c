// Node's files: folders to read from, and folders that come into being in one move.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DatasetError } from '../../errors.ts';
import type { FileSource, FolderWriter } from '../../types.ts';
import type { Platform } from '../platform.ts';

/** Read access to the folder at a path. */
export const openFolder = (location: string): FileSource => ({
  name: location,
  read: (path) => readFile(join(location, path)),
  locate: (path) => join(location, path),
  list: async (path) => {
    try {
      return (await readdir(join(location, path))).sort();
    } catch {
      return [];
    }
  },
});

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
