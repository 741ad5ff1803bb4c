// A folder by its path (Node) or address (browser), as a source.
import { platform } from '#platform';
import type { FileSource } from '../types.ts';

/**
 * Read access to a folder, to be used in part or together with others; `openCoco` and its like take the path itself as well.
 *
 * Throws   DatasetError, when a file is read, for paths and symbolic links that lead out of the folder
 * Example  openCoco({ ...sourceOfFolder('data/cells'), list: async () => undefined }, { annotations: 'cells.json' })
 */
export const sourceOfFolder = (
  location: string,
  options: { readonly followLinks?: boolean } = {},
): FileSource => platform.openFolder(location, options);
