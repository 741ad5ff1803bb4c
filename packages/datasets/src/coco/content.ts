// The content of an annotation file: images, objects and categories brought together, in whatever order the file has them.
import { dropPieces, forwardReader } from '../columns.ts';
import { DatasetError } from '../errors.ts';
import { rowsById } from '../ids.ts';
import type { JsonEntry } from '../json/reading.ts';
import { type JsonScanner, jsonScanner } from '../json/scanner.ts';
import { fileOfTable, groupTable, type ImageTable, keepImages } from '../table.ts';
import type { Problem, ProblemCounts, ProblemKind } from '../types.ts';
import { faultOfBox } from './box.ts';
import { type Categories, categoryReader } from './categories.ts';
import type { FileAtHand } from './entries.ts';
import { type FoundImages, imageReader } from './images.ts';
import { type FoundObjects, objectReader } from './objects.ts';
import { refuseRepeated } from './rows.ts';

/** What one annotation file holds. */
export interface CocoContent extends Categories {
  /** Images in the order of the file. */
  readonly table: ImageTable;
  readonly problems: readonly Problem[];
  readonly problemCounts: ProblemCounts;
}

/** An annotation file while it is being read. */
export interface ContentReader extends Pick<JsonScanner, 'push'> {
  /**
   * The content, once all bytes have been pushed.
   *
   * Throws   DatasetError when the file ends too early, or has no images or categories that can be used
   */
  finish(): CocoContent;
}

/**
 * A reader of an annotation file that gets the bytes of it piece by piece; the fields `extras` of objects are kept as attributes.
 *
 * Units    boxes in pixels as annotated; labels count categories by ascending id
 * Throws   DatasetError, with file and place, for malformed JSON and wrong categories; under 'strict' for every problem
 * Example  const reader = contentReader({ label: 'openCoco', file, problems: problemList('skip') }, []); reader.push(bytes)
 */
export const contentReader = (context: FileAtHand, extras: readonly string[]): ContentReader => {
  const { label, file } = context;
  const images = imageReader(context);
  const objects = objectReader(context, extras);
  const categories = categoryReader(context);
  const readers: readonly { add(entry: JsonEntry, index: number): void }[] = [images, objects, categories];
  let count = 0;
  const scanner = jsonScanner({
    label,
    file,
    names: ['images', 'annotations', 'categories'],
    entry: (section, index, entry) => {
      if (section === 0) count += 1;
      readers[section]!.add(entry, index);
    },
  });
  return {
    push: scanner.push,
    finish: () => {
      scanner.finish();
      const { classes, categoryIds } = categories.finish();
      const found = images.finish();
      if (!found.isKept.includes(1)) throw noImages(context, count);
      const table = join(context, found, objects.finish(), categoryIds);
      return {
        classes,
        categoryIds,
        table,
        problems: context.problems.found,
        problemCounts: context.problems.counts,
      };
    },
  };
};

const noImages = ({ label, file, problems }: FileAtHand, count: number): DatasetError => {
  const got = count === 0 ? 'none' : `${count} of which none can be used: ${problems.found[0]?.message}`;
  return new DatasetError(
    `${label}(${file}): needs at least one entry in images, got ${got}${count === 0 ? '. Choose a file that is not empty.' : ''}`,
    { file, field: 'images' },
  );
};

/** The objects looked up among images and categories; what is not found there, or has no box, is left out. */
const join = (
  context: FileAtHand,
  images: FoundImages,
  objects: FoundObjects,
  categoryIds: readonly number[],
): ImageTable => {
  const { ids, imageIds, categoryIds: objectCategories, entries, attributes, ...columns } = objects;
  const rows = new Int32Array(ids.length);
  const labels = new Uint16Array(ids.length);
  refuseRepeated(context, 'annotations', ids, entries.reader(), (row) => {
    rows[row] = -1;
  });
  const check = objectCheck(context, images, categoryIds);
  const entryOf = entries.reader();
  const [imageAt, categoryAt, sideAt] = [imageIds, objectCategories, columns.boxes].map(forwardReader) as [
    Reader,
    Reader,
    Reader,
  ];
  for (let row = 0; row < rows.length; row++) {
    if (rows[row] === -1) continue;
    const box = [sideAt(4 * row), sideAt(4 * row + 1), sideAt(4 * row + 2), sideAt(4 * row + 3)] as const;
    const object = { row, id: ids[row]!, imageId: imageAt(row), categoryId: categoryAt(row), box };
    const { image, label } = check(object, entryOf);
    rows[row] = image;
    labels[row] = label;
  }
  // these are not needed any more, and the table takes as much again
  for (const pieces of [imageIds, objectCategories]) dropPieces(pieces);
  const table = groupTable(
    images.columns,
    { ...columns, images: rows, ids: [ids], labels: [labels] },
    attributes,
  );
  return keepImages(table, images.isKept);
};

type Reader = (index: number) => number;

/** An object with what it refers to by id. */
interface Reference {
  readonly row: number;
  readonly id: number;
  readonly imageId: number;
  readonly categoryId: number;
  readonly box: readonly [x: number, y: number, width: number, height: number];
}

const leftOut = { image: -1, label: 0 } as const;

/** Gives the image and the label of an object; image -1, mostly with a problem, for one that has to be left out. */
const objectCheck = (
  { label: reader, file, problems }: FileAtHand,
  { columns, isKept }: FoundImages,
  categoryIds: readonly number[],
) => {
  const imageOf = rowsById(columns.ids);
  const labels = new Map(categoryIds.map((id, label) => [id, label]));
  const unknownId = (entry: number, annotationId: number, name: 'image_id' | 'category_id', id: number) => {
    const list = name === 'image_id' ? 'images' : 'categories';
    const place = `annotations[${entry}].${name}`;
    const message = `${reader}(${file}): needs ${place} to be an id listed in ${list}, got ${id}. Add the entry to ${list}, or remove the annotation.`;
    return { file, place, annotationId, message };
  };
  const badBox = (entry: number, { id, box }: Reference, image: string, kind: ProblemKind) => {
    const place = `annotations[${entry}].bbox`;
    const message = `${reader}(${file}): needs ${place} to be a box inside ${image}, got a ${kind}: [${box.join(', ')}]. Correct or remove the annotation.`;
    return { file, place, image, annotationId: id, message };
  };
  return (object: Reference, entryOf: Reader): { readonly image: number; readonly label: number } => {
    const { row, id, imageId, categoryId, box } = object;
    const image = imageOf(imageId);
    if (image < 0) {
      problems.addOf('unknown id', () => unknownId(entryOf(row), id, 'image_id', imageId));
      return leftOut;
    }
    // with a picture that is left out go its objects
    if (isKept[image] === 0) return leftOut;
    const label = labels.get(categoryId);
    if (label === undefined) {
      problems.addOf('unknown id', () => unknownId(entryOf(row), id, 'category_id', categoryId));
      return leftOut;
    }
    const fault = faultOfBox(box, { width: columns.widths[image]!, height: columns.heights[image]! });
    if (fault !== undefined) {
      problems.addOf(fault, () => badBox(entryOf(row), object, fileOfTable(columns, image), fault));
      return leftOut;
    }
    return { image, label };
  };
};
