// Opens a dataset of any known layout.
import { platform } from '#platform';
import { openCoco } from './coco/open.ts';
import { type DetectedLayout, detectLayout } from './detectLayout.ts';
import type { Dataset, FileSource, OpenOptions } from './types.ts';
import { isVocList } from './voc/layout.ts';
import { openVoc } from './voc/open.ts';
import { isWiderFile } from './widerface/layout.ts';
import { openWiderFace } from './widerface/open.ts';

type Open = (location: string | FileSource, options: OpenOptions) => Promise<Dataset>;

const readers: Readonly<Record<DetectedLayout['format'], Open>> = {
  coco: openCoco,
  voc: openVoc,
  widerface: openWiderFace,
};

/**
 * The dataset at a place, whatever its layout: a folder in COCO, PASCAL VOC or WiderFace form, or one file of
 * it by its path: COCO's or WiderFace's annotations, a list of PASCAL VOC.
 *
 * Throws   DatasetError when the layout is none of those, and what the reader of the layout throws
 * Example  const dataset = await openDataset('data/VOCdevkit', { split: 'trainval' })
 */
export const openDataset = async (
  location: string | FileSource,
  options: OpenOptions = {},
): Promise<Dataset> => {
  if (typeof location === 'string' && location.endsWith('.json')) return openCoco(location, options);
  if (typeof location === 'string' && isVocList(location)) return openVoc(location, options);
  if (typeof location === 'string' && isWiderFile(location)) return openWiderFace(location, options);
  const source = typeof location === 'string' ? platform.openFolder(location, options) : location;
  const { format } = await detectLayout(source);
  return readers[format](source, options);
};
