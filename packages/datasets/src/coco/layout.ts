// Where a COCO folder keeps its annotation file and its images: the usual layouts, tried in a fixed order.
import { DatasetError, oneLine } from '../errors.ts';
import type { FileSource } from '../types.ts';

/** How to find the files of a COCO folder whose layout is not one of the usual ones. */
export interface CocoLayoutOptions {
  /** Which split to open, as in `instances_<split>.json`; needed when there are several. */
  readonly split?: string;
  /** Path of the annotation file in the folder. */
  readonly annotations?: string;
  /** Path of the image folder in the folder. */
  readonly images?: string;
}

/** An annotation file that was found, and the split it stands for. */
interface Candidate {
  readonly path: string;
  readonly split: string;
}

/**
 * The annotation file to read.
 *
 * Throws   DatasetError when there is none, or several and no `split` that picks one
 */
export const findAnnotations = async (source: FileSource, options: CocoLayoutOptions): Promise<Candidate> => {
  if (options.annotations !== undefined)
    return { path: options.annotations, split: options.split ?? splitOf(options.annotations) };
  const candidates = await listCandidates(source);
  const { split } = options;
  if (candidates.length === 0) throw noAnnotations(source);
  if (split === undefined) {
    if (candidates.length === 1) return candidates[0]!;
    throw chooseSplit(source, candidates, 'the option split, since the folder holds several', undefined);
  }
  // "train" also means train2017, as in the COCO archives.
  const found =
    candidates.find((c) => c.split === split) ??
    candidates.find((c) => c.split.startsWith(split) && /^\d+$/.test(c.split.slice(split.length)));
  if (found === undefined) throw chooseSplit(source, candidates, 'a split of the folder', split);
  return found;
};

const splitOf = (path: string): string =>
  path
    .replace(/^.*\//, '')
    .replace(/\.json$/, '')
    .replace(/^instances_/, '');

const listCandidates = async (source: FileSource): Promise<Candidate[]> => {
  const found: Candidate[] = [];
  const top = await source.list('');
  if (top === undefined)
    throw new DatasetError(
      `openCoco(${source.name}): needs the option annotations, got a folder that cannot be listed. Name the annotation file.`,
      { file: source.name, field: 'annotations' },
    );
  for (const folder of ['annotations', ''])
    for (const name of (await source.list(folder)) ?? [])
      if (/^instances_.+\.json$/.test(name))
        found.push({ path: folder === '' ? name : `${folder}/${name}`, split: splitOf(name) });
  if (found.length > 0) return found;
  // The other common export: every split a folder with its images and one `_annotations.coco.json`.
  const exported = '_annotations.coco.json';
  for (const folder of top)
    if ((await source.list(folder))?.includes(exported))
      found.push({ path: `${folder}/${exported}`, split: folder });
  if (top.includes(exported)) found.push({ path: exported, split: '' });
  return found;
};

const noAnnotations = (source: FileSource): DatasetError =>
  new DatasetError(
    `openCoco(${source.name}): needs annotations/instances_*.json, got a folder without one. Check the path, or name the file with the option annotations.`,
    { file: source.name, field: 'annotations' },
  );

const chooseSplit = (
  source: FileSource,
  candidates: readonly Candidate[],
  wanted: string,
  split: string | undefined,
): DatasetError =>
  new DatasetError(
    `openCoco(${source.name}): needs ${wanted}, got ${split === undefined ? 'no split' : `"${split}"`}. Choose one of: ${candidates.map((c) => `${c.split} (${c.path})`).join(', ')}.`,
    { file: source.name, field: 'split' },
  );

/**
 * The folder the images are in ('' for the folder itself), found by looking for the given image files.
 *
 * Throws   DatasetError when none of the usual folders holds any of them
 */
export const findImageFolder = async (
  source: FileSource,
  annotations: Candidate,
  files: readonly string[],
  options: CocoLayoutOptions,
): Promise<string> => {
  if (options.images !== undefined) return options.images.replace(/\/+$/, '');
  const { path, split } = annotations;
  const beside = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
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
  const folders = [...new Set(usual)];
  const canList = (await source.list('')) !== undefined;
  for (const folder of folders) {
    for (const file of files.slice(0, 10)) {
      const isThere = canList ? await isListed(source, folder, file) : await isReadable(source, folder, file);
      if (isThere) return folder;
    }
  }
  throw new DatasetError(
    `openCoco(${source.name}): needs the image ${files[0]} of ${path}, got none in ${folders.map((f) => `${f}/`).join(', ')}. Name the image folder with the option images.`,
    { file: files[0] ?? path, field: 'images' },
  );
};

const isListed = async (source: FileSource, folder: string, file: string): Promise<boolean> => {
  const [directory, name] = splitPath(inFolder(folder, file));
  return (await source.list(directory))?.includes(name) ?? false;
};

const isReadable = async (source: FileSource, folder: string, file: string): Promise<boolean> => {
  try {
    await source.read(inFolder(folder, file));
    return true;
  } catch {
    return false;
  }
};

const splitPath = (path: string): [directory: string, name: string] => {
  const slash = path.lastIndexOf('/');
  return [slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1)];
};

/** The path of a file in a folder of the source; file names written on Windows may have backslashes. */
export const inFolder = (folder: string, file: string): string => {
  const path = file.replaceAll('\\', '/');
  return folder === '' ? path : `${folder}/${path}`;
};

/**
 * Refuses to open a dataset with images missing, so that training does not find out hours later.
 *
 * Throws   DatasetError naming the first missing image and how many there are
 */
export const refuseMissingImages = async (
  source: FileSource,
  folder: string,
  files: readonly string[],
): Promise<void> => {
  const listings = new Map<string, ReadonlySet<string> | undefined>();
  const missing: string[] = [];
  for (const file of files) {
    const [directory, name] = splitPath(inFolder(folder, file));
    if (!listings.has(directory)) {
      const names = await source.list(directory);
      listings.set(directory, names && new Set(names));
    }
    if (listings.get(directory)?.has(name) === false) missing.push(inFolder(folder, file));
  }
  if (missing.length === 0) return;
  throw new DatasetError(
    `openCoco(${source.name}): needs every image of the annotation file, got ${missing.length} of ${files.length} missing, first ${missing[0]}. Add the files, or remove their entries.`,
    { file: missing[0] ?? folder, field: 'file_name' },
  );
};

/**
 * The bytes of a file.
 *
 * Throws   DatasetError naming the file when it cannot be read
 */
export const readFrom = async (source: FileSource, path: string): Promise<Uint8Array> => {
  try {
    return await source.read(path);
  } catch (cause) {
    const file = `${source.name}/${path}`;
    throw new DatasetError(
      `openCoco(${file}): needs a readable file, got "${oneLine(cause)}". Check the path and its permissions.`,
      { file, cause },
    );
  }
};
