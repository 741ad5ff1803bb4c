// Where the pictures of an annotation file are, and which of them are missing.
import { DatasetError } from '../errors.ts';
import { stateOf } from '../files.ts';
import type { ProblemList } from '../problems.ts';
import { fileOfTable, type ImageTable, keepImages } from '../table.ts';
import type { FileSource } from '../types.ts';

/** The path in the source of a picture, given its name in the annotation file. */
export type PicturePath = (file: string) => string;

/** A place where pictures may be. */
export interface PicturePlace {
  /** How messages name it. */
  readonly name: string;
  readonly pathOf: PicturePath;
}

/** What is looked for, and where. */
export interface PictureSearch {
  readonly source: FileSource;
  /** The function and the annotation file that error messages name. */
  readonly label: string;
  readonly annotations: string;
  readonly table: ImageTable;
  /** In the order in which they are tried. */
  readonly places: readonly PicturePlace[];
}

/** Pictures looked for in every place before all of them are. */
const samples = 20;

/** The path of a file in a folder of the source; file names written on Windows may have backslashes. */
export const inFolder = (folder: string, file: string): string => {
  const path = file.replaceAll('\\', '/');
  return folder === '' ? path : `${folder}/${path}`;
};

/**
 * The places of COCO: folders called after the split, and the usual names.
 */
export const cocoPlaces = (
  annotations: string,
  split: string,
  images: string | undefined,
): PicturePlace[] => {
  const beside = annotations.includes('/') ? annotations.slice(0, annotations.lastIndexOf('/')) : '';
  const splitName = split.replace(/\d+$/, '');
  const usual = [
    split,
    `images/${split}`,
    splitName,
    `images/${splitName}`,
    'images',
    'JPEGImages',
    '',
    beside,
  ];
  const folders = images === undefined ? [...new Set(usual)] : [images.replace(/\/+$/, '')];
  return folders.map((folder) => ({ name: `${folder}/`, pathOf: (file) => inFolder(folder, file) }));
};

/**
 * The first place that holds any of the pictures.
 *
 * Throws   DatasetError when none does
 */
export const findPictures = async (search: PictureSearch): Promise<PicturePath> => {
  const { source, label, annotations, table, places } = search;
  const canList = (await source.list('')) !== undefined;
  const isThere = canList ? listedFiles(source) : (path: string) => isReadable(source, path);
  // pictures from all over the file: some users keep the first or the last of them only
  const step = Math.max(1, Math.floor(table.length / samples));
  const steps = canList && step > 1 ? [step, 1] : [step];
  for (const every of steps)
    for (const { pathOf } of places)
      for (let i = 0; i < table.length; i += every)
        if (await isThere(pathOf(fileOfTable(table, i)))) return pathOf;
  const first = fileOfTable(table, 0);
  throw new DatasetError(
    `${label}(${source.name}): needs the image ${first} of ${annotations}, got none in ${[...new Set(places.map(({ name }) => name))].join(', ')}. Name the image folder with the option images.`,
    { file: first, field: 'images' },
  );
};

const isReadable = async (source: FileSource, path: string): Promise<boolean> => {
  if ((await stateOf(source, path)) !== undefined) return true;
  try {
    await source.read(path);
    return true;
  } catch {
    return false;
  }
};

/** Tells whether a file is in the listing of its folder; folders that cannot be listed count as having it. */
const listedFiles = (source: FileSource): ((path: string) => boolean | Promise<boolean>) => {
  const listings = new Map<string, ReadonlySet<string> | undefined>();
  return (path) => {
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? '' : path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (listings.has(folder)) return listings.get(folder)?.has(name) ?? true;
    return source.list(folder).then((names) => {
      listings.set(folder, names && new Set(names));
      return names?.includes(name) ?? true;
    });
  };
};

/**
 * The table without the images whose pictures are missing, each with a problem, so that training does not find out hours later.
 */
export const withoutMissing = async (
  { source, label, annotations, table }: Omit<PictureSearch, 'places'>,
  pathOf: PicturePath,
  problems: ProblemList,
): Promise<ImageTable> => {
  if ((await source.list('')) === undefined) return table;
  const isThere = listedFiles(source);
  const isKept = new Uint8Array(table.length);
  for (let i = 0; i < table.length; i++) {
    const image = fileOfTable(table, i);
    const path = pathOf(image);
    const found = isThere(path);
    // most are known at once, and waiting takes longer than looking
    isKept[i] = (typeof found === 'boolean' ? found : await found) ? 1 : 0;
    if (isKept[i] === 1) continue;
    problems.addOf('missing picture', () => {
      const file = `${source.name}/${path}`;
      const message = `${label}(${annotations}): needs the picture ${file} of the image with id ${table.ids[i]}, got no such file. Add the file, or remove the image.`;
      return { file, image, message };
    });
  }
  return keepImages(table, isKept);
};
