// What every dataset has in common: the records of a table as a dataset, its iteration, and which objects count for training.
import { DatasetError } from './errors.ts';
import { countProblems } from './problems.ts';
import type { ImageTable } from './table.ts';
import { recordOfTable } from './table.ts';
import type {
  Annotation,
  Dataset,
  DatasetReport,
  ImageRecord,
  Pixels,
  Problem,
  ProblemCounts,
  Sample,
} from './types.ts';

/** The parts a dataset is made of. */
export interface DatasetParts
  extends Pick<Dataset, 'name' | 'format' | 'classes' | 'categoryIds'>,
    Partial<Pick<Dataset, 'locate'>> {
  /** The function that error messages name. */
  readonly label: string;
  readonly table: ImageTable;
  readonly problems: readonly Problem[];
  /** Exact counts, where `problems` may not list all. */
  readonly problemCounts?: ProblemCounts;
  /** What the pictures were limited to when the dataset was opened. */
  readonly maxPixels: number | undefined;
  /** The pixels of an image; the record says which. */
  readonly decode: (record: ImageRecord) => Promise<Pixels>;
}

/**
 * The dataset whose records are those of a table; records are made when asked for, so that only the table takes memory.
 */
export const datasetOf = (parts: DatasetParts): Dataset => {
  const {
    label,
    table,
    problems,
    problemCounts = countProblems(problems),
    maxPixels,
    decode,
    ...named
  } = parts;
  const record = (index: number): ImageRecord => {
    checkIndex(label, table.length, index);
    return recordOfTable(table, index);
  };
  const at = async (index: number): Promise<Sample> => {
    const found = record(index);
    return { ...found, pixels: await decode(found) };
  };
  return {
    ...named,
    ...(maxPixels === undefined ? {} : { maxPixels }),
    length: table.length,
    report: { ...countsOf(table), problems, problemCounts },
    record,
    at,
    [Symbol.asyncIterator]: () => iterateDataset(table.length, at),
  };
};

const countsOf = (table: ImageTable): Omit<DatasetReport, 'problems' | 'problemCounts'> => {
  let crowds = 0;
  for (const flags of table.flags) if (flags & 1) crowds += 1;
  let imagesWithoutObjects = 0;
  for (let i = 0; i < table.length; i++)
    if (table.firstObject[i] === table.firstObject[i + 1]) imagesWithoutObjects += 1;
  return { images: table.length, objects: table.objects, crowds, imagesWithoutObjects };
};

/**
 * The samples 0 .. length - 1, one after the other.
 */
export async function* iterateDataset(
  length: number,
  at: (index: number) => Promise<Sample>,
): AsyncGenerator<Sample, void, undefined> {
  for (let index = 0; index < length; index++) yield await at(index);
}

/**
 * Nothing, when a dataset has an image of that index.
 *
 * Throws   DatasetError when the index is out of range
 */
export const checkIndex = (label: string, length: number, index: number): void => {
  if (Number.isSafeInteger(index) && index >= 0 && index < length) return;
  throw new DatasetError(
    `at(${label}): needs an index from 0 to ${length - 1}, got ${index}. Stay below the length of the dataset.`,
    { field: 'index' },
  );
};

/**
 * True when the object is used as a target in training.
 *
 * Source   the COCO filter of the AutoAssign training recipe: no crowds, nothing ignored, area above 0, both sides at
 *          least 1 px; and nothing difficult, as VOC detectors are trained
 * Example  record.annotations.filter(isTrainable)
 */
export const isTrainable = ({ isCrowd, isIgnored, isDifficult, area, size }: Annotation): boolean =>
  !isCrowd && !isIgnored && !isDifficult && area > 0 && size[0] >= 1 && size[1] >= 1;
