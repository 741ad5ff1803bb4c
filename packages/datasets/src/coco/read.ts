// Reads an annotation file from its source, or what was read of it before and kept beside it.
import { type CacheKey, decodeCache, encodeCache } from '../cache/format.ts';
import { readPieces, stateOf } from '../files.ts';
import { problemList } from '../problems.ts';
import type { FileSource, FileState, OpenOptions } from '../types.ts';
import { type CocoContent, contentReader } from './content.ts';

/** A kind of annotation file. */
export interface AnnotationFormat {
  /** The function that error messages name. */
  readonly label: 'openCoco' | 'openObjects365';
  readonly format: 'coco' | 'objects365';
  /** Fields of objects that are kept as attributes. */
  readonly extras: readonly string[];
}

/** Smaller files are read faster than a cache is worth the space. */
const cachedFrom = 1 << 23;

/** More than some platforms read in one piece. */
const largestCache = 2 ** 31 - 1;

/**
 * The content of an annotation file; what is kept beside a large one is used when it was made from the file as it is now.
 *
 * Throws   DatasetError naming file and place for what cannot be read, is malformed or, under 'strict', wrong anywhere
 */
export const readAnnotationFile = async (
  source: FileSource,
  path: string,
  format: AnnotationFormat,
  options: OpenOptions,
): Promise<CocoContent> => {
  const isCached = options.cache !== false && source.write !== undefined;
  const state = isCached ? await stateOf(source, path) : undefined;
  if (state === undefined || state.size < cachedFrom) return readFile(source, path, format, options);
  const key = { state, reader: format.label };
  const kept = await readCache(source, path, key);
  options.signal?.throwIfAborted();
  if (kept !== undefined) {
    options.onProgress?.({ done: state.size, total: state.size, unit: 'bytes' });
    return kept;
  }
  const content = await readFile(source, path, format, options);
  if (isSame(await stateOf(source, path), state)) await writeCache(source, path, key, content);
  return content;
};

const readFile = async (
  source: FileSource,
  path: string,
  { label, extras }: AnnotationFormat,
  options: OpenOptions,
): Promise<CocoContent> => {
  const problems = problemList(options.onProblem ?? 'skip');
  const reader = contentReader({ label, file: nameOf(source, path), problems }, extras);
  await readPieces(source, path, { ...options, label }, reader.push);
  return reader.finish();
};

const isSame = (now: FileState | undefined, before: FileState): boolean =>
  now?.size === before.size && now.modified === before.modified;

const nameOf = (source: FileSource, path: string): string => `${source.name}/${path}`;

const cachePath = (path: string): string => `${path}.autoassign`;

/** What a cache holds besides the table: problems name the file by the path it was opened with. */
interface Facts extends Omit<CocoContent, 'table'> {
  readonly file: string;
}

const readCache = async (
  source: FileSource,
  path: string,
  key: CacheKey,
): Promise<CocoContent | undefined> => {
  try {
    const content = decodeCache<Facts>(await source.read(cachePath(path)), key);
    if (content === undefined) return undefined;
    const { file: before, problems, ...facts } = content.facts;
    const file = nameOf(source, path);
    const renamed = problems.map((problem) => ({
      ...problem,
      file,
      message: problem.message.replace(`(${before})`, () => `(${file})`),
    }));
    return { ...facts, table: content.table, problems: before === file ? problems : renamed };
  } catch {
    return undefined; // there is none, and the file itself is still to be read
  }
};

/** Keeps the content beside the file. That it cannot be kept, on a disk that is full or write-protected, costs time and nothing else. */
const writeCache = async (
  source: FileSource,
  path: string,
  key: CacheKey,
  content: CocoContent,
): Promise<void> => {
  const { table, ...facts } = content;
  const named = { ...facts, file: nameOf(source, path) };
  const parts = encodeCache<Facts>({ table, facts: named }, key);
  if (parts.reduce((sum, { length }) => sum + length, 0) > largestCache) return;
  await source.write?.(cachePath(path), parts).catch(() => undefined);
};
