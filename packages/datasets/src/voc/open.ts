// Opens a PASCAL VOC dataset: annotations at once, pictures decoded on demand.
import { readMany } from '../concurrent.ts';
import { datasetOf } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { isFault } from '../fault.ts';
import { joinPath } from '../paths.ts';
import { readPicture } from '../picture.ts';
import { problemList } from '../problems.ts';
import { fileOfTable } from '../table.ts';
import type { Dataset, FileSource, Problem } from '../types.ts';
import { assembleTable } from './assemble.ts';
import { classesFrom, decidedClasses } from './classes.ts';
import { readAnnotation, readImage, type VocImage } from './image.ts';
import { chooseVoc, locateVoc, type VocFolder, type VocOptions } from './layout.ts';
import { listAnnotations, readLists, type VocEntry } from './lists.ts';
import { pictureFinder, picturePath } from './pictures.ts';

/**
 * The pictures and objects of a PASCAL VOC folder: a devkit with one folder a year, or one folder with Annotations,
 * JPEGImages and, for splits, ImageSets/Main; or of one list in there, given by its path.
 *
 * A box covers the pixels xmin to xmax, counted from 1 and both inside: x1 = xmin - 1, y1 = ymin - 1, x2 = xmax, y2 = ymax.
 *
 * Units    boxes as corners in pixels; labels follow the option classes, else `classes.txt`, else the 20 names of
 *          PASCAL VOC when the folder has lists for them or holds no others, else the names it holds, sorted: all its
 *          annotations count for that, so that every split has the same labels
 * Throws   DatasetError when the folder, a list or every picture cannot be used; what concerns one picture or object is
 *          left out and listed in `report` instead
 * Example  const dataset = await openVoc('data/VOCdevkit', { split: 'trainval', years: [2007, 2012] })
 */
export const openVoc = async (
  location: string | FileSource,
  vocOptions: VocOptions = {},
): Promise<Dataset> => {
  const { source, options } = locateVoc(location, vocOptions);
  const choice = await chooseVoc(source, options);
  const lists = await readLists(source, choice);
  const problems = problemList(options.onProblem ?? 'skip');
  for (const problem of lists.problems) problems.add(problem);
  const decided = await decidedClasses(source, options.classes, choice.known);
  const others = decided === undefined ? await otherEntries(source, choice.known, lists.entries) : [];
  const { images, names } = await readAll(source, lists.entries, others, options);
  const classes = decided ?? classesFrom(names);
  const table = assembleTable(images, classes, problems);
  if (table.length === 0) throw nothingLeft(source, choice.split, problems.found);
  const pathOf = pathIn(choice.folders);
  const { locate } = source;
  return datasetOf({
    label: 'openVoc',
    name: choice.split === undefined ? source.name : `${source.name} (${choice.split})`,
    format: 'voc',
    classes,
    categoryIds: classes.map((_, label) => label + 1),
    table,
    problems: problems.found,
    problemCounts: problems.counts,
    maxPixels: options.maxPixels,
    decode: (record) => readPicture('openVoc', source, pathOf(record.file), record, options),
    ...(locate === undefined ? {} : { locate: (index) => locate(pathOf(fileOfTable(table, index))) }),
  });
};

/** The annotations outside the split: they take part in the order of the labels only. */
const otherEntries = async (
  source: FileSource,
  folders: readonly VocFolder[],
  entries: readonly VocEntry[],
): Promise<VocEntry[]> => {
  const inSplit = new Set(entries.map(({ folder, name }) => joinPath(folder.path, name)));
  const found: VocEntry[] = [];
  for (const folder of folders)
    for (const name of await listAnnotations(source, folder))
      if (!inSplit.has(joinPath(folder.path, name))) found.push({ folder, name });
  return found;
};

const readAll = async (
  source: FileSource,
  entries: readonly VocEntry[],
  others: readonly VocEntry[],
  options: VocOptions,
): Promise<{ images: (VocImage | Problem)[]; names: ReadonlySet<string> }> => {
  const findPicture = pictureFinder(source);
  const names = new Set<string>();
  const note = (objects: VocImage['objects']): void => {
    for (const object of objects) if (!isFault(object)) names.add(object.className);
  };
  const read = async (entry: VocEntry, index: number): Promise<VocImage | Problem | undefined> => {
    if (index >= entries.length) {
      const annotation = await readAnnotation(source, entry);
      if (!isFault(annotation)) note(annotation.objects);
      return undefined;
    }
    const image = await readImage(source, findPicture, entry);
    if ('objects' in image) note(image.objects);
    return image;
  };
  const results = await readMany([...entries, ...others], read, options);
  return { images: results.filter((result) => result !== undefined), names };
};

/** Where a picture is that a record names. */
const pathIn = (folders: readonly VocFolder[]): ((file: string) => string) => {
  const byYear = new Map(folders.map((folder) => [folder.year, folder]));
  return (file) => {
    const whole = byYear.get('');
    if (whole !== undefined) return picturePath(whole, file);
    const year = file.slice(0, file.indexOf('/'));
    return picturePath(byYear.get(year)!, file.slice(year.length + 1));
  };
};

const nothingLeft = (
  source: FileSource,
  split: string | undefined,
  problems: readonly Problem[],
): DatasetError => {
  const where = split === undefined ? source.name : `${source.name}, ${split}`;
  const got =
    problems.length === 0
      ? 'none'
      : `${problems.length} problems, first: ${problems[0]!.message.replace(/\.$/, '')}`;
  return new DatasetError(
    `openVoc(${where}): needs at least one picture, got ${got}. Correct the files, or choose another split.`,
    { file: problems[0]?.file ?? source.name, field: 'split' },
  );
};
