// Images and their objects as columns: a few typed arrays hold what would be millions of objects, and can be kept in a file.
import { bytes, doubles, type Identifiers, integers, joinPieces, nowhere, placeRows } from './columns.ts';
import { DatasetError } from './errors.ts';
import type { Annotation, Attributes, ImageRecord } from './types.ts';

/** All images of a dataset with their objects, the objects of one image side by side. */
export interface ImageTable {
  /** Number of images. */
  readonly length: number;
  /** Number of objects. */
  readonly objects: number;
  readonly ids: Float64Array;
  readonly widths: Int32Array;
  readonly heights: Int32Array;
  /** The names of the picture files one after the other, in UTF-8, and where each ends. */
  readonly names: Uint8Array;
  readonly nameEnds: Float64Array;
  /** Objects firstObject[i] .. firstObject[i + 1] - 1 belong to image i. */
  readonly firstObject: Uint32Array;
  readonly objectIds: Float64Array;
  /** x, y, width, height of every object in pixels, as annotated. */
  readonly boxes: Float64Array;
  readonly areas: Float64Array;
  readonly labels: Uint16Array;
  /** Sum of 1 crowd, 2 ignored, 4 difficult, 8 truncated. */
  readonly flags: Uint8Array;
  /** Index into `attributes`, counted from 1; 0 for an object without any. */
  readonly attributeIndices: Uint32Array;
  readonly attributes: readonly Attributes[];
}

/** One image to put into a table. */
export type ImageEntry = Omit<ImageRecord, 'annotations'>;

/** One object to put into a table. */
export interface ObjectEntry {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly area: number;
  readonly label: number;
  /** As in `ImageTable.flags`. */
  readonly flags: number;
  readonly attributes?: Attributes | undefined;
}

/** The bits of `ImageTable.flags`. */
export const objectFlags = { crowd: 1, ignored: 2, difficult: 4, truncated: 8 } as const;

/** A table while it is being filled. */
export interface TableBuilder {
  /** Adds an image and gives its index. */
  addImage(entry: ImageEntry): number;
  /** Adds an object of the image with that index; images may come after their objects. */
  addObject(image: number, entry: ObjectEntry): void;
  /** The table of all that was added, objects in the order they came within their image; to be called once. */
  build(): ImageTable;
}

/** The columns of objects while they are in the order of the file, each in pieces. */
export interface ObjectColumns {
  /** The image of every object, -1 for one to be left out. */
  readonly images: Int32Array;
  readonly ids: Identifiers[];
  readonly boxes: Float64Array[];
  readonly areas: Float64Array[];
  readonly labels: (Int32Array | Uint16Array)[];
  readonly flags: Uint8Array[];
  readonly attributeIndices: Int32Array[];
}

/** The columns of images, as in `ImageTable`. */
export type ImageColumns = Pick<ImageTable, 'ids' | 'widths' | 'heights' | 'names' | 'nameEnds'>;

/**
 * A builder with nothing in it; it builds one table.
 *
 * Example  const builder = tableBuilder(); builder.addObject(builder.addImage(image), object); builder.build()
 */
export const tableBuilder = (): TableBuilder => {
  const images = imageColumns();
  const owners = integers();
  const [ids, boxes, areas] = [doubles(), doubles(), doubles()];
  const [labels, flags, attributeIndices] = [integers(), bytes(), integers()];
  const attributes = attributeList();
  return {
    addImage: (entry) => images.add(entry),
    addObject: (image, entry) => {
      owners.push(image);
      ids.push(entry.id);
      for (const side of [entry.x, entry.y, entry.width, entry.height]) boxes.push(side);
      areas.push(entry.area);
      labels.push(entry.label);
      flags.push(entry.flags);
      attributeIndices.push(attributes.indexOf(entry.attributes));
    },
    build: () =>
      groupTable(
        images.take(),
        {
          images: joinPieces(owners.take(), (length) => new Int32Array(length)),
          ids: ids.take(),
          boxes: boxes.take(),
          areas: areas.take(),
          labels: labels.take(),
          flags: flags.take(),
          attributeIndices: attributeIndices.take(),
        },
        attributes.all,
      ),
  };
};

/** Images while they are being collected. */
export interface ImageCollection {
  /** Adds an image and gives its index. */
  add(entry: ImageEntry): number;
  /** The columns of all that was added. */
  take(): ImageColumns;
}

/**
 * An empty collection of images.
 *
 * Example  const images = imageColumns(); images.add({ id: 7, file: 'a.jpg', width: 640, height: 480 })
 */
export const imageColumns = (): ImageCollection => {
  const [ids, nameEnds] = [doubles(), doubles()];
  const [widths, heights] = [integers(), integers()];
  const names = bytes();
  const encoder = new TextEncoder();
  return {
    add: ({ id, file, width, height }) => {
      ids.push(id);
      widths.push(width);
      heights.push(height);
      for (const byte of encoder.encode(file)) names.push(byte);
      nameEnds.push(names.length());
      return ids.length() - 1;
    },
    take: () => {
      return {
        widths: joinPieces(widths.take(), (length) => new Int32Array(length)),
        heights: joinPieces(heights.take(), (length) => new Int32Array(length)),
        names: joinPieces(names.take(), (length) => new Uint8Array(length)),
        nameEnds: joinPieces(nameEnds.take(), (length) => new Float64Array(length)),
        ids: joinPieces(ids.take(), (length) => new Float64Array(length)),
      };
    },
  };
};

/** Attributes of objects, those that are equal once. */
export interface AttributeList {
  /** Index into `all`, counted from 1; 0 for none. */
  indexOf(found: Attributes | undefined): number;
  readonly all: readonly Attributes[];
}

/** An empty list of attributes. */
export const attributeList = (): AttributeList => {
  const all: Attributes[] = [];
  const indices = new Map<string, number>();
  return {
    all,
    indexOf: (found) => {
      if (found === undefined) return 0;
      const text = JSON.stringify(found);
      const known = indices.get(text);
      if (known !== undefined) return known;
      all.push(found);
      indices.set(text, all.length);
      return all.length;
    },
  };
};

/**
 * The table of images and objects, the objects of one image side by side in the order they came; the columns of objects are
 * given up one by one, so that only one of them is in memory twice.
 *
 * Throws   DatasetError when an object names an image that is not there
 */
export const groupTable = (
  images: ImageColumns,
  objects: ObjectColumns,
  attributes: readonly Attributes[],
): ImageTable => {
  const length = images.ids.length;
  const { firstObject, places } = groupByImage(objects.images, length);
  const total = firstObject[length]!;
  return {
    length,
    objects: total,
    ...images,
    firstObject,
    boxes: placeRows(objects.boxes, 4, places, new Float64Array(4 * total)),
    objectIds: placeRows(objects.ids, 1, places, new Float64Array(total)),
    areas: placeRows(objects.areas, 1, places, new Float64Array(total)),
    labels: placeRows(objects.labels, 1, places, new Uint16Array(total)),
    flags: placeRows(objects.flags, 1, places, new Uint8Array(total)),
    attributeIndices: placeRows(objects.attributeIndices, 1, places, new Uint32Array(total)),
    attributes,
  };
};

/** Where every object goes when objects are sorted by image, keeping their order within an image. */
const groupByImage = (
  images: Int32Array,
  count: number,
): { firstObject: Uint32Array; places: Uint32Array } => {
  const firstObject = new Uint32Array(count + 1);
  for (const image of images) {
    if (image >= count)
      throw new DatasetError(
        `tableBuilder(objects): needs objects of images that were added, got image ${image} of ${count}. Report this.`,
      );
    if (image >= 0) firstObject[image + 1] = firstObject[image + 1]! + 1;
  }
  for (let i = 0; i < count; i++) firstObject[i + 1] = firstObject[i + 1]! + firstObject[i]!;
  const next = firstObject.slice();
  const places = new Uint32Array(images.length).fill(nowhere);
  for (let i = 0; i < images.length; i++) {
    const image = images[i]!;
    if (image < 0) continue;
    places[i] = next[image]!;
    next[image] = next[image]! + 1;
  }
  return { firstObject, places };
};

/**
 * The images of a table for which `isKept` is not 0, with their objects; the table itself when that is all of them.
 *
 * Example  keepImages(table, Uint8Array.of(1, 0, 1))
 */
export const keepImages = (table: ImageTable, isKept: Uint8Array): ImageTable => {
  if (!isKept.includes(0)) return table;
  const images = imageColumns();
  const owners = new Int32Array(table.objects).fill(-1);
  for (let i = 0; i < table.length; i++) {
    if (isKept[i] === 0) continue;
    const image = images.add({
      id: table.ids[i]!,
      file: fileOfTable(table, i),
      width: table.widths[i]!,
      height: table.heights[i]!,
    });
    owners.fill(image, table.firstObject[i], table.firstObject[i + 1]);
  }
  const objects: ObjectColumns = {
    images: owners,
    ids: [table.objectIds],
    boxes: [table.boxes],
    areas: [table.areas],
    labels: [table.labels],
    flags: [table.flags],
    attributeIndices: [new Int32Array(table.attributeIndices)],
  };
  return groupTable(images.take(), objects, table.attributes);
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The name of the picture file of image `index`.
 *
 * Example  fileOfTable(table, 0) // 'street.jpg'
 */
export const fileOfTable = ({ names, nameEnds }: ImageColumns, index: number): string =>
  decoder.decode(names.subarray(index === 0 ? 0 : nameEnds[index - 1], nameEnds[index]));

/**
 * Image `index` of a table with its objects, boxes as corners.
 *
 * Example  recordOfTable(table, 0).annotations.length
 */
export const recordOfTable = (table: ImageTable, index: number): ImageRecord => {
  const annotations: Annotation[] = [];
  for (let i = table.firstObject[index]!; i < table.firstObject[index + 1]!; i++)
    annotations.push(annotationOf(table, i));
  return {
    id: table.ids[index]!,
    file: fileOfTable(table, index),
    width: table.widths[index]!,
    height: table.heights[index]!,
    annotations,
  };
};

const annotationOf = (table: ImageTable, i: number): Annotation => {
  const [x, y, width, height] = [0, 1, 2, 3].map((side) => table.boxes[4 * i + side]!) as [
    number,
    number,
    number,
    number,
  ];
  const flags = table.flags[i]!;
  const attributes = table.attributes[table.attributeIndices[i]! - 1];
  return {
    id: table.objectIds[i]!,
    box: [x, y, x + width, y + height],
    size: [width, height],
    label: table.labels[i]!,
    area: table.areas[i]!,
    isCrowd: (flags & objectFlags.crowd) !== 0,
    isIgnored: (flags & objectFlags.ignored) !== 0,
    isDifficult: (flags & objectFlags.difficult) !== 0,
    isTruncated: (flags & objectFlags.truncated) !== 0,
    ...(attributes === undefined ? {} : { attributes }),
  };
};
