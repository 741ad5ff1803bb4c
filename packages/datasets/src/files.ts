// Reading files of a source: in pieces, with progress, and with errors that name the file.
import { DatasetError, oneLine } from './errors.ts';
import type { FileSource, FileState, OpenOptions } from './types.ts';

/** Bytes between two looks at whether the reading should stop. */
const pieceBytes = 1 << 20;

/** Pieces of a file that is in memory between two pauses that let others run. */
const piecesPerPause = 16;

/**
 * The bytes of a file.
 *
 * Throws   DatasetError naming the file when it cannot be read
 */
export const readFrom = async (source: FileSource, path: string, label: string): Promise<Uint8Array> => {
  try {
    return await source.read(path);
  } catch (cause) {
    throw unreadable(source, path, label, cause);
  }
};

const unreadable = (source: FileSource, path: string, label: string, cause: unknown): DatasetError => {
  if (cause instanceof DatasetError) return cause;
  const file = `${source.name}/${path}`;
  return new DatasetError(
    `${label}(${file}): needs a readable file, got "${oneLine(cause)}". Check the path and its permissions.`,
    { file, cause },
  );
};

/**
 * Size and time of a file, or undefined where the source does not tell.
 */
export const stateOf = async (source: FileSource, path: string): Promise<FileState | undefined> => {
  try {
    return await source.stat?.(path);
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    return undefined; // reading the file tells why
  }
};

/**
 * Calls `take` with one piece of a file after the other, and reports progress.
 *
 * Throws   DatasetError naming the file when it cannot be read; the signal's reason when it is aborted
 */
export const readPieces = async (
  source: FileSource,
  path: string,
  { label, onProgress, signal }: Pick<OpenOptions, 'onProgress' | 'signal'> & { readonly label: string },
  take: (piece: Uint8Array) => void,
): Promise<void> => {
  const size = onProgress === undefined ? 0 : ((await stateOf(source, path))?.size ?? 0);
  let done = 0;
  const pieces = source.stream === undefined ? wholeFile(source, path) : source.stream(path);
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await iterator.next().catch((cause: unknown) => {
        throw unreadable(source, path, label, cause);
      });
      if (next.done === true) return;
      take(next.value);
      done += next.value.length;
      onProgress?.({ done, total: Math.max(size, done), unit: 'bytes' });
    }
  } finally {
    await iterator.return?.();
  }
};

/** A file of a source without streams, in pieces that let others run now and then. */
async function* wholeFile(source: FileSource, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = await source.read(path);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at > 0 && at % (piecesPerPause * pieceBytes) === 0)
      await new Promise((resolve) => setTimeout(resolve));
    yield bytes.subarray(at, at + pieceBytes);
  }
}
