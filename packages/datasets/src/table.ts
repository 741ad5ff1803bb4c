// Images and their objects as columns: a few typed arrays hold what would be millions of objects, and can be kept in a file.
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
  /** The table of all that was added, objects in the order they came within their image. */
  build(): ImageTable;
}

/** Rows per piece of a growing column: pieces are never copied while the table grows. */
const pieceRows = 1 << 16;

/** A column that grows without copying what it holds. */
interface GrowingColumn {
  push(value: number): void;
  readonly length: () => number;
  readonly at: (index: number) => number;
}

const growingColumn = (create: (length: number) => Float64Array | Int32Array | Uint8Array): GrowingColumn => {
  const pieces: (Float64Array | Int32Array | Uint8Array)[] = [];
  let length = 0;
  return {
    push: (value) => {
      const row = length % pieceRows;
      if (row === 0) pieces.push(create(pieceRows));
      pieces[pieces.length - 1]![row] = value;
      length += 1;
    },
    length: () => length,
    at: (index) => pieces[Math.floor(index / pieceRows)]![index % pieceRows]!,
  };
};

const doubles = (): GrowingColumn => growingColumn((length) => new Float64Array(length));
const integers = (): GrowingColumn => growingColumn((length) => new Int32Array(length));
const bytes = (): GrowingColumn => growingColumn((length) => new Uint8Array(length));

/**
 * A builder with nothing in it.
 *
 * Example  const builder = tableBuilder(); builder.addObject(builder.addImage(image), object); builder.build()
 */
export const tableBuilder = (): TableBuilder => {
  const images = { ids: doubles(), widths: integers(), heights: integers(), names: bytes(), ends: doubles() };
  const objects = {
    images: integers(),
    ids: doubles(),
    boxes: doubles(),
    areas: doubles(),
    labels: integers(),
    flags: bytes(),
    attributes: integers(),
  };
  const distinct = new Map<string, number>();
  const attributes: Attributes[] = [];
  const encoder = new TextEncoder();
  const numberOf = (found: Attributes | undefined): number => {
    if (found === undefined) return 0;
    const text = JSON.stringify(found);
    const known = distinct.get(text);
    if (known !== undefined) return known;
    attributes.push(found);
    distinct.set(text, attributes.length);
    return attributes.length;
  };
  return {
    addImage: ({ id, file, width, height }) => {
      images.ids.push(id);
      images.widths.push(width);
      images.heights.push(height);
      for (const byte of encoder.encode(file)) images.names.push(byte);
      images.ends.push(images.names.length());
      return images.ids.length() - 1;
    },
    addObject: (image, entry) => {
      objects.images.push(image);
      objects.ids.push(entry.id);
      objects.boxes.push(entry.x);
      objects.boxes.push(entry.y);
      objects.boxes.push(entry.width);
      objects.boxes.push(entry.height);
      objects.areas.push(entry.area);
      objects.labels.push(entry.label);
      objects.flags.push(entry.flags);
      objects.attributes.push(numberOf(entry.attributes));
    },
    build: () => {
      const count = images.ids.length();
      const { firstObject, places } = groupByImage(objects.images, count);
      const total = places.length;
      const table: ImageTable = {
        length: count,
        objects: total,
        ids: filled(new Float64Array(count), images.ids),
        widths: filled(new Int32Array(count), images.widths),
        heights: filled(new Int32Array(count), images.heights),
        names: filled(new Uint8Array(images.names.length()), images.names),
        nameEnds: filled(new Float64Array(count), images.ends),
        firstObject,
        objectIds: new Float64Array(total),
        boxes: new Float64Array(4 * total),
        areas: new Float64Array(total),
        labels: new Uint16Array(total),
        flags: new Uint8Array(total),
        attributeIndices: new Uint32Array(total),
        attributes,
      };
      for (let from = 0; from < total; from++) {
        const to = places[from]!;
        table.objectIds[to] = objects.ids.at(from);
        for (let side = 0; side < 4; side++) table.boxes[4 * to + side] = objects.boxes.at(4 * from + side);
        table.areas[to] = objects.areas.at(from);
        table.labels[to] = objects.labels.at(from);
        table.flags[to] = objects.flags.at(from);
        table.attributeIndices[to] = objects.attributes.at(from);
      }
      return table;
    },
  };
};

const filled = <Column extends Float64Array | Int32Array | Uint8Array>(
  column: Column,
  from: GrowingColumn,
): Column => {
  for (let i = 0; i < column.length; i++) column[i] = from.at(i);
  return column;
};

/** Where every object goes when objects are sorted by image, keeping their order within an image. */
const groupByImage = (
  images: GrowingColumn,
  count: number,
): { firstObject: Uint32Array; places: Uint32Array } => {
  const firstObject = new Uint32Array(count + 1);
  const total = images.length();
  for (let i = 0; i < total; i++) {
    const image = images.at(i);
    if (image < 0 || image >= count)
      throw new DatasetError(
        `tableBuilder(objects): needs objects of images that were added, got image ${image} of ${count}. Report this.`,
      );
    firstObject[image + 1] = firstObject[image + 1]! + 1;
  }
  for (let i = 0; i < count; i++) firstObject[i + 1] = firstObject[i + 1]! + firstObject[i]!;
  const next = firstObject.slice();
  const places = new Uint32Array(total);
  for (let i = 0; i < total; i++) {
    const image = images.at(i);
    places[i] = next[image]!;
    next[image] = next[image]! + 1;
  }
  return { firstObject, places };
};

const decoder = new TextDecoder();

/**
 * Image `index` of a table with its objects, boxes as corners.
 *
 * Example  recordOfTable(table, 0).annotations.length
 */
export const recordOfTable = (table: ImageTable, index: number): ImageRecord => {
  const nameStart = index === 0 ? 0 : table.nameEnds[index - 1]!;
  const annotations: Annotation[] = [];
  for (let i = table.firstObject[index]!; i < table.firstObject[index + 1]!; i++)
    annotations.push(annotationOf(table, i));
  return {
    id: table.ids[index]!,
    file: decoder.decode(table.names.subarray(nameStart, table.nameEnds[index])),
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
