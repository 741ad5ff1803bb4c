// Reads an annotation file from its source.
import { readPieces } from '../files.ts';
import { problemList } from '../problems.ts';
import type { FileSource, OpenOptions } from '../types.ts';
import { type CocoContent, contentReader } from './content.ts';

/** A kind of annotation file. */
export interface AnnotationFormat {
  /** The function that error messages name. */
  readonly label: 'openCoco' | 'openObjects365';
  readonly format: 'coco' | 'objects365';
  /** Fields of objects that are kept as attributes. */
  readonly extras: readonly string[];
}

/**
 * The content of an annotation file.
 *
 * Throws   DatasetError naming file and place for what cannot be read, is malformed or, under 'strict', wrong anywhere
 */
export const readAnnotationFile = async (
  source: FileSource,
  path: string,
  { label, extras }: AnnotationFormat,
  options: OpenOptions,
): Promise<CocoContent> => {
  const problems = problemList(options.onProblem ?? 'skip');
  const reader = contentReader({ label, file: `${source.name}/${path}`, problems }, extras);
  await readPieces(source, path, { ...options, label }, reader.push);
  return reader.finish();
};
