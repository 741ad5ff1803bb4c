// A COCO annotation file as records: every field checked, boxes that mean nothing dropped and listed.
import { DatasetError, oneLine } from '../errors.ts';
import { type ProblemList, problemList } from '../problems.ts';
import { type ImageEntry, type ImageTable, type ObjectEntry, objectFlags, tableBuilder } from '../table.ts';
import type { OnProblem, Problem, ProblemKind } from '../types.ts';
import { arrayField, booleanField, entryAt, type Fields, integerField, textField } from './fields.ts';

/** What one annotation file holds. */
export interface CocoContent {
  readonly classes: readonly string[];
  readonly categoryIds: readonly number[];
  /** Images in the order of the file. */
  readonly table: ImageTable;
  readonly problems: readonly Problem[];
}

/**
 * The content of a COCO annotation file.
 *
 * Units    boxes become corners in pixels; labels count categories by ascending id
 * Throws   DatasetError, with file and field, for malformed JSON, missing fields, duplicate ids, categories of one name,
 *          unknown images or categories, file names that leave the folder, and files without images or categories
 * Example  parseCoco(bytes, 'annotations/instances_val.json').records.length
 */
export const parseCoco = (bytes: Uint8Array, file: string, onProblem: OnProblem): CocoContent => {
  const root = entryAt(parseJson(bytes, file), { file, field: '(top level)' });
  const { classes, categoryIds } = readCategories(root);
  const images = readImages(root);
  const problems = problemList(onProblem);
  const builder = tableBuilder();
  const indexById = new Map(images.map((image) => [image.id, builder.addImage(image)]));
  readAnnotations(root, { images, indexById, categoryIds, problems }, builder.addObject);
  return { classes, categoryIds, table: builder.build(), problems: problems.found };
};

const parseJson = (bytes: Uint8Array, file: string): unknown => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return withoutNaN(text) ?? JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(
      `openCoco(${file}): needs a JSON file, got "${oneLine(cause)}". Repair or export the file again.`,
      { file, cause },
    );
  }
};

/** Some writers spell numbers NaN or Infinity, which JSON does not have: read as null, they end in the report. */
const withoutNaN = (text: string): unknown => {
  if (!/\b(NaN|Infinity)\b/.test(text)) return undefined;
  const tokens = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  return JSON.parse(text.replace(tokens, (token) => (token.startsWith('"') ? token : 'null')));
};

const readCategories = (root: Fields): { classes: string[]; categoryIds: number[] } => {
  const categories = arrayField(root, 'categories').map((entry) => ({
    id: integerField(entry, 'id'),
    name: textField(entry, 'name'),
    entry,
  }));
  if (categories.length === 0) throw isEmpty(root, 'categories');
  refuseDuplicates(categories);
  refuseSameNames(categories);
  categories.sort((a, b) => a.id - b.id);
  return { classes: categories.map((c) => c.name), categoryIds: categories.map((c) => c.id) };
};

/** Classes are told apart by their names wherever people meet them. */
const refuseSameNames = (categories: readonly { readonly name: string; readonly entry: Fields }[]): void => {
  const seen = new Map<string, string>();
  for (const { name, entry } of categories) {
    const { file, field } = entry.place;
    const first = seen.get(name);
    if (first !== undefined)
      throw new DatasetError(
        `openCoco(${file}): needs unique category names, got ${JSON.stringify(name)} in both ${first} and ${field}. Rename one, or merge the two.`,
        { file, field: `${field}.name` },
      );
    seen.set(name, field);
  }
};

const readImages = (root: Fields): ImageEntry[] => {
  const images = arrayField(root, 'images').map((entry) => ({
    id: integerField(entry, 'id'),
    file: safePath(entry),
    width: integerField(entry, 'width', 1),
    height: integerField(entry, 'height', 1),
    entry,
  }));
  if (images.length === 0) throw isEmpty(root, 'images');
  refuseDuplicates(images);
  return images.map(({ id, file, width, height }) => ({ id, file, width, height }));
};

const isEmpty = (root: Fields, field: string): DatasetError =>
  new DatasetError(
    `openCoco(${root.place.file}): needs at least one entry in ${field}, got none. Choose a file that is not empty.`,
    { file: root.place.file, field },
  );

const refuseDuplicates = (items: readonly { readonly id: number; readonly entry: Fields }[]): void => {
  const seen = new Map<number, string>();
  for (const { id, entry } of items) {
    const { file, field } = entry.place;
    const first = seen.get(id);
    if (first !== undefined)
      throw new DatasetError(
        `openCoco(${file}): needs unique ids, got ${id} in both ${first} and ${field}. Give each entry its own id.`,
        { file, field: `${field}.id` },
      );
    seen.set(id, field);
  }
};

/** The file name of an image entry, refused when it could lead out of the image folder. */
const safePath = (entry: Fields): string => {
  const name = textField(entry, 'file_name');
  const isAbsolute = /^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(name);
  const leaves = name.split(/[/\\]/).includes('..');
  if (!isAbsolute && !leaves && !name.includes('\0')) return name;
  const { file, field } = entry.place;
  throw new DatasetError(
    `openCoco(${file}): needs file names inside the image folder, got ${JSON.stringify(name)} in ${field}.file_name. Use paths relative to the image folder, without "..".`,
    { file, field: `${field}.file_name` },
  );
};

/** What annotations refer to, and where problems go. */
interface Surroundings {
  readonly images: readonly ImageEntry[];
  readonly indexById: ReadonlyMap<number, number>;
  readonly categoryIds: readonly number[];
  readonly problems: ProblemList;
}

const readAnnotations = (
  root: Fields,
  { images, indexById, categoryIds, problems }: Surroundings,
  add: (image: number, entry: ObjectEntry) => void,
): void => {
  const labelByCategory = new Map(categoryIds.map((id, label) => [id, label]));
  const entries = arrayField(root, 'annotations');
  refuseDuplicates(entries.map((entry) => ({ id: integerField(entry, 'id'), entry })));
  for (const entry of entries) {
    const index = known(entry, 'image_id', indexById);
    const object = readObject(entry, known(entry, 'category_id', labelByCategory));
    const kind = problemOf(object, images[index]!);
    if (kind === undefined) add(index, object);
    else problems.add(boxProblem(entry, kind, object, images[index]!));
  }
};

const boxProblem = (entry: Fields, kind: ProblemKind, object: ObjectEntry, image: ImageEntry): Problem => {
  const { file, field } = entry.place;
  const { x, y, width, height } = object;
  return {
    kind,
    file,
    place: `${field}.bbox`,
    image: image.file,
    annotationId: object.id,
    message: `openCoco(${file}): needs ${field}.bbox to be a box inside ${image.file}, got a ${kind}: [${[x, y, width, height].join(', ')}]. Correct or remove the annotation.`,
  };
};

const known = <Value>(entry: Fields, name: string, values: ReadonlyMap<number, Value>): Value => {
  const id = integerField(entry, name);
  const value = values.get(id);
  if (value !== undefined) return value;
  const { file, field } = entry.place;
  const list = name === 'image_id' ? 'images' : 'categories';
  throw new DatasetError(
    `openCoco(${file}): needs ${field}.${name} to be an id listed in ${list}, got ${id}. Add the entry to ${list}, or remove the annotation.`,
    { file, field: `${field}.${name}` },
  );
};

const readObject = (entry: Fields, label: number): ObjectEntry => {
  const [x, y, width, height] = boxNumbers(entry);
  const { area } = entry.value;
  const flags =
    (booleanField(entry, 'iscrowd') ? objectFlags.crowd : 0) +
    (booleanField(entry, 'ignore') ? objectFlags.ignored : 0);
  return {
    id: integerField(entry, 'id'),
    x,
    y,
    width,
    height,
    label,
    area: typeof area === 'number' && Number.isFinite(area) ? area : width * height,
    flags,
  };
};

/** The four numbers of `bbox`; null and "NaN", how NaN arrives, become NaN and is dropped later. */
const boxNumbers = (entry: Fields): [number, number, number, number] => {
  const { file, field } = entry.place;
  const { bbox: box } = entry.value;
  const isNumberOrGap = (value: unknown): boolean =>
    value === null || typeof value === 'number' || value === 'NaN';
  if (!Array.isArray(box) || box.length !== 4 || !box.every(isNumberOrGap))
    throw new DatasetError(
      `openCoco(${file}): needs ${field}.bbox as four numbers [x, y, width, height], got ${shortJson(box)}. Correct the annotation.`,
      { file, field: `${field}.bbox` },
    );
  const numberAt = (i: number): number => (typeof box[i] === 'number' ? box[i] : Number.NaN);
  return [numberAt(0), numberAt(1), numberAt(2), numberAt(3)];
};

const shortJson = (value: unknown): string =>
  value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);

const problemOf = ({ x, y, width, height }: ObjectEntry, image: ImageEntry): ProblemKind | undefined => {
  if (![x, y, width, height].every(Number.isFinite)) return 'box not finite';
  if (width < 0 || height < 0) return 'box of negative size';
  if (width === 0 || height === 0) return 'box of zero size';
  const overlaps = x < image.width && y < image.height && x + width > 0 && y + height > 0;
  return overlaps ? undefined : 'box outside the picture';
};
