// What every writer takes and returns, and how a folder is written so that it is there whole or not at all.
import { platform } from '#platform';
import { DatasetError, oneLine } from '../errors.ts';
import type { FolderWriter } from '../types.ts';
import type { NamedPicture } from './names.ts';

/** What to call while a dataset is written. */
export interface WriteOptions {
  /** Called now and then with the number of pictures whose objects are written, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the writing; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** What was written, and where the picture files belong: writers write annotations and lists only. */
export interface WrittenDataset {
  readonly images: number;
  readonly objects: number;
  /** The pictures with their paths in the folder, each path once. */
  readonly pictures: readonly PicturePlace[];
}

/** The picture `index` of a split and its path in the folder that was written. */
export interface PicturePlace {
  readonly split: string;
  readonly index: number;
  readonly path: string;
}

/** The pictures to put into the folder for the names that were given. */
export const placesOf = (named: readonly NamedPicture[], folder: string): PicturePlace[] =>
  named
    .filter(({ isFirst }) => isFirst)
    .map(({ split, index, name }) => ({ split, index, path: `${folder}/${name}` }));

/**
 * What `work` returns, once the folder that it wrote into has its name; a failure leaves nothing behind.
 *
 * Throws   DatasetError when the folder cannot be written; the reason of the signal when it fires
 */
export const writeWhole = async <Result>(
  label: string,
  folder: string | FolderWriter,
  signal: AbortSignal | undefined,
  work: (writer: FolderWriter) => Promise<Result>,
): Promise<Result> => {
  const name = typeof folder === 'string' ? folder : 'folder';
  try {
    const writer = typeof folder === 'string' ? await platform.createFolder(folder) : folder;
    try {
      const result = await work(writer);
      await writer.commit();
      return result;
    } catch (cause) {
      await writer.discard();
      throw cause;
    }
  } catch (cause) {
    if (cause instanceof DatasetError || signal?.aborted) throw cause;
    throw new DatasetError(
      `${label}(${name}): needs a folder it can write, got "${oneLine(cause)}". Make room, or choose another folder; nothing was left behind.`,
      { file: name, cause },
    );
  }
};
