// What was read of an annotation file, as bytes: a header, what is no column as JSON, then the columns.
import type { ImageTable } from '../table.ts';
import type { FileState } from '../types.ts';
import { checksumBytes, checksumOf } from './checksum.ts';

/** What a cache holds. */
export interface CacheContent<Facts> {
  readonly table: ImageTable;
  /** Everything else, as far as JSON can hold it. */
  readonly facts: Facts;
}

/** What a cache belongs to: it is of no use for anything else. */
export interface CacheKey {
  /** The file it was made from. */
  readonly state: FileState;
  /** The reader that made it. */
  readonly reader: string;
}

/** To be counted up whenever files are read differently, or this format changes. */
const generation = 1;

/** The first eight bytes; the last are line ends, which transfers as text would change. */
const magic = Uint8Array.from('aacols\r\n', (letter) => letter.charCodeAt(0));

/** Tells the order of bytes in a number. */
const orderMark = 0x01020304;

/** Magic, order mark, generation, bytes of the JSON, total bytes, size and time of the file, checksum of all but itself. */
const header = {
  orderMark: 8,
  generation: 12,
  jsonBytes: 16,
  totalBytes: 24,
  size: 32,
  modified: 40,
  checksum: 48,
};
const headerBytes = header.checksum + checksumBytes;

/** Every part begins at a multiple of this, so that columns are views of the file. */
const padded = (bytes: number): number => Math.ceil(bytes / checksumBytes) * checksumBytes;

interface Description<Facts> {
  readonly reader: string;
  readonly images: number;
  readonly objects: number;
  readonly nameBytes: number;
  readonly attributes: ImageTable['attributes'];
  readonly facts: Facts;
}

/** The columns in the order of the file, for so many images, objects and bytes of names. */
const columnsOf = ({
  images,
  objects,
  nameBytes,
}: Pick<Description<unknown>, 'images' | 'objects' | 'nameBytes'>) =>
  [
    ['ids', Float64Array, images],
    ['nameEnds', Float64Array, images],
    ['objectIds', Float64Array, objects],
    ['boxes', Float64Array, 4 * objects],
    ['areas', Float64Array, objects],
    ['widths', Int32Array, images],
    ['heights', Int32Array, images],
    ['firstObject', Uint32Array, images + 1],
    ['attributeIndices', Uint32Array, objects],
    ['labels', Uint16Array, objects],
    ['flags', Uint8Array, objects],
    ['names', Uint8Array, nameBytes],
  ] as const;

/**
 * The parts of a cache, one after the other; most are the columns themselves, not copies.
 *
 * Example  await source.write(path, encodeCache({ table, facts }, key))
 */
export const encodeCache = <Facts>({ table, facts }: CacheContent<Facts>, key: CacheKey): Uint8Array[] => {
  const { length: images, objects, attributes } = table;
  const nameBytes = table.names.length;
  const description: Description<Facts> = {
    reader: key.reader,
    images,
    objects,
    nameBytes,
    attributes,
    facts,
  };
  const json = new TextEncoder().encode(JSON.stringify(description));
  const jsonPart = new Uint8Array(padded(json.length));
  jsonPart.set(json);
  const headPart = new Uint8Array(headerBytes);
  const parts: Uint8Array[] = [headPart, jsonPart];
  for (const [name] of columnsOf(description)) {
    const { buffer, byteOffset, byteLength } = table[name];
    const whole = byteLength - (byteLength % checksumBytes);
    parts.push(new Uint8Array(buffer, byteOffset, whole));
    const rest = new Uint8Array(padded(byteLength - whole));
    rest.set(new Uint8Array(buffer, byteOffset + whole, byteLength - whole));
    parts.push(rest);
  }
  const head = new DataView(headPart.buffer);
  headPart.set(magic);
  // the machine's own order, as the columns have it
  new Uint32Array(headPart.buffer)[header.orderMark / 4] = orderMark;
  head.setUint32(header.generation, generation);
  head.setFloat64(header.jsonBytes, json.length);
  head.setFloat64(
    header.totalBytes,
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  head.setFloat64(header.size, key.state.size);
  head.setFloat64(header.modified, key.state.modified);
  const checksum = checksumOf([headPart.subarray(0, header.checksum), ...parts.slice(1)]);
  new Int32Array(headPart.buffer).set(checksum, header.checksum / 4);
  return parts;
};

/**
 * What a cache holds; undefined when it is of another file, another time or another generation, cut off or damaged.
 *
 * Example  decodeCache(bytes, key) ?? readTheFile()
 */
export const decodeCache = <Facts>(read: Uint8Array, key: CacheKey): CacheContent<Facts> | undefined => {
  if (read.length < headerBytes || read.length % checksumBytes !== 0) return undefined;
  const bytes = read.byteOffset % 8 === 0 ? read : read.slice();
  const head = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, headerBytes / 4);
  const isOurs =
    magic.every((byte, i) => bytes[i] === byte) &&
    words[header.orderMark / 4] === orderMark &&
    head.getUint32(header.generation) === generation &&
    head.getFloat64(header.totalBytes) === bytes.length &&
    head.getFloat64(header.size) === key.state.size &&
    head.getFloat64(header.modified) === key.state.modified;
  if (!isOurs) return undefined;
  const checksum = checksumOf([bytes.subarray(0, header.checksum), bytes.subarray(headerBytes)]);
  const written = new Int32Array(bytes.buffer, bytes.byteOffset + header.checksum, checksumBytes / 4);
  if (!checksum.every((word, i) => written[i] === word)) return undefined;
  const jsonBytes = head.getFloat64(header.jsonBytes);
  const json = bytes.subarray(headerBytes, headerBytes + jsonBytes);
  const description = JSON.parse(new TextDecoder().decode(json)) as Description<Facts>;
  if (description.reader !== key.reader) return undefined;
  const { images: length, objects, attributes, facts } = description;
  const views: Partial<Record<keyof ImageTable, unknown>> = {};
  let at = bytes.byteOffset + headerBytes + padded(jsonBytes);
  for (const [name, Column, count] of columnsOf(description)) {
    views[name] = new Column(bytes.buffer as ArrayBuffer, at, count);
    at += padded(count * Column.BYTES_PER_ELEMENT);
  }
  return { table: { length, objects, attributes, ...views } as ImageTable, facts };
};
