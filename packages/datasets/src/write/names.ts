// Which name every picture gets when a dataset is written: its own, unless two different pictures would share one.
import { DatasetError } from '../errors.ts';
import type { Annotation, Dataset, ImageRecord } from '../types.ts';

/** Datasets to write as the splits of one folder, by the names of the splits. */
export type Splits = Readonly<Record<string, Dataset>>;

/** A picture of a split and its path among the pictures of the folder that is written. */
export interface NamedPicture {
  readonly split: string;
  readonly index: number;
  readonly name: string;
  /** Whether it is the first of its name; later ones are the same picture in another split. */
  readonly isFirst: boolean;
}

/**
 * The pictures of all splits with their names, split by split in order.
 *
 * A picture that two splits share keeps one name. Where different pictures have one name, or one picture has different
 * objects in two splits, those of the later split get `<split>/` before it.
 *
 * Throws   DatasetError when splits have different classes, no usable name, or pictures no usable or the same name
 */
export const namePictures = (label: string, splits: Splits): readonly NamedPicture[] => {
  checkSplits(label, splits);
  const taken = new Map<string, { readonly split: string; readonly index: number }>();
  return Object.entries(splits).flatMap(([split, dataset]) => {
    const own = new Set<string>();
    return Array.from({ length: dataset.length }, (_, index): NamedPicture => {
      const file = plainPath(label, dataset.record(index).file);
      const other = taken.get(file);
      const isShared =
        other !== undefined && isSamePicture(dataset, index, splits[other.split]!, other.index);
      const name = other === undefined || isShared ? file : `${split}/${file}`;
      const isFirst = !taken.has(name);
      if (own.has(name) || (!isFirst && !isShared)) throw sameName(label, dataset.name, file);
      own.add(name);
      if (isFirst) taken.set(name, { split, index });
      return { split, index, name, isFirst };
    });
  });
};

const checkSplits = (label: string, splits: Splits): void => {
  const [first, ...others] = Object.entries(splits);
  if (first === undefined)
    throw new DatasetError(`${label}(splits): needs at least one dataset, got none. Pass one.`, {
      field: 'splits',
    });
  for (const name of Object.keys(splits))
    if (!/^[^/\\\0\s][^/\\\0\n\r]*$/.test(name) || /^\.+$/.test(name))
      throw new DatasetError(
        `${label}(splits): needs split names that are file names, got ${JSON.stringify(name)}. Rename the split.`,
        { field: 'splits' },
      );
  for (const [name, dataset] of others)
    if (classNames(dataset) !== classNames(first[1]))
      throw new DatasetError(
        `${label}(splits): needs the same classes in every split, got (${first[1].classes.join(', ')}) in ${first[0]} and (${dataset.classes.join(', ')}) in ${name}. Write one split at a time.`,
        { field: 'splits' },
      );
};

const classNames = ({ classes, categoryIds }: Dataset): string => JSON.stringify([classes, categoryIds]);

/** The path with forward slashes and nothing that leads elsewhere. */
const plainPath = (label: string, file: string): string => {
  const parts = file
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (parts.length > 0 && !parts.includes('..') && !/[\0\n\r]/.test(file)) return parts.join('/');
  throw new DatasetError(
    `${label}(${JSON.stringify(file)}): needs picture names inside the folder, got a name that is not. Rename the picture.`,
    { file },
  );
};

const sameName = (label: string, name: string, file: string): DatasetError =>
  new DatasetError(
    `${label}(${name}): needs pictures of different names, got ${file} twice. Remove one of the entries.`,
    { file },
  );

const isSamePicture = (a: Dataset, i: number, b: Dataset, j: number): boolean => {
  if (a.locate !== undefined && b.locate !== undefined && a.locate(i) !== b.locate(j)) return false;
  return contentOf(a.record(i)) === contentOf(b.record(j));
};

/** Everything of a record but its ids, which may differ from split to split. */
const contentOf = ({ width, height, annotations }: ImageRecord): string =>
  JSON.stringify([width, height, annotations.map(({ id: _, ...rest }: Annotation) => rest)]);
