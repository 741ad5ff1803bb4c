// Which annotations of a PASCAL VOC folder to read: those a list in ImageSets/Main names, or all there are.
import { errorOf, type Fault, isFault, problemOf, quoted } from '../fault.ts';
import { readFrom } from '../files.ts';
import { joinPath, staysInside } from '../paths.ts';
import { decodeText } from '../textFile.ts';
import type { FileSource, Problem } from '../types.ts';
import type { VocChoice, VocFolder } from './layout.ts';

/** One picture to read: the name that its annotation has in a folder. */
export interface VocEntry {
  readonly folder: VocFolder;
  /** Path in Annotations, without `.xml`. */
  readonly name: string;
}

/**
 * The pictures of a split in the order of its lists, year by year, and what is wrong with the lists.
 *
 * Throws   DatasetError naming a list that cannot be read
 * Example  await readLists(source, choice)
 */
export const readLists = async (
  source: FileSource,
  { folders, split }: VocChoice,
): Promise<{ readonly entries: readonly VocEntry[]; readonly problems: readonly Problem[] }> => {
  const entries: VocEntry[] = [];
  const problems: Problem[] = [];
  for (const folder of folders) {
    if (split === undefined) {
      for (const name of await listAnnotations(source, folder)) entries.push({ folder, name });
      continue;
    }
    const path = joinPath(folder.path, `ImageSets/Main/${split}.txt`);
    const file = `${source.name}/${path}`;
    const text = decodeText(await readFrom(source, path, 'openVoc'));
    if (isFault(text)) throw errorOf('openVoc', file, text);
    const there = new Set(await listAnnotations(source, folder));
    for (const found of namesIn(text, there))
      if (isFault(found)) problems.push(problemOf('openVoc', file, found));
      else entries.push({ folder, name: found });
  }
  return { entries, problems };
};

/**
 * The names of all annotations of a folder, those of folders inside as `a/b`; none when it cannot be listed.
 *
 * Example  await listAnnotations(source, folder) // ['000001', '000002']
 */
export const listAnnotations = async (
  source: FileSource,
  { path }: Pick<VocFolder, 'path'>,
  inside = '',
): Promise<string[]> => {
  const found: string[] = [];
  const names = (await source.list(joinPath(joinPath(path, 'Annotations'), inside).replace(/\/$/, ''))) ?? [];
  for (const name of names)
    if (name.endsWith('.xml')) found.push(joinPath(inside, name.slice(0, -4)));
    else if (!name.includes('.') && inside.split('/').length < deepest)
      found.push(...(await listAnnotations(source, { path }, joinPath(inside, name))));
  return found;
};

/** Folders inside folders end here, should a link lead back to one further out. */
const deepest = 8;

/** The names in a list, one a line, and what is wrong with it; a flag of a class may follow a name. */
const namesIn = (text: string, there: ReadonlySet<string>): (string | Fault)[] => {
  const found: (string | Fault)[] = [];
  const lineOfName = new Map<string, number>();
  for (const [index, line] of text.split('\n').entries()) {
    const place = `line ${index + 1}`;
    const whole = line.trim();
    if (whole === '') continue;
    const name = there.has(whole) ? whole : whole.replace(/\s+[+-]?[01]$/, '');
    const first = lineOfName.get(name);
    if (!staysInside(name))
      found.push({
        kind: 'unsafe path',
        place,
        sentence: `needs a name inside Annotations, got ${quoted(name)}. Use names without "..".`,
      });
    else if (first !== undefined)
      found.push({
        kind: 'duplicate id',
        place,
        sentence: `needs every name once, got ${quoted(name)} also in line ${first}. Remove one of the lines.`,
      });
    else {
      lineOfName.set(name, index + 1);
      found.push(name);
    }
  }
  return found;
};
