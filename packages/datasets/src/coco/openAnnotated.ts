// Opens an annotation file with its pictures as a dataset: what COCO and Objects365 have in common.
import { platform } from '#platform';
import { datasetOf } from '../dataset.ts';
import { readPicture } from '../picture.ts';
import { problemList } from '../problems.ts';
import { fileOfTable } from '../table.ts';
import type { Dataset, FileSource, OpenOptions } from '../types.ts';
import { type Candidate, type CocoLayoutOptions, type FileNaming, findAnnotations } from './layout.ts';
import { findPictures, type PicturePlace, withoutMissing } from './pictures.ts';
import { type AnnotationFormat, readAnnotationFile } from './read.ts';

/** Everything in which formats differ. */
export interface AnnotatedFormat extends AnnotationFormat {
  readonly naming: FileNaming;
  /** Where pictures may be, in the order in which places are tried. */
  readonly places: (annotations: Candidate, images: string | undefined) => readonly PicturePlace[];
}

/** The options of formats with one annotation file per split. */
export type AnnotatedOptions = CocoLayoutOptions & OpenOptions;

/**
 * The images and annotations of a folder, or of one annotation file given by its path.
 *
 * Throws   DatasetError, naming file and place, when nothing can be read, and under 'strict' for the first problem
 */
export const openAnnotated = async (
  location: string | FileSource,
  options: AnnotatedOptions,
  format: AnnotatedFormat,
): Promise<Dataset> => {
  const { source, layout } = locate(location, options);
  const annotations = await findAnnotations(source, layout, format.naming);
  const { label } = format;
  const content = await readAnnotationFile(source, annotations.path, format, options);
  const problems = problemList(options.onProblem ?? 'skip', content);
  const search = { source, label, annotations: `${source.name}/${annotations.path}`, table: content.table };
  const pathOf = await findPictures({ ...search, places: format.places(annotations, layout.images) });
  const table = await withoutMissing(search, pathOf, problems);
  const { classes, categoryIds } = content;
  const toPath = source.locate?.bind(source);
  return datasetOf({
    label,
    name: annotations.split === '' ? source.name : `${source.name} (${annotations.split})`,
    format: format.format,
    classes,
    categoryIds,
    table,
    problems: problems.found,
    problemCounts: problems.counts,
    maxPixels: options.maxPixels,
    decode: (record) => readPicture(label, source, pathOf(record.file), record, options),
    ...(toPath && { locate: (index: number) => toPath(pathOf(fileOfTable(table, index))) }),
  });
};

const locate = (
  location: string | FileSource,
  options: AnnotatedOptions,
): { source: FileSource; layout: CocoLayoutOptions } => {
  if (typeof location !== 'string') return { source: location, layout: options };
  const open = (folder: string): FileSource => platform.openFolder(folder, options);
  if (!location.endsWith('.json')) return { source: open(location), layout: options };
  const parent = platform.splitLocation(location);
  const grandparent = platform.splitLocation(parent.folder);
  // In annotations/x.json the images are beside the folder, not in it.
  if (grandparent.file !== 'annotations')
    return { source: open(parent.folder), layout: { ...options, annotations: parent.file } };
  const annotations = `annotations/${parent.file}`;
  return { source: open(grandparent.folder), layout: { ...options, annotations } };
};
