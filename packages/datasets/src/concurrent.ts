// Many files at once, but not all of them: a bounded number of reads under way, results in order.
import type { OpenOptions } from './types.ts';

/** Reads under way at a time: enough to hide the waiting, few enough for the limits on open files and connections. */
const readsAtATime = 32;

/** Files between two reports of progress. */
const filesPerReport = 64;

/**
 * The results of `read` for every item, in the order of the items.
 *
 * Throws   what the first failing read threw, or the reason of the signal; nothing is begun after that
 * Example  await readMany(names, (name) => source.read(name), options)
 */
export const readMany = async <Item, Result>(
  items: readonly Item[],
  read: (item: Item, index: number) => Promise<Result>,
  { signal, onProgress }: Pick<OpenOptions, 'signal' | 'onProgress'>,
): Promise<Result[]> => {
  const results = new Array<Result>(items.length);
  let next = 0;
  let done = 0;
  let hasFailed = false;
  const readOn = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      signal?.throwIfAborted();
      const index = next++;
      results[index] = await read(items[index]!, index);
      done += 1;
      if (done % filesPerReport === 0 || done === items.length)
        onProgress?.({ done, total: items.length, unit: 'files' });
    }
  };
  const workers = Array.from({ length: Math.min(readsAtATime, items.length) }, () =>
    readOn().catch((error: unknown) => {
      hasFailed = true;
      throw error;
    }),
  );
  await Promise.all(workers);
  signal?.throwIfAborted();
  return results;
};
