// Where a PASCAL VOC folder keeps its parts: one folder with Annotations, or a devkit with one such folder a year.
import { platform } from '#platform';
import { DatasetError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { FileSource, OpenOptions } from '../types.ts';
import { vocClasses } from './classNames.ts';

/** What `openVoc` takes. */
export interface VocOptions extends OpenOptions {
  /** The years of a devkit to open together, such as [2007, 2012]; unless told otherwise all that hold the split. */
  readonly years?: readonly number[];
  /** Class names in the order of their labels; unless told otherwise `classes.txt`, or the names that the files hold. */
  readonly classes?: readonly string[];
}

/** A folder with Annotations, JPEGImages and perhaps ImageSets. */
export interface VocFolder {
  /** Its path in the source, '' for the source itself. */
  readonly path: string;
  /** The name of the year's folder in a devkit, '' where there is but one folder. */
  readonly year: string;
  /** The names of the lists in ImageSets/Main, without those of single classes. */
  readonly splits: readonly string[];
  /** Whether there are lists for each of the 20 classes, as in the published development kits. */
  readonly listsClasses: boolean;
}

/**
 * The folder that holds everything, and the options with the split in it, where `location` is the path of a list.
 *
 * Example  locateVoc('VOCdevkit/VOC2007/ImageSets/Main/train.txt', {}) // VOCdevkit/VOC2007, split train
 */
export const locateVoc = (
  location: string | FileSource,
  options: VocOptions,
): { readonly source: FileSource; readonly options: VocOptions } => {
  if (typeof location !== 'string') return { source: location, options };
  if (!isVocList(location)) return { source: platform.openFolder(location, options), options };
  const { folder, file } = platform.splitLocation(location);
  const root = platform.splitLocation(platform.splitLocation(folder).folder).folder;
  return { source: platform.openFolder(root, options), options: { ...options, split: file.slice(0, -4) } };
};

/**
 * True when a path is that of a list of pictures in PASCAL VOC form.
 *
 * Example  isVocList('VOC2007/ImageSets/Main/train.txt')
 */
export const isVocList = (location: string): boolean =>
  /(?:^|[/\\])ImageSets[/\\]Main[/\\][^/\\]+\.txt$/.test(location);

/**
 * The folders of a PASCAL VOC dataset that can be listed, by year; none when it has not that form.
 *
 * Example  splitsOf(await findVocFolders(source)) // ['train', 'val', 'trainval', 'test']
 */
export const findVocFolders = async (source: FileSource): Promise<VocFolder[]> => {
  const top = (await source.list('')) ?? [];
  if (top.includes('Annotations')) return [await folderAt(source, '', '')];
  const devkit = top.includes('VOCdevkit') ? 'VOCdevkit' : '';
  const names = (devkit === '' ? top : await source.list(devkit)) ?? [];
  const found: VocFolder[] = [];
  for (const year of names.filter((name) => /^VOC\d{4}$/.test(name)).sort()) {
    const path = joinPath(devkit, year);
    if ((await source.list(path))?.includes('Annotations')) found.push(await folderAt(source, path, year));
  }
  return found;
};

const folderAt = async (source: FileSource, path: string, year: string): Promise<VocFolder> => {
  const names = (await source.list(joinPath(path, 'ImageSets/Main'))) ?? [];
  const lists = names.filter((name) => name.endsWith('.txt')).map((name) => name.slice(0, -4));
  // The devkit repeats every list once for each class, as in "cat_train".
  const isOfClass = (list: string): boolean => lists.some((other) => list.endsWith(`_${other}`));
  const listsClasses = vocClasses.every((name) => lists.some((list) => list.startsWith(`${name}_`)));
  return { path, year, splits: lists.filter((list) => !isOfClass(list)), listsClasses };
};

const usualSplits = ['train', 'val', 'trainval', 'test'];

/**
 * The splits that any of the folders holds, the usual ones first.
 *
 * Example  splitsOf(folders) // ['train', 'val', 'trainval', 'test']
 */
export const splitsOf = (folders: readonly VocFolder[]): string[] => {
  const found = new Set(folders.flatMap(({ splits }) => splits));
  return [
    ...usualSplits.filter((split) => found.has(split)),
    ...[...found].filter((split) => !usualSplits.includes(split)).sort((a, b) => (a < b ? -1 : 1)),
  ];
};

/** The folders to read, and the list to follow in each; without a list every annotation counts. */
export interface VocChoice {
  readonly folders: readonly VocFolder[];
  /** The folders whose annotations decide on the classes, whatever the split and the years: labels must not depend on them. */
  readonly known: readonly VocFolder[];
  readonly split: string | undefined;
}

/**
 * The folders and the split that the options ask for.
 *
 * Throws   DatasetError when nothing fits, or when several splits do
 * Example  await chooseVoc(source, { split: 'trainval', years: [2007, 2012] })
 */
export const chooseVoc = async (source: FileSource, options: VocOptions): Promise<VocChoice> => {
  if ((await source.list('')) === undefined) return chooseUnlisted(source, options);
  const all = await findVocFolders(source);
  if (all.length === 0)
    throw refusal(source, 'Annotations', {
      needs: 'Annotations, or VOC<year>/Annotations with or without VOCdevkit around them',
      got: 'a folder without',
      advice: 'Check the path',
    });
  const ofYears = options.years === undefined ? all : options.years.map((year) => ofYear(source, all, year));
  const split = chooseSplit(source, splitsOf(ofYears), options.split);
  if (split === undefined) return { folders: ofYears, known: all, split };
  const without = ofYears.find(({ splits }) => !splits.includes(split));
  if (options.years !== undefined && without !== undefined)
    throw refusal(source, 'years', {
      needs: `ImageSets/Main/${split}.txt in every year`,
      got: `none in ${without.year}`,
      advice: 'Leave that year out of the option years',
    });
  return { folders: ofYears.filter(({ splits }) => splits.includes(split)), known: all, split };
};

const ofYear = (source: FileSource, folders: readonly VocFolder[], year: number): VocFolder => {
  const found = folders.find((folder) => folder.year === `VOC${year}`);
  if (found !== undefined) return found;
  throw refusal(source, 'years', {
    needs: `the folder VOC${year}`,
    got: folders.map((folder) => folder.year || 'one folder without a year').join(', '),
    advice: 'Correct the option years',
  });
};

const chooseSplit = (
  source: FileSource,
  splits: readonly string[],
  split: string | undefined,
): string | undefined => {
  if (split === undefined ? splits.length <= 1 : splits.includes(split)) return split ?? splits[0];
  throw refusal(source, 'split', {
    needs: split === undefined ? 'the option split, since the folder holds several' : 'a split of the folder',
    got: split === undefined ? 'no split' : `"${split}"`,
    advice:
      splits.length === 0
        ? 'Leave out split, since ImageSets/Main holds no lists'
        : `Choose one of: ${splits.join(', ')}`,
  });
};

/** Without a way to list folders, the options must say everything, and reading a list tells whether there is a devkit. */
const chooseUnlisted = async (source: FileSource, { split, years }: VocOptions): Promise<VocChoice> => {
  if (split === undefined)
    throw refusal(source, 'split', {
      needs: 'the option split',
      got: 'a folder that cannot be listed',
      advice: 'Name the split, and the years if it is a devkit',
    });
  if (years === undefined)
    return { folders: [{ path: '', year: '', splits: [split], listsClasses: false }], known: [], split };
  const folders: VocFolder[] = [];
  for (const year of years.map((number) => `VOC${number}`)) {
    const isInDevkit = await canRead(source, `VOCdevkit/${year}/ImageSets/Main/${split}.txt`);
    folders.push({
      path: isInDevkit ? `VOCdevkit/${year}` : year,
      year,
      splits: [split],
      listsClasses: false,
    });
  }
  return { folders, known: [], split };
};

const canRead = (source: FileSource, path: string): Promise<boolean> =>
  source.read(path).then(
    () => true,
    () => false,
  );

const refusal = (
  source: FileSource,
  field: string,
  { needs, got, advice }: { readonly needs: string; readonly got: string; readonly advice: string },
): DatasetError =>
  new DatasetError(`openVoc(${source.name}): needs ${needs}, got ${got}. ${advice}.`, {
    file: source.name,
    field,
  });
