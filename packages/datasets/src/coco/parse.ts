// A COCO annotation file as records: every field checked, boxes that mean nothing dropped and listed.
import { DatasetError, oneLine } from '../errors.ts';
import type { Annotation, DatasetReport, DroppedBox, DropReason, ImageRecord } from '../types.ts';
import { arrayField, booleanField, entryAt, type Fields, integerField, textField } from './fields.ts';

/** What one annotation file holds. */
export interface CocoContent {
  readonly classes: readonly string[];
  readonly categoryIds: readonly number[];
  /** Images in the order of the file. */
  readonly records: readonly ImageRecord[];
  readonly report: DatasetReport;
}

/**
 * The content of a COCO annotation file.
 *
 * Units    boxes become corners in pixels; labels count categories by ascending id
 * Throws   DatasetError, with file and field, for malformed JSON, missing fields, duplicate ids, categories of one name,
 *          unknown images or categories, file names that leave the folder, and files without images or categories
 * Example  parseCoco(bytes, 'annotations/instances_val.json').records.length
 */
export const parseCoco = (bytes: Uint8Array, file: string): CocoContent => {
  const root = entryAt(parseJson(bytes, file), { file, field: '(top level)' });
  const { classes, categoryIds } = readCategories(root);
  const images = readImages(root);
  const dropped: DroppedBox[] = [];
  const byImage = readAnnotations(root, images, categoryIds, dropped);
  const records = images.map((image) => ({ ...image, annotations: byImage.get(image.id) ?? [] }));
  return { classes, categoryIds, records, report: reportOf(records, dropped) };
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

type ImageEntry = Omit<ImageRecord, 'annotations'>;

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

const readAnnotations = (
  root: Fields,
  images: readonly ImageEntry[],
  categoryIds: readonly number[],
  dropped: DroppedBox[],
): Map<number, Annotation[]> => {
  const imageById = new Map(images.map((image) => [image.id, image]));
  const labelByCategory = new Map(categoryIds.map((id, label) => [id, label]));
  const byImage = new Map<number, Annotation[]>();
  const entries = arrayField(root, 'annotations');
  refuseDuplicates(entries.map((entry) => ({ id: integerField(entry, 'id'), entry })));
  for (const entry of entries) {
    const image = known(entry, 'image_id', imageById);
    const label = known(entry, 'category_id', labelByCategory);
    const annotation = readAnnotation(entry, label);
    const reason = dropReason(annotation, image);
    if (reason !== undefined) {
      dropped.push({ file: image.file, annotationId: annotation.id, reason });
      continue;
    }
    const list = byImage.get(image.id);
    if (list === undefined) byImage.set(image.id, [annotation]);
    else list.push(annotation);
  }
  return byImage;
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

const readAnnotation = (entry: Fields, label: number): Annotation => {
  const [x, y, width, height] = boxNumbers(entry);
  const { area } = entry.value;
  return {
    id: integerField(entry, 'id'),
    box: [x, y, x + width, y + height],
    size: [width, height],
    label,
    area: typeof area === 'number' && Number.isFinite(area) ? area : width * height,
    isCrowd: booleanField(entry, 'iscrowd'),
    isIgnored: booleanField(entry, 'ignore'),
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

const dropReason = ({ box, size }: Annotation, image: ImageEntry): DropReason | undefined => {
  if (!box.every(Number.isFinite)) return 'not finite';
  if (size[0] < 0 || size[1] < 0) return 'negative size';
  if (size[0] === 0 || size[1] === 0) return 'zero size';
  const overlaps = box[0] < image.width && box[1] < image.height && box[2] > 0 && box[3] > 0;
  return overlaps ? undefined : 'outside the image';
};

const reportOf = (records: readonly ImageRecord[], dropped: readonly DroppedBox[]): DatasetReport => {
  const objects = records.flatMap((record) => record.annotations);
  return {
    images: records.length,
    objects: objects.length,
    crowds: objects.filter((object) => object.isCrowd).length,
    imagesWithoutObjects: records.filter((record) => record.annotations.length === 0).length,
    dropped,
  };
};
