// Where a WiderFace folder keeps its annotation files and its pictures.
import { platform } from '#platform';
import { DatasetError } from '../errors.ts';
import { joinPath, splitPath } from '../paths.ts';
import type { FileSource, OpenOptions } from '../types.ts';

/** What `openWiderFace` takes. */
export interface WiderFaceOptions extends OpenOptions {
  /** Path of the annotation file in the folder, where it has none of the usual names. */
  readonly annotations?: string;
  /** Path of the folder of pictures in the folder; `WIDER_<split>/images` unless told otherwise. */
  readonly images?: string;
}

/** An annotation file, the split it stands for, and whether it lists pictures without their faces. */
export interface WiderFile {
  readonly path: string;
  readonly split: string;
  readonly isList: boolean;
}

const usualFolder = 'wider_face_split';

/**
 * The annotation files of a WiderFace folder that can be listed; none when it has not that form.
 *
 * Example  (await findWiderFiles(source)).map(({ split }) => split) // ['train', 'val', 'test']
 */
export const findWiderFiles = async (source: FileSource): Promise<WiderFile[]> => {
  const top = (await source.list('')) ?? [];
  const inside = top.includes(usualFolder) ? ((await source.list(usualFolder)) ?? []) : [];
  const paths = [...inside.map((name) => joinPath(usualFolder, name)), ...top];
  const found = paths.map(fileAt).filter((file) => file !== undefined);
  const order = ['train', 'val', 'test'];
  return found.sort((a, b) => order.indexOf(a.split) - order.indexOf(b.split));
};

/** What the name of a file tells; undefined for any other file. */
const fileAt = (path: string): WiderFile | undefined => {
  const [, name] = splitPath(path);
  const [, split, kind] = /^wider_face_(.+)_(bbx_gt|filelist)\.txt$/.exec(name) ?? [];
  return split === undefined ? undefined : { path, split, isList: kind === 'filelist' };
};

/**
 * True when the name of a file is that of a WiderFace annotation file.
 *
 * Example  isWiderFile('wider_face_split/wider_face_val_bbx_gt.txt')
 */
export const isWiderFile = (path: string): boolean => fileAt(path) !== undefined;

/**
 * The folder that holds everything, and the options with the path in it, where `location` is that of an annotation file.
 *
 * Example  locateWiderFace('wider/wider_face_split/wider_face_val_bbx_gt.txt', {})
 */
export const locateWiderFace = (
  location: string | FileSource,
  options: WiderFaceOptions,
): { readonly source: FileSource; readonly options: WiderFaceOptions } => {
  if (typeof location !== 'string') return { source: location, options };
  if (!location.endsWith('.txt')) return { source: platform.openFolder(location, options), options };
  const { folder, file } = platform.splitLocation(location);
  const outer = platform.splitLocation(folder);
  // In wider_face_split/x.txt the pictures are beside the folder, not in it.
  if (outer.file !== usualFolder)
    return { source: platform.openFolder(folder, options), options: { ...options, annotations: file } };
  return {
    source: platform.openFolder(outer.folder, options),
    options: { ...options, annotations: joinPath(usualFolder, file) },
  };
};

/**
 * The annotation file that the options ask for, or the only one there is.
 *
 * Throws   DatasetError when there is none, or several and no `split` that picks one
 * Example  await chooseWiderFile(source, { split: 'val' })
 */
export const chooseWiderFile = async (
  source: FileSource,
  { annotations, split }: WiderFaceOptions,
): Promise<WiderFile> => {
  if (annotations !== undefined) {
    const named = fileAt(annotations);
    return { path: annotations, split: split ?? named?.split ?? '', isList: named?.isList ?? false };
  }
  if ((await source.list('')) === undefined)
    throw refusal(
      source,
      'annotations',
      'the option annotations',
      'a folder that cannot be listed',
      'Name the annotation file',
    );
  const files = await findWiderFiles(source);
  if (files.length === 0)
    throw refusal(
      source,
      'annotations',
      'wider_face_split/wider_face_<split>_bbx_gt.txt',
      'a folder without one',
      'Check the path, or name the file with the option annotations',
    );
  const fitting = split === undefined ? files : files.filter((file) => file.split === split);
  if (fitting.length === 1) return fitting[0]!;
  const needs =
    split === undefined
      ? 'the option split, since the folder holds several'
      : 'a split of the folder that is there once';
  const got = split === undefined ? 'no split' : JSON.stringify(split);
  throw refusal(
    source,
    'split',
    needs,
    got,
    `Choose one of: ${files.map((file) => `${file.split} (${file.path})`).join(', ')}`,
  );
};

const refusal = (
  source: FileSource,
  field: string,
  needs: string,
  got: string,
  advice: string,
): DatasetError =>
  new DatasetError(`openWiderFace(${source.name}): needs ${needs}, got ${got}. ${advice}.`, {
    file: source.name,
    field,
  });
