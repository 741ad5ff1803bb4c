// Folders that come into being in one move, for what takes several steps: annotations by a writer, then picture files.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Dataset, PicturePlace } from '@autoassign/datasets';
import { DatasetError } from '@autoassign/datasets';
import { fileWriteError } from '../../atomicFile.ts';
import type { VerbContext } from '../../program.ts';
import type { PictureFiles } from './options.ts';

/** Files that are copied or linked at the same time. */
const filesInFlight = 8;

/**
 * What `work` returns, once the folder that it filled has its name; `work` gets the path of a folder that does not exist yet.
 * A failure leaves nothing behind, and what earlier processes left when they were killed is removed.
 *
 * Throws   DatasetError when the folder holds files already; FileWriteError when it cannot be written; whatever `work` throws
 */
export async function inOneMove<Result>(
  folder: string,
  work: (draft: string) => Promise<Result>,
): Promise<Result> {
  const final = resolve(folder);
  const prefix = `${basename(final)}.draft-`;
  const draft = join(dirname(final), `${prefix}${process.pid}-${randomUUID()}`);
  try {
    await mkdir(dirname(final), { recursive: true });
  } catch (cause) {
    throw fileWriteError(folder, cause);
  }
  if ((await readdir(final).catch(() => [])).length > 0) throw notEmpty(folder);
  await removeAbandoned(dirname(final), prefix);
  try {
    const result = await work(draft);
    await rmdir(final).catch(() => undefined); // an empty folder of that name makes room
    await rename(draft, final).catch((cause: unknown) => {
      throw fileWriteError(folder, cause);
    });
    return result;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Nothing, when a folder is new or empty; long work asks before it begins.
 *
 * Throws   DatasetError when the folder holds files
 */
export async function requireNewFolder(folder: string): Promise<void> {
  if ((await readdir(folder).catch(() => [])).length > 0) throw notEmpty(folder);
}

function notEmpty(folder: string): DatasetError {
  return new DatasetError(
    `write(${folder}): needs a new or empty folder, got one with files in it. Choose another --out, or remove this one.`,
    { file: folder },
  );
}

async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (owner === undefined || isRunning(Number(owner))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Puts the picture files of datasets into a folder, as copies or as further names of the same files (hard links).
 *
 * Throws   DatasetError when a dataset has no files or they cannot be put there; the reason of the signal when it fires
 */
export async function placePictures(
  folder: string,
  {
    pictures,
    splits,
  }: { readonly pictures: readonly PicturePlace[]; readonly splits: Readonly<Record<string, Dataset>> },
  how: PictureFiles,
  { reporter, signal }: VerbContext,
): Promise<void> {
  if (how === 'none') return;
  const label = how === 'copy' ? 'copy pictures' : 'link pictures';
  const progress = reporter.progress({ label, total: pictures.length, unit: 'pictures' });
  const made = new Map<string, Promise<unknown>>();
  let [next, done] = [0, 0];
  const placeOne = async ({ split, index, path }: PicturePlace): Promise<void> => {
    const from = splits[split]?.locate?.(index);
    if (from === undefined) throw noFiles(split);
    const to = join(folder, path);
    if (!made.has(dirname(to))) made.set(dirname(to), mkdir(dirname(to), { recursive: true }));
    try {
      await made.get(dirname(to));
      if (how === 'link') await link(from, to);
      else await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    } catch (cause) {
      throw cannotPlace(from, how, cause);
    }
  };
  const work = async (): Promise<void> => {
    for (let picture = pictures[next]; picture !== undefined; picture = pictures[next]) {
      next += 1;
      signal.throwIfAborted();
      await placeOne(picture);
      done += 1;
      progress.update(done);
    }
  };
  try {
    const all = await Promise.allSettled(Array.from({ length: filesInFlight }, work));
    for (const one of all) if (one.status === 'rejected') throw one.reason;
  } finally {
    progress.finish();
  }
}

function noFiles(split: string): DatasetError {
  return new DatasetError(
    `write(${split}): needs picture files on this machine, got a dataset without. Choose --images none.`,
  );
}

function cannotPlace(from: string, how: 'copy' | 'link', cause: unknown): DatasetError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const advice =
    code === 'ENOENT'
      ? 'Add the picture, or choose --images none.'
      : how === 'link'
        ? 'Links need one disk for both folders: choose --images copy.'
        : code === 'ENOSPC'
          ? 'Make room, or choose --images link or none; nothing was left behind.'
          : 'Check its permissions, or choose --images none.';
  const needs = how === 'link' ? 'a picture file it can link' : 'a picture file it can copy';
  return new DatasetError(`write(${from}): needs ${needs}, got ${code}. ${advice}`, { file: from, cause });
}
