// Files read at positions, so that large ones are never in memory twice.
import { open } from 'node:fs/promises';
import type { ByteSource } from '@autoassign/detector';
import { WeightsError } from '@autoassign/detector';

/** A file that is open. */
export interface FileSource extends ByteSource {
  readonly close: () => Promise<void>;
}

function unreadable(path: string, cause: unknown): WeightsError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new WeightsError(
    `openFile(${path}): needs a file that can be read, got ${reason}. Check the path and its permissions.`,
    { cause },
  );
}

/**
 * The bytes of a file, read where they are asked for.
 *
 * Throws   WeightsError when the file cannot be read
 */
export async function openFileSource(path: string): Promise<FileSource> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const state = await file.stat();
  return {
    size: state.isFile() ? state.size : 0,
    read: async (from, to) => {
      const bytes = Buffer.allocUnsafeSlow(to - from);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await file
          .read(bytes, done, bytes.length - done, from + done)
          .catch((cause: unknown) => {
            throw unreadable(path, cause);
          });
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
    close: () => file.close(),
  };
}
