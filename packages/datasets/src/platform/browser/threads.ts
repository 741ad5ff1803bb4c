// The browser's threads: none of this package's own, since createImageBitmap decodes on threads of the browser.
import { DatasetError } from '../../errors.ts';
import type { Platform } from '../platform.ts';

/** None. */
export const usualThreads: Platform['usualThreads'] = () => 0;

/** Always an error: pictures are read by the calling thread here. */
export const startThreads: Platform['startThreads'] = (count) => {
  throw new DatasetError(
    `batches(workers): needs Node for threads of its own, got a browser and ${count} workers. Leave workers out: the browser decodes on its own threads.`,
    { field: 'workers' },
  );
};
