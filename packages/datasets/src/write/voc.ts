// Datasets in the layout of PASCAL VOC: an XML file per picture, a list per split, and the names of the classes.
import type { Dataset, FolderWriter } from '../types.ts';
import { type NamedPicture, namePictures, type Splits } from './names.ts';
import { placesOf, type WriteOptions, type WrittenDataset, writeWhole } from './options.ts';
import { checkXmlText, vocXml } from './vocXml.ts';

/** Files that are written at the same time. */
const filesInFlight = 16;

/**
 * What was written: `Annotations/<id>.xml` for every picture, `ImageSets/Main/<split>.txt` for every split, and `classes.txt`
 * with the names of the classes in the order of their labels. Pictures belong into `JPEGImages/`.
 *
 * Fields beyond VOC's own, where they say something: `iscrowd`, `ignore`, `area`, `attributes`, and `box` with x, y, width and
 * height where the four corners alone would round them.
 *
 * Units    corners count pixels from 1 and include the last one: xmin = x1 + 1, xmax = x2; fractions in full precision
 * Throws   DatasetError when the folder is not empty or cannot be written, splits have different classes, pictures one name,
 *          or XML cannot hold a name
 * Example  await writeVoc('cells-voc', { train: dataset })
 */
export const writeVoc = (
  folder: string | FolderWriter,
  splits: Splits,
  options: WriteOptions = {},
): Promise<WrittenDataset> =>
  writeWhole('writeVoc', folder, options.signal, async (writer) => {
    const named = namePictures('writeVoc', splits);
    const ids = identifiers(named);
    const classes = Object.values(splits)[0]!.classes;
    for (const name of classes) checkXmlText(name, `the class ${JSON.stringify(name)}`);
    const lines = (texts: readonly string[]): Uint8Array =>
      new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
    await writer.write('classes.txt', lines(classes));
    for (const split of Object.keys(splits)) {
      const own = named.filter((picture) => picture.split === split);
      await writer.write(`ImageSets/Main/${split}.txt`, lines(own.map(({ name }) => ids.get(name)!)));
    }
    const objects = await writeFiles(writer, splits, { named, ids }, options);
    return { images: named.length, objects, pictures: placesOf(named, 'JPEGImages') };
  });

/**
 * The identifier of every picture: its name without extension, without white space, which ends names in lists, and without
 * dots in folders; with a number where that is taken by, or would be looked up as, another picture.
 */
const identifiers = (named: readonly NamedPicture[]): ReadonlyMap<string, string> => {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const stems = new Set(named.map(({ name }) => stemOf(name)));
  for (const { name } of named) {
    if (ids.has(name)) continue;
    const stem = stemOf(name);
    const wanted = stem.replace(/\s/g, '_').replace(/\.(?=.*\/)/g, '_');
    const isFree = (id: string): boolean => !taken.has(id) && (id === stem || !stems.has(id));
    let id = wanted;
    for (let number = 2; !isFree(id); number++) id = `${wanted}-${number}`;
    taken.add(id);
    ids.set(name, id);
  }
  return ids;
};

const stemOf = (name: string): string => name.replace(/(?<=[^/])\.[^./]*$/, '');

/** Writes the XML files, some at a time, and counts the objects of all splits. */
const writeFiles = async (
  writer: FolderWriter,
  splits: Splits,
  { named, ids }: { readonly named: readonly NamedPicture[]; readonly ids: ReadonlyMap<string, string> },
  { onProgress, signal }: WriteOptions,
): Promise<number> => {
  const inFlight = new Set<Promise<void>>();
  let [done, objects] = [0, 0];
  const write = async (dataset: Dataset, { index, name, isFirst }: NamedPicture): Promise<void> => {
    const record = dataset.record(index);
    objects += record.annotations.length;
    const xml = (): string => vocXml(record, name, dataset.classes);
    if (isFirst) await writer.write(`Annotations/${ids.get(name)}.xml`, new TextEncoder().encode(xml()));
    done += 1;
    onProgress?.(done, named.length);
  };
  try {
    for (const picture of named) {
      signal?.throwIfAborted();
      const task = write(splits[picture.split]!, picture);
      inFlight.add(task);
      task.then(() => inFlight.delete(task)).catch(() => undefined);
      if (inFlight.size >= filesInFlight) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
    signal?.throwIfAborted();
  } finally {
    // Nothing may still be writing when the folder is removed.
    await Promise.allSettled(inFlight);
  }
  return objects;
};
