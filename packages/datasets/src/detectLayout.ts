// Which of the known layouts a folder has, by the names of its files.
import { platform } from '#platform';
import { DatasetError } from './errors.ts';
import type { DatasetFormat, FileSource } from './types.ts';
import { findVocFolders, splitsOf } from './voc/layout.ts';

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
export const detectLayout = async (location: string | FileSource): Promise<DetectedLayout> => {
  const source = typeof location === 'string' ? platform.openFolder(location) : location;
  const names = await source.list('');
  if (names === undefined)
    throw new DatasetError(
      `detectLayout(${source.name}): needs a folder that can be listed, got one that cannot. Open it with the function of its format, such as openCoco, and name its files.`,
      { file: source.name },
    );
  const found: DetectedLayout[] = [];
  for (const detect of [detectCoco, detectVoc]) {
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
  const splits = new Set<string>();
  for (const folder of ['annotations', ''])
    for (const name of folder === '' ? names : await listIn(source, folder, names)) {
      const split = /^instances_(.+)\.json$/.exec(name)?.[1];
      if (split !== undefined) splits.add(split);
    }
  // The other common export: every split a folder with its pictures and one file of annotations.
  if (splits.size === 0)
    for (const name of names)
      if (!name.includes('.') && (await source.list(name))?.includes(exported)) splits.add(name);
  if (splits.size === 0 && !names.includes(exported)) return undefined;
  return { format: 'coco', splits: [...splits], says: `COCO: ${spoken([...splits])}` };
};

const exported = '_annotations.coco.json';

/** Not asked for when it is not there: where capitals do not count, "annotations" would answer for "Annotations". */
const listIn = async (
  source: FileSource,
  folder: string,
  names: readonly string[],
): Promise<readonly string[]> => (names.includes(folder) ? ((await source.list(folder)) ?? []) : []);

const detectVoc: Detect = async (source) => {
  const folders = await findVocFolders(source);
  if (folders.length === 0) return undefined;
  const splits = splitsOf(folders);
  const years = folders.map(({ year }) => year).filter((year) => year !== '');
  const among = years.length === 0 ? '' : ` (${years.join(', ')})`;
  return { format: 'voc', splits, says: `PASCAL VOC${among}: ${spoken(splits)}` };
};

const spoken = (splits: readonly string[]): string => {
  if (splits.length === 0) return 'no splits';
  return splits.length === 1 ? `split ${splits[0]}` : `splits ${splits.join(', ')}`;
};

const unknownLayout = (source: FileSource, names: readonly string[]): DatasetError => {
  const holds = names.length === 0 ? 'nothing that can be read' : names.slice(0, 10).join(', ');
  const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
  return new DatasetError(
    `detectLayout(${source.name}): needs annotations/instances_*.json (COCO), or Annotations or VOC<year>/Annotations (PASCAL VOC), got a folder that holds ${holds}${more}. Check the path.`,
    { file: source.name },
  );
};
