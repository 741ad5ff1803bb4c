// Which of the known layouts a folder has, by the names of its files.
import { platform } from '#platform';
import { cocoNaming, type FileNaming } from './coco/layout.ts';
import { DatasetError } from './errors.ts';
import { objects365Naming } from './objects365/open.ts';
import type { DatasetFormat, FileSource, OpenOptions } from './types.ts';
import { findVocFolders, splitsOf } from './voc/layout.ts';
import { findWiderFiles } from './widerface/layout.ts';

/** What a folder holds. */
export interface DetectedLayout {
  readonly format: Exclude<DatasetFormat, 'made'>;
  /** The splits that can be opened; none when there is no choice. */
  readonly splits: readonly string[];
  /** The same as a sentence. */
  readonly says: string;
}

/**
 * The layout of a folder and its splits.
 *
 * Throws   DatasetError when the folder cannot be listed, has none of the layouts, or several
 * Example  (await detectLayout('data/VOCdevkit')).says // 'PASCAL VOC (VOC2007, VOC2012): splits train, val, trainval, test'
 */
export const detectLayout = async (
  location: string | FileSource,
  options: Pick<OpenOptions, 'followLinks'> = {},
): Promise<DetectedLayout> => {
  const source = typeof location === 'string' ? platform.openFolder(location, options) : location;
  const names = await source.list('');
  if (names === undefined)
    throw new DatasetError(
      `detectLayout(${source.name}): needs a folder that can be listed, got one that cannot. Open it with the function of its format, such as openCoco, and name its files.`,
      { file: source.name },
    );
  const found: DetectedLayout[] = [];
  for (const detect of [detectCoco, detectObjects365, detectVoc, detectWiderFace]) {
    const layout = await detect(source, names);
    if (layout !== undefined) found.push(layout);
  }
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) throw unknownLayout(source, names);
  throw new DatasetError(
    `detectLayout(${source.name}): needs a folder of one layout, got ${found.map(({ says }) => says).join('; and ')}. Open it with the function of one format.`,
    { file: source.name },
  );
};

type Detect = (source: FileSource, names: readonly string[]) => Promise<DetectedLayout | undefined>;

const detectCoco: Detect = async (source, names) => {
  const splits = await annotatedSplits(source, names, cocoNaming);
  return splits && { format: 'coco', splits, says: `COCO: ${spoken(splits)}` };
};

const detectObjects365: Detect = async (source, names) => {
  const splits = await annotatedSplits(source, names, objects365Naming);
  return splits && { format: 'objects365', splits, says: `Objects365: ${spoken(splits)}` };
};

/**
 * True when the name of a file is that of an annotation file of Objects365.
 *
 * Example  isObjects365File('annotations/zhiyuan_objv2_val.json')
 */
export const isObjects365File = (path: string): boolean =>
  objects365Naming.splitOf(path.replace(/^.*[/\\]/, '')) !== undefined;

/** The splits of formats with one annotation file per split; undefined when there is no such file. */
const annotatedSplits = async (
  source: FileSource,
  names: readonly string[],
  { splitOf, folders, nameInSplit }: Pick<FileNaming, 'splitOf' | 'folders' | 'nameInSplit'>,
): Promise<string[] | undefined> => {
  const splits = new Set<string>();
  // Not asked for when it is not there: where capitals do not count, "annotations" would answer for "Annotations".
  for (const folder of folders.filter((name) => name === '' || names.includes(name)))
    for (const name of folder === '' ? names : await listed(source, folder)) {
      const split = splitOf(name);
      if (split !== undefined) splits.add(split);
    }
  if (splits.size > 0) return [...splits];
  if (nameInSplit === undefined) return undefined;
  for (const name of names)
    if (!name.includes('.') && (await listed(source, name)).includes(nameInSplit)) splits.add(name);
  return splits.size > 0 || names.includes(nameInSplit) ? [...splits] : undefined;
};

const listed = async (source: FileSource, folder: string): Promise<readonly string[]> => {
  try {
    return (await source.list(folder)) ?? [];
  } catch {
    return []; // a link that leads elsewhere, and may have nothing to do with the dataset
  }
};

const detectVoc: Detect = async (source) => {
  const folders = await findVocFolders(source);
  if (folders.length === 0) return undefined;
  const splits = splitsOf(folders);
  const years = folders.map(({ year }) => year).filter((year) => year !== '');
  const among = years.length === 0 ? '' : ` (${years.join(', ')})`;
  return { format: 'voc', splits, says: `PASCAL VOC${among}: ${spoken(splits)}` };
};

const detectWiderFace: Detect = async (source) => {
  const splits = [...new Set((await findWiderFiles(source)).map(({ split }) => split))];
  return splits.length === 0
    ? undefined
    : { format: 'widerface', splits, says: `WiderFace: ${spoken(splits)}` };
};

const spoken = (splits: readonly string[]): string => {
  if (splits.length === 0) return 'no splits';
  return splits.length === 1 ? `split ${splits[0]}` : `splits ${splits.join(', ')}`;
};

const unknownLayout = (source: FileSource, names: readonly string[]): DatasetError => {
  const content = names.length === 0 ? 'nothing that can be read' : names.slice(0, 10).join(', ');
  const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
  return new DatasetError(
    `detectLayout(${source.name}): needs annotations/instances_*.json (COCO), zhiyuan_objv2_*.json or objects365_*.json (Objects365), Annotations or VOC<year>/Annotations (PASCAL VOC), or wider_face_split/wider_face_*_bbx_gt.txt (WiderFace), got a folder that holds ${content}${more}. Check the path.`,
    { file: source.name },
  );
};
