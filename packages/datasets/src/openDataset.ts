// Opens a dataset of any known layout.
import { platform } from '#platform';
import { openCoco } from './coco/open.ts';
import { type DetectedLayout, detectLayout, isObjects365File } from './detectLayout.ts';
import { openObjects365 } from './objects365/open.ts';
import type { Dataset, FileSource, OpenOptions } from './types.ts';
import { isVocList } from './voc/layout.ts';
import { openVoc } from './voc/open.ts';
import { isWiderFile } from './widerface/layout.ts';
import { openWiderFace } from './widerface/open.ts';

type Open = (location: string | FileSource, options: OpenOptions) => Promise<Dataset>;

const readers: Readonly<Record<DetectedLayout['format'], Open>> = {
  coco: openCoco,
  objects365: openObjects365,
  voc: openVoc,
  widerface: openWiderFace,
};

/**
 * The dataset at a place, whatever its layout: a folder in the form of COCO, Objects365, PASCAL VOC or WiderFace, or
 * one file of it by its path: the annotations, or a list of PASCAL VOC.
 *
 * Throws   DatasetError when the layout is none of those, and what the reader of the layout throws
 * Example  const dataset = await openDataset('data/VOCdevkit', { split: 'trainval' })
 */
export const openDataset = async (
  location: string | FileSource,
  options: OpenOptions = {},
): Promise<Dataset> => {
  if (typeof location !== 'string') return openFolder(location, options);
  const open = readerOf(location);
  return open === undefined
    ? openFolder(platform.openFolder(location, options), options)
    : open(location, options);
};

/** The reader of a single file, told by its name; undefined for other names, which are taken for folders. */
const readerOf = (location: string): Open | undefined => {
  if (location.endsWith('.json')) return isObjects365File(location) ? openObjects365 : openCoco;
  if (isVocList(location)) return openVoc;
  return isWiderFile(location) ? openWiderFace : undefined;
};

const openFolder = async (source: FileSource, options: OpenOptions): Promise<Dataset> => {
  const { format } = await detectLayout(source);
  return readers[format](source, options);
};
