// Opens a COCO folder as a dataset: annotations at once, images decoded on demand.
import { platform } from '#platform';
import { iterateDataset, recordAt } from '../dataset.ts';
import { decodeImage } from '../decode.ts';
import { DatasetError } from '../errors.ts';
import type { Dataset, FileSource, ImageRecord, Sample } from '../types.ts';
import {
  type CocoLayoutOptions,
  findAnnotations,
  findImageFolder,
  inFolder,
  readFrom,
  refuseMissingImages,
} from './layout.ts';
import { parseCoco } from './parse.ts';

/**
 * The images and annotations of a COCO folder, or of one annotation file given by its path.
 *
 * Units    boxes as corners in pixels; labels count the categories by ascending id
 * Throws   DatasetError, naming file and field, for anything that cannot be used; boxes of no size, with NaN or wholly
 *          outside are left out and listed in `report` instead
 * Example  const dataset = await openCoco('data/cells', { split: 'train' })
 */
export const openCoco = async (
  folder: string | FileSource,
  options: CocoLayoutOptions = {},
): Promise<Dataset> => {
  const { source, layout } = locate(folder, options);
  const annotations = await findAnnotations(source, layout);
  const file = `${source.name}/${annotations.path}`;
  const { classes, categoryIds, records, report } = parseCoco(await readFrom(source, annotations.path), file);
  const files = records.map((record) => record.file);
  const images = await findImageFolder(source, annotations, files, layout);
  await refuseMissingImages(source, images, files);
  const at = (index: number): Promise<Sample> =>
    readSample(source, images, recordAt('openCoco', records, index));
  return {
    name: annotations.split === '' ? source.name : `${source.name} (${annotations.split})`,
    length: records.length,
    classes,
    categoryIds,
    report,
    record: (index) => recordAt('openCoco', records, index),
    at,
    [Symbol.asyncIterator]: () => iterateDataset(records.length, at),
  };
};

const locate = (
  folder: string | FileSource,
  options: CocoLayoutOptions,
): { source: FileSource; layout: CocoLayoutOptions } => {
  if (typeof folder !== 'string') return { source: folder, layout: options };
  if (!folder.endsWith('.json')) return { source: platform.openFolder(folder), layout: options };
  const parent = platform.splitLocation(folder);
  const grandparent = platform.splitLocation(parent.folder);
  // In annotations/x.json the images are beside the folder, not in it.
  if (grandparent.file !== 'annotations')
    return { source: platform.openFolder(parent.folder), layout: { ...options, annotations: parent.file } };
  return {
    source: platform.openFolder(grandparent.folder),
    layout: { ...options, annotations: `annotations/${parent.file}` },
  };
};

const readSample = async (source: FileSource, images: string, record: ImageRecord): Promise<Sample> => {
  const path = inFolder(images, record.file);
  const file = `${source.name}/${path}`;
  const pixels = await decodeImage(await readFrom(source, path), file);
  if (pixels.width === record.width && pixels.height === record.height) return { ...record, pixels };
  throw otherSize(file, record, pixels);
};

const otherSize = (
  file: string,
  record: ImageRecord,
  pixels: { readonly width: number; readonly height: number },
): DatasetError =>
  new DatasetError(
    `openCoco(${file}): needs the annotated size ${record.width}x${record.height}, got an image of ${pixels.width}x${pixels.height}. Correct width and height, or annotate the image as it is.`,
    { file, field: 'width' },
  );
