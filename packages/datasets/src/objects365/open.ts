// Opens Objects365, version 1 or 2, as a dataset: COCO's form with file names, folders and fields of its own.
import type { CocoLayoutOptions, FileNaming } from '../coco/layout.ts';
import { type AnnotatedFormat, openAnnotated } from '../coco/openAnnotated.ts';
import { inFolder, type PicturePlace } from '../coco/pictures.ts';
import type { Dataset, FileSource, OpenOptions } from '../types.ts';

/** The names of the annotation files, versions 1 and 2. */
export const objects365Naming: FileNaming = {
  label: 'openObjects365',
  wanted: 'zhiyuan_objv2_*.json or objects365_*.json',
  splitOf: (name) => /^(?:zhiyuan_objv2|objects365)_(.+)\.json$/.exec(name)?.[1],
  folders: ['annotations', '', 'train', 'val', 'test'],
};

/**
 * What may be cut off the beginning of a file name such as `images/v1/patch8/objects365_v1_00420917.jpg`: the archives hold
 * the patches, with or without the folders above them, and some keep all pictures in one folder.
 */
const cuts: readonly RegExp[] = [/^/, /^images\//, /^images\/v\d+\//, /^.*\//];

/** Where pictures may be: every usual folder with every way to write the names. */
const picturePlaces = (annotations: string, split: string, images: string | undefined): PicturePlace[] => {
  const beside = annotations.slice(0, Math.max(0, annotations.lastIndexOf('/')));
  const usual = [split, `images/${split}`, `${split}/images`, 'images', '', beside];
  const folders = images === undefined ? [...new Set(usual)] : [images.replace(/\/+$/, '')];
  return folders.flatMap((folder) =>
    cuts.map((cut) => ({
      name: `${folder}/`,
      pathOf: (file: string) => inFolder(folder, file.replaceAll('\\', '/').replace(cut, '')),
    })),
  );
};

const objects365: AnnotatedFormat = {
  label: 'openObjects365',
  format: 'objects365',
  extras: ['isfake', 'isreflected'],
  naming: objects365Naming,
  places: ({ path, split }, images) => picturePlaces(path, split, images),
};

/**
 * The images and annotations of an Objects365 folder, or of one annotation file given by its path; the file may be of any size.
 *
 * Units    boxes as corners in pixels; labels count the categories by ascending id; `isfake` and `isreflected` are attributes
 * Throws   DatasetError, naming file and place, for a file that cannot be read, is malformed, or has no images or categories.
 *          Entries that are wrong, boxes that mean nothing and images without a picture, as of patches that were not
 *          fetched, are left out and listed in `report`; under `onProblem: 'strict'` the first of them is thrown
 * Example  const dataset = await openObjects365('data/objects365', { split: 'val' })
 */
export const openObjects365 = (
  folder: string | FileSource,
  options: CocoLayoutOptions & OpenOptions = {},
): Promise<Dataset> => openAnnotated(folder, options, objects365);
