// The safetensors container: named arrays behind a JSON header, read with every length and offset checked.
import { sentence } from '@autoassign/tensor';
import { WeightsError } from '../errors.ts';
import type { ByteSource } from './byteSource.ts';

/** The element types of a safetensors file. */
export type StoredDType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** The elements of a stored array; F16 and BF16 as Uint16Array of their bits. */
export type StoredData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** A class of typed arrays. */
export interface ElementArray {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): StoredData;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): StoredData;
}

/** The typed arrays of the element types. */
export const elementTypes: Readonly<Record<StoredDType, ElementArray>> = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** One named array of a file. */
export interface StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly data: StoredData;
}

/** Everything a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes before the header: its length as a 64-bit little-endian integer. */
const prefix = 8;
/** The longest header accepted, so that a damaged length cannot ask for all memory. */
const longestHeader = 100_000_000;

/** What a header says of one array, checked on its own. */
interface Entry {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * The arrays and metadata of a safetensors file, copied out of its bytes.
 *
 * Throws   WeightsError when the header, an element type, a shape or an offset is not valid, or the arrays overlap, leave gaps or
 *          end elsewhere than the file
 * Example  const { tensors } = readSafetensors(await readFile('model.safetensors'))
 */
export const readSafetensors = (bytes: Uint8Array, label?: string): Safetensors => {
  const fail = failure(label);
  const start = headerEnd(bytes.subarray(0, prefix), bytes.length, fail);
  const { entries, metadata } = readHeader(bytes.subarray(prefix, start), bytes.length - start, fail);
  const tensors = entries.map(({ name, dtype, shape, from, to }): [string, StoredTensor] => {
    // A copy, since the place of an array in the file need not suit its element size; not by slice, which Node's Buffer overrides.
    const copy = new Uint8Array(bytes.subarray(start + from, start + to)).buffer;
    return [name, { dtype, shape, data: new elementTypes[dtype](copy) }];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
};

/** A safetensors file whose header was read. */
export interface SafetensorsFile extends Pick<Safetensors, 'metadata'> {
  readonly arrays: ReadonlyMap<string, Pick<StoredTensor, 'dtype' | 'shape'>>;
  /** One array of the file. */
  readonly read: (name: string) => Promise<StoredTensor>;
}

/**
 * What a safetensors file has; its arrays are read one by one when they are asked for.
 *
 * Throws   WeightsError as `readSafetensors`
 */
export const openSafetensors = async (source: ByteSource, label?: string): Promise<SafetensorsFile> => {
  const fail = failure(label);
  const start = headerEnd(await source.read(0, Math.min(prefix, source.size)), source.size, fail);
  const header = await source.read(prefix, start);
  const { entries, metadata } = readHeader(header, source.size - start, fail);
  const arrays = new Map(entries.map((entry) => [entry.name, entry]));
  const read = async (name: string): Promise<StoredTensor> => {
    const { dtype, shape, from, to } = arrays.get(name)!;
    const bytes = await source.read(start + from, start + to);
    if (bytes.length !== to - from) fail(`${to - from} bytes for '${name}'`, `${bytes.length} bytes`);
    const isOwn = bytes.byteLength === bytes.buffer.byteLength;
    return { dtype, shape, data: new elementTypes[dtype]((isOwn ? bytes : new Uint8Array(bytes)).buffer) };
  };
  return { arrays, metadata, read };
};

type Fail = (needs: string, got: string) => never;

const damaged = 'The file is damaged or of another format; fetch or write it again.';

const failure =
  (label: string | undefined): Fail =>
  (needs, got) => {
    throw new WeightsError(sentence({ where: 'readSafetensors', label, needs, got, advice: damaged }));
  };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const describe = (value: unknown): string => {
  const text = String(JSON.stringify(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

/** Where the header ends and the data begins. */
const headerEnd = (start: Uint8Array, size: number, fail: Fail): number => {
  if (start.length < prefix) fail(`at least ${prefix} bytes`, `${start.length} bytes`);
  const length = new DataView(start.buffer, start.byteOffset, prefix).getBigUint64(0, true);
  const room = Math.min(size - prefix, longestHeader);
  if (length > BigInt(room)) fail(`a header of at most ${room} bytes`, `a header length of ${length}`);
  return prefix + Number(length);
};

/** What a header says, checked against the number of bytes behind it. */
const readHeader = (
  bytes: Uint8Array,
  dataLength: number,
  fail: Fail,
): { readonly entries: readonly Entry[]; readonly metadata: Record<string, string> } => {
  const { __metadata__: metadata = {}, ...rest } = parseHeader(bytes, fail);
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string'))
    fail('metadata of strings', describe(metadata));
  const entries = Object.entries(rest).map(([name, value]) => readEntry(name, value, fail));
  checkLayout(entries, dataLength, fail);
  return { entries, metadata: metadata as Record<string, string> };
};

const parseHeader = (bytes: Uint8Array, fail: Fail): Record<string, unknown> => {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    fail('a header of JSON in UTF-8', error instanceof Error ? error.message : String(error));
  }
  return isRecord(header) ? header : fail('a header that is a JSON object', describe(header));
};

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const readEntry = (name: string, value: unknown, fail: Fail): Entry => {
  if (!isRecord(value)) return fail(`an object for '${name}'`, describe(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(elementTypes, dtype))
    return fail(`'${name}' of dtype ${Object.keys(elementTypes).join(', ')}`, describe(dtype));
  if (!Array.isArray(shape) || !shape.every(isSize))
    return fail(`a shape of non-negative integers for '${name}'`, describe(shape));
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return fail(`two data offsets for '${name}'`, describe(offsets));
  const [from, to] = offsets as [number, number];
  const size = shape.reduce((product: number, n: number) => product * n, 1);
  const wanted = size * elementTypes[dtype as StoredDType].BYTES_PER_ELEMENT;
  if (to - from !== wanted)
    return fail(
      `${wanted} bytes for '${name}' ${dtype}[${shape.join(',')}]`,
      `offsets [${offsets.join(',')}]`,
    );
  return { name, dtype: dtype as StoredDType, shape: shape as number[], from, to };
};

/** The format allows neither overlaps nor gaps: each array starts where the one before it ends. */
const checkLayout = (entries: readonly Entry[], dataLength: number, fail: Fail): void => {
  let end = 0;
  for (const { name, from, to } of [...entries].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) fail(`'${name}' to start at byte ${end} of the data`, `byte ${from}`);
    end = to;
  }
  if (end !== dataLength) fail(`${end} bytes of data`, `${dataLength} bytes`);
};

/**
 * The bytes of a safetensors file, arrays with the widest elements first, so that each is aligned.
 *
 * Throws   WeightsError when the data of an array does not have its dtype or does not fill its shape
 * Example  await writeFile('model.safetensors', writeSafetensors({ w: { dtype: 'F32', shape: [2], data: new Float32Array(2) } }))
 */
export const writeSafetensors = (
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const named = Object.entries(tensors);
  for (const [name, stored] of named) {
    requireFreeName(name);
    checkStored('writeSafetensors', name, stored);
  }
  const ordered = named.sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  const entries = ordered.map(([name, { dtype, shape, data }]) => {
    const from = end;
    end += data.byteLength;
    return [name, { dtype, shape, data_offsets: [from, end] }] as const;
  });
  const plain = Object.fromEntries([
    ...(Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata] as const]),
    ...entries,
  ]);
  const header = paddedHeader(JSON.stringify(plain));
  const bytes = new Uint8Array(prefix + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, prefix);
  ordered.forEach(([, { data }], i) => {
    const place = prefix + header.length + entries[i]![1].data_offsets[0]!;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
  });
  return bytes;
};

/** The header's bytes, filled with blanks so that the data begins at a multiple of 8. */
const paddedHeader = (text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8).fill(0x20);
  padded.set(bytes);
  return padded;
};

/** Refuses an array whose data does not have its dtype or does not fill its shape. */
export const checkStored = (where: string, name: string, { dtype, shape, data }: StoredTensor): void => {
  const size = shape.reduce((product, n) => product * n, 1);
  if (data instanceof elementTypes[dtype] && data.length === size) return;
  throw new WeightsError(
    sentence({
      where,
      label: name,
      needs: `${size} elements in a ${elementTypes[dtype].name}`,
      got: `${data.length} in a ${data.constructor.name}`,
      advice: 'Convert the data or correct dtype and shape.',
    }),
  );
};

const requireFreeName = (name: string): void => {
  if (name !== '__metadata__') return;
  const needs = "a name other than '__metadata__'";
  const advice = 'Rename the array.';
  throw new WeightsError(
    sentence({ where: 'writeSafetensors', label: name, needs, got: 'that name', advice }),
  );
};
