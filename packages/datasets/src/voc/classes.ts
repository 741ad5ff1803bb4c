// The classes of a PASCAL VOC dataset and the order of their labels.
import { DatasetError } from '../errors.ts';
import { errorOf, isFault } from '../fault.ts';
import { readFrom } from '../files.ts';
import { decodeText } from '../textFile.ts';
import type { FileSource } from '../types.ts';
import { vocClasses } from './classNames.ts';
import type { VocFolder } from './layout.ts';

/**
 * The classes of files that hold these names: the 20 of PASCAL VOC when all names are among them, else the names, sorted.
 *
 * Example  classesFrom(new Set(['RBC', 'WBC', 'Platelets'])) // ['Platelets', 'RBC', 'WBC']
 */
export const classesFrom = (names: ReadonlySet<string>): readonly string[] =>
  [...names].every((name) => vocClasses.includes(name))
    ? vocClasses
    : [...names].sort((a, b) => (a < b ? -1 : 1));

/**
 * The classes that were decided on: those of the option, of `classes.txt`, or the 20 of PASCAL VOC where every folder has lists
 * for them; undefined when the names in the annotations decide.
 *
 * Throws   DatasetError when two have the same name, or there are none
 * Example  await decidedClasses(source, options.classes, choice.known)
 */
export const decidedClasses = async (
  source: FileSource,
  option: readonly string[] | undefined,
  folders: readonly VocFolder[],
): Promise<readonly string[] | undefined> => {
  if (option !== undefined) return checked(option, source.name, 'the option classes');
  if (!(await source.list(''))?.includes(classesFile))
    return folders.length > 0 && folders.every(({ listsClasses }) => listsClasses) ? vocClasses : undefined;
  const text = decodeText(await readFrom(source, classesFile, 'openVoc'));
  const file = `${source.name}/${classesFile}`;
  if (isFault(text)) throw errorOf('openVoc', file, text);
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return checked(names, file, classesFile);
};

/** Beside Annotations, one name a line in the order of the labels: what other formats know and VOC files cannot say. */
const classesFile = 'classes.txt';

const checked = (classes: readonly string[], file: string, where: string): readonly string[] => {
  const repeated = classes.find((name, i) => classes.indexOf(name) !== i);
  if (classes.length > 0 && repeated === undefined) return classes;
  throw new DatasetError(
    `openVoc(${file}): needs different class names in ${where}, got ${repeated === undefined ? 'none' : `${JSON.stringify(repeated)} twice`}. Name every class once.`,
    { file, field: 'classes' },
  );
};
