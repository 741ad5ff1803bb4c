// Opens a COCO folder as a dataset: annotations at once, images decoded on demand.
import { platform } from '#platform';
import { datasetOf } from '../dataset.ts';
import { decodeImage } from '../decode.ts';
import { DatasetError } from '../errors.ts';
import { recordOfTable } from '../table.ts';
import type { Dataset, FileSource, ImageRecord, OpenOptions, Pixels } from '../types.ts';
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
  options: CocoLayoutOptions & OpenOptions = {},
): Promise<Dataset> => {
  const { source, layout } = locate(folder, options);
  const annotations = await findAnnotations(source, layout);
  const file = `${source.name}/${annotations.path}`;
  const content = parseCoco(await readFrom(source, annotations.path), file, options.onProblem ?? 'skip');
  const { classes, categoryIds, table, problems } = content;
  const files = Array.from({ length: table.length }, (_, i) => recordOfTable(table, i).file);
  const images = await findImageFolder(source, annotations, files, layout);
  await refuseMissingImages(source, images, files);
  return datasetOf({
    label: 'openCoco',
    name: annotations.split === '' ? source.name : `${source.name} (${annotations.split})`,
    format: 'coco',
    classes,
    categoryIds,
    table,
    problems,
    decode: (record) => readPixels(source, images, record, options),
    ...(source.locate === undefined
      ? {}
      : { locate: (index) => source.locate!(inFolder(images, recordOfTable(table, index).file)) }),
  });
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

const readPixels = async (
  source: FileSource,
  images: string,
  record: ImageRecord,
  options: OpenOptions,
): Promise<Pixels> => {
  const path = inFolder(images, record.file);
  const file = `${source.name}/${path}`;
  const pixels = await decodeImage(await readFrom(source, path), file, options);
  if (pixels.width === record.width && pixels.height === record.height) return pixels;
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
