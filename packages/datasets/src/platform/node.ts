// Node: folders through node:fs, images through sharp (loaded on first use, since it is optional).
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Sharp, SharpOptions } from 'sharp';
import { DatasetError, oneLine } from '../errors.ts';
import type { FileSource, FolderWriter, Pixels } from '../types.ts';
import type { Platform } from './platform.ts';

type SharpFactory = (input: Uint8Array, options?: SharpOptions) => Sharp;

const loadSharp = async (): Promise<SharpFactory> => {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new DatasetError(
      `decode(image): needs the optional package sharp, got "${oneLine(cause)}". Run: npm install sharp`,
      { cause },
    );
  }
};

const openFolder = (location: string): FileSource => ({
  name: location,
  read: (path) => readFile(join(location, path)),
  list: async (path) => {
    try {
      return (await readdir(join(location, path))).sort();
    } catch {
      return [];
    }
  },
});

const splitLocation: Platform['splitLocation'] = (location) => ({
  folder: dirname(location),
  file: basename(location),
});

const decode = async (bytes: Uint8Array): Promise<Pixels> => {
  const sharp = await loadSharp();
  // 'truncated' is strict about missing data but not about odd metadata, which real photographs often have.
  const image = sharp(bytes, { failOn: 'truncated', limitInputPixels: 2 ** 28 }).autoOrient();
  const { data, info } = await image
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data };
};

const encodeJpeg: Platform['encodeJpeg'] = async (pixels, quality) => {
  const sharp = await loadSharp();
  const { width, height, channels, data } = pixels;
  return (
    sharp(data, { raw: { width, height, channels } })
      // Optimised coding would save 8 % of the bytes for 70 % more time.
      .jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding: false })
      .toBuffer()
  );
};

/** Files go to a sibling folder that takes the final name at the very end: an interrupted write is never mistaken for a finished one. */
const createFolder = async (location: string): Promise<FolderWriter> => {
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

/** Node's implementation of what this package needs from its surroundings. */
export const platform: Platform = { openFolder, splitLocation, decode, encodeJpeg, createFolder };
