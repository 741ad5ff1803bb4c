// Writes files so that a reader, a crash or a full disk never meets half of one.
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The file operations that writing needs; tests pass ones that fail. */
export interface FileOperations {
  readonly open: (path: string, flags: string) => Promise<Pick<FileHandle, 'writeFile' | 'sync' | 'close'>>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
}

/** A file or folder of the run could not be written: one sentence that names it and says what to do. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';
}

const reasons: Readonly<Record<string, readonly [requirement: string, advice: string]>> = {
  ENOSPC: ['free space on the disk', 'Free some space and continue with --resume.'],
  EDQUOT: ['room in the disk quota', 'Free some space and continue with --resume.'],
  EACCES: ['permission to write there', 'Change the permissions or choose another --out.'],
  EPERM: ['permission to write there', 'Change the permissions or choose another --out.'],
  EROFS: ['a disk that can be written', 'Choose another --out.'],
  ENOENT: ['its folder to exist', 'Leave the run folder in place while the program works.'],
  EEXIST: ['folders all along its path', 'Choose another --out.'],
  ENOTDIR: ['folders all along its path', 'Choose another --out.'],
};

/** The error to throw when writing `path` failed for `cause`. */
export function fileWriteError(path: string, cause: unknown): FileWriteError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const [requirement, advice] = reasons[code] ?? ['to be written', 'Check the disk and the path.'];
  const got = code || (cause instanceof Error ? cause.message : String(cause));
  return new FileWriteError(`writeFile(${path}): needs ${requirement}, got ${got}. ${advice}`, { cause });
}

/** Whether a file of this name is a draft: it stays when the process is killed while it writes. */
export function isDraft(name: string): boolean {
  return /\.[0-9a-f]{8}\.part$/.test(name);
}

const diskOperations: FileOperations = { open, rename, unlink };

/** Makes a rename last through a power cut, where the platform lets folders be synced. */
async function syncFolder(folder: string, files: FileOperations): Promise<void> {
  try {
    const handle = await files.open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows cannot open folders; the file itself is complete either way.
  }
}

/**
 * Resolves when `path` holds all of `content`; before that moment, and after a failure, it holds what it held.
 *
 * Throws   FileWriteError that names the file
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  files: FileOperations = diskOperations,
): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    const handle = await files.open(draft, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await files.rename(draft, path);
  } catch (cause) {
    await files.unlink(draft).catch(() => undefined); // it may never have come to be
    throw fileWriteError(path, cause);
  }
  await syncFolder(dirname(path), files);
}

/**
 * Resolves when `path` holds `value` as indented JSON, written as `writeFileAtomic` does.
 *
 * Throws   FileWriteError that names the file
 */
export async function writeJson(path: string, value: unknown, files?: FileOperations): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, files);
}
