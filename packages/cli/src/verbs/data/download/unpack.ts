// Unpacking archives: every file under its own name in a folder, none outside of it, each whole or not there.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DownloadError } from './downloadError.ts';

/** What to call while an archive is unpacked. */
export interface UnpackOptions {
  readonly signal: AbortSignal;
  /** Bytes of the archive that are done, and all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A file in an archive. */
export interface ArchivedFile {
  readonly name: string;
  readonly size: number;
}

/**
 * The path in the folder for a name in an archive.
 *
 * Throws   DownloadError when the name leads out of the folder
 */
function pathInside(archive: string, name: string): string {
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  const isPlain = !/^([/\\]|[a-z]:)/i.test(name) && !parts.includes('..') && !name.includes('\0');
  if (isPlain && parts.length > 0) return parts.join('/');
  throw damaged(archive, `names inside the folder, got ${JSON.stringify(name)}`);
}

/** The error of an archive that is not as it should be. */
export function damaged(archive: string, needs: string): DownloadError {
  return new DownloadError(`unpack(${archive}): needs ${needs}. Remove the file and give the command again.`);
}

/** Puts the files of one archive into a folder. */
interface FilePlacer {
  /** Whether a file of that name and size is there already, from an earlier run. */
  readonly isThere: (file: ArchivedFile) => Promise<boolean>;
  /** Writes what comes out of the last of the streams, under another name first: a file under its own name is whole. */
  readonly place: (file: ArchivedFile, content: readonly (Readable | Transform)[]) => Promise<void>;
}

/** What puts the files of an archive into a folder, and refuses names that lead out of it. */
export function filePlacer(archive: string, folder: string, signal: AbortSignal): FilePlacer {
  const made = new Set<string>();
  const targetOf = ({ name }: ArchivedFile): string => join(folder, pathInside(archive, name));
  return {
    isThere: async (file) => (await stat(targetOf(file)).catch(() => undefined))?.size === file.size,
    place: async (file, content) => {
      const target = targetOf(file);
      const parent = dirname(target);
      if (!made.has(parent)) await mkdir(parent, { recursive: true });
      made.add(parent);
      const draft = `${target}.part`;
      try {
        await pipeline([...content, createWriteStream(draft)], { signal });
      } catch (cause) {
        await rm(draft, { force: true });
        signal.throwIfAborted();
        throw cause instanceof DownloadError
          ? cause
          : cannotPlace(archive, { target, name: file.name }, cause);
      }
      await rename(draft, target);
    },
  };
}

function cannotPlace(
  archive: string,
  { target, name }: { readonly target: string; readonly name: string },
  cause: unknown,
): DownloadError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  if (code.startsWith('Z_')) return damaged(archive, `an undamaged entry ${name}, got ${code}`);
  const needs =
    code === 'ENOSPC' ? 'free space on the disk' : 'an archive it can read and a folder it can write';
  return new DownloadError(
    `unpack(${archive}): needs ${needs} for ${target}, got ${code}. Make room or check the disk; the same command goes on where this one stopped.`,
    { cause },
  );
}
