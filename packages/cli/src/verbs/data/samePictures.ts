// Pictures that are the same byte for byte: no problem in itself, but pictures to train on should not be measured by.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** The hash of a file's bytes. */
async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function grouped<Value>(
  values: readonly (readonly [key: string | number, value: Value])[],
): readonly Value[][] {
  const groups = new Map<string | number, Value[]>();
  for (const [key, value] of values) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/**
 * Groups of files with the same bytes, in the order of the paths; only files of the same size are read. Files that cannot be
 * read are left out: they are problems already.
 *
 * Throws   the reason of the signal when it fires
 */
export async function samePictures(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<readonly (readonly string[])[]> {
  const sizes: (readonly [number, string])[] = [];
  for (const path of new Set(paths)) {
    signal.throwIfAborted();
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (size > 0) sizes.push([size, path]);
  }
  const same: string[][] = [];
  for (const group of grouped(sizes)) {
    const hashes: (readonly [string, string])[] = [];
    for (const path of group) {
      signal.throwIfAborted();
      const hash = await hashOf(path).catch(() => undefined);
      if (hash !== undefined) hashes.push([hash, path]);
    }
    same.push(...grouped(hashes));
  }
  return same;
}
