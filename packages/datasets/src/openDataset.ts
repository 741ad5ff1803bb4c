// Opens a dataset of any known layout.
import { platform } from '#platform';
import { openCoco } from './coco/open.ts';
import { detectLayout } from './detectLayout.ts';
import type { Dataset, FileSource, OpenOptions } from './types.ts';
import { openVoc } from './voc/open.ts';

/**
 * The dataset at a place, whatever its layout: a folder in COCO or PASCAL VOC form, or one COCO annotation file by its path.
 *
 * Throws   DatasetError when the layout is none of those, and what the reader of the layout throws
 * Example  const dataset = await openDataset('data/VOCdevkit', { split: 'trainval' })
 */
export const openDataset = async (
  location: string | FileSource,
  options: OpenOptions = {},
): Promise<Dataset> => {
  if (typeof location === 'string' && location.endsWith('.json')) return openCoco(location, options);
  const source = typeof location === 'string' ? platform.openFolder(location) : location;
  const { format } = await detectLayout(source);
  return format === 'voc' ? openVoc(source, options) : openCoco(source, options);
};
