// Where a folder keeps its annotation file: the usual layouts of COCO, and how one of several files is chosen.
import { DatasetError } from '../errors.ts';
import type { FileSource } from '../types.ts';

/** How to find the files of a folder whose layout is not one of the usual ones. */
export interface CocoLayoutOptions {
  /** Which split to open, as in `instances_<split>.json`; needed when there are several. */
  readonly split?: string;
  /** Path of the annotation file in the folder. */
  readonly annotations?: string;
  /** Path of the image folder in the folder. */
  readonly images?: string;
}

/** An annotation file that was found, and the split it stands for. */
export interface Candidate {
  readonly path: string;
  readonly split: string;
}

/** How a format names its annotation files. */
export interface FileNaming {
  /** The function that error messages name. */
  readonly label: string;
  /** What the files are called, for messages. */
  readonly wanted: string;
  /** The split that the name of an annotation file stands for; undefined for other names. */
  readonly splitOf: (name: string) => string | undefined;
  /** Where annotation files may lie. */
  readonly folders: readonly string[];
  /** The name of an annotation file that lies in the folder of its split, where there is such a layout. */
  readonly nameInSplit?: string;
}

/** COCO's naming, and that of the other common export: every split a folder with its images and one file. */
export const cocoNaming: FileNaming = {
  label: 'openCoco',
  wanted: 'annotations/instances_*.json',
  splitOf: (name) => /^instances_(.+)\.json$/.exec(name)?.[1],
  folders: ['annotations', ''],
  nameInSplit: '_annotations.coco.json',
};

/**
 * The annotation file to read.
 *
 * Throws   DatasetError when there is none, or several and no `split` that picks one
 */
export const findAnnotations = async (
  source: FileSource,
  options: CocoLayoutOptions,
  naming: FileNaming,
): Promise<Candidate> => {
  const { split, annotations } = options;
  if (annotations !== undefined) {
    const name = annotations.replace(/^.*\//, '');
    return { path: annotations, split: split ?? naming.splitOf(name) ?? name.replace(/\.json$/, '') };
  }
  const candidates = await listCandidates(source, naming);
  if (candidates.length === 0) throw noAnnotations(source, naming);
  if (split === undefined) {
    if (candidates.length === 1) return candidates[0]!;
    throw chooseSplit(source, candidates, 'the option split, since the folder holds several', naming);
  }
  // "train" also means train2017, as in the COCO archives.
  const found =
    candidates.find((c) => c.split === split) ??
    candidates.find((c) => c.split.startsWith(split) && /^\d+$/.test(c.split.slice(split.length)));
  if (found === undefined) throw chooseSplit(source, candidates, 'a split of the folder', naming, split);
  const others = candidates.filter(
    (c) => c.split === found.split && folderOf(c.path) === folderOf(found.path),
  );
  if (others.length > 1)
    throw chooseSplit(
      source,
      others,
      'the option annotations, since two files are of one split',
      naming,
      split,
    );
  return found;
};

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const listCandidates = async (source: FileSource, naming: FileNaming): Promise<Candidate[]> => {
  const { label, splitOf, folders, nameInSplit } = naming;
  const found: Candidate[] = [];
  const top = await source.list('');
  if (top === undefined)
    throw new DatasetError(
      `${label}(${source.name}): needs the option annotations, got a folder that cannot be listed. Name the annotation file.`,
      { file: source.name, field: 'annotations' },
    );
  for (const folder of folders)
    for (const name of (await source.list(folder)) ?? []) {
      const split = splitOf(name);
      if (split !== undefined) found.push({ path: folder === '' ? name : `${folder}/${name}`, split });
    }
  if (found.length > 0 || nameInSplit === undefined) return found;
  for (const folder of top)
    if (await isIn(source, folder, nameInSplit))
      found.push({ path: `${folder}/${nameInSplit}`, split: folder });
  if (top.includes(nameInSplit)) found.push({ path: nameInSplit, split: '' });
  return found;
};

const isIn = async (source: FileSource, folder: string, name: string): Promise<boolean> => {
  try {
    return (await source.list(folder))?.includes(name) ?? false;
  } catch {
    return false; // a link that leads elsewhere, and may have nothing to do with the dataset
  }
};

const noAnnotations = (source: FileSource, { label, wanted }: FileNaming): DatasetError =>
  new DatasetError(
    `${label}(${source.name}): needs ${wanted}, got a folder without one. Check the path, or name the file with the option annotations.`,
    { file: source.name, field: 'annotations' },
  );

const chooseSplit = (
  source: FileSource,
  candidates: readonly Candidate[],
  wanted: string,
  { label }: FileNaming,
  split?: string,
): DatasetError =>
  new DatasetError(
    `${label}(${source.name}): needs ${wanted}, got ${split === undefined ? 'no split' : `"${split}"`}. Choose one of: ${candidates.map((c) => `${c.split} (${c.path})`).join(', ')}.`,
    { file: source.name, field: 'split' },
  );
