// PyTorch's files before version 1.6: five pickles one after the other, then the storages.
import type { ByteSource } from '../byteSource.ts';
import { elementTypes, type StoredData } from '../safetensors.ts';
import { type PickleOptions, pickleLimits, ShortPickle } from './machine.ts';
import { type NamedStorage, type NamedStorages, namedStorages } from './persistentId.ts';
import { elementsOf } from './tensors.ts';
import { type Unpickled, unpickle } from './unpickle.ts';
import type { Refuse, TorchValue } from './values.ts';
import { describeValue, readExactly } from './values.ts';
import type { TorchContainer } from './zipFile.ts';

const magic = 0x1950a86a20f9469cfc6cn;
const version = 1001;

/** The magic number as a LONG1 of ten bytes. */
const magicBytes: readonly number[] = [
  0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
];

/** Whether a file begins as a legacy one: with the protocol, from protocol 4 on a frame, and the magic number. */
export const isLegacyStart = (start: Uint8Array): boolean => {
  const from = start[2] === 0x95 ? 11 : 2;
  return start[0] === 0x80 && magicBytes.every((value, i) => start[from + i] === value);
};

/** The value in a file, and how to read its storages. */
export const openLegacy = async (
  source: ByteSource,
  options: Pick<PickleOptions, 'refuse' | 'foreign'>,
): Promise<TorchContainer> => {
  const { value, keys, storages, end } = await readHead(source, options);
  const places = await storagePlaces(source, { keys, storages, from: end, refuse: options.refuse });
  return {
    value: value.value,
    foreign: value.foreign,
    storages,
    // the numbers are little-endian whatever the head says: PyTorch writes and reads them so on every machine
    readStorage: ({ key, dtype }) =>
      readElements(source, { ...places.get(key)!, dtype, refuse: options.refuse }),
  };
};

/** The five pickles. */
interface Head {
  readonly value: Unpickled;
  readonly keys: TorchValue;
  readonly storages: NamedStorages['byKey'];
  readonly end: number;
}

/** The pickles say nothing of their length, so more and more of the file is read until they are whole. */
const readHead = async (
  source: ByteSource,
  options: Pick<PickleOptions, 'refuse' | 'foreign'>,
): Promise<Head> => {
  const most = Math.min(source.size, pickleLimits.bytes);
  for (let size = Math.min(most, 2 ** 20); ; size = Math.min(most, 4 * size)) {
    const bytes = await readExactly(source, 0, size, options.refuse);
    try {
      return unpickleHead(bytes, options);
    } catch (error) {
      if (!(error instanceof ShortPickle)) throw error;
      if (size === most) return options.refuse('five whole pickles', `${size} bytes that end within them`);
    }
  }
};

const unpickleHead = (
  bytes: Uint8Array,
  { refuse, foreign }: Pick<PickleOptions, 'refuse' | 'foreign'>,
): Head => {
  const { persistent, byKey } = namedStorages(refuse);
  const plain = (from: number): Unpickled =>
    unpickle(bytes, from, {
      refuse,
      foreign: 'refuse',
      persistent: () => refuse('storages in the fourth pickle only', 'one in another'),
    });
  const first = plain(0);
  if (first.value !== magic) refuse("PyTorch's number at the start", describeValue(first.value));
  const second = plain(first.end);
  if (second.value !== version) refuse(`version ${version}`, describeValue(second.value));
  const system = plain(second.end);
  const value = unpickle(bytes, system.end, { refuse, foreign, persistent });
  const keys = plain(value.end);
  return { value, keys: keys.value, storages: byKey, end: keys.end };
};

/** Where the numbers of a storage are. */
interface Place {
  readonly from: number;
  readonly to: number;
}

const storagePlaces = async (
  source: ByteSource,
  {
    keys,
    storages,
    from,
    refuse,
  }: Pick<Head, 'keys' | 'storages'> & { readonly from: number; readonly refuse: Refuse },
): Promise<ReadonlyMap<string, Place>> => {
  if (!Array.isArray(keys)) return refuse('a list of storages', describeValue(keys));
  const places = new Map<string, Place>();
  let at = from;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || places.has(storage.key))
      return refuse('the storages of the tensors, each once', describeValue(key));
    const place = await placeAt(source, at, { storage, refuse });
    places.set(storage.key, place);
    at = place.to;
  }
  const lost = [...storages.keys()].find((key) => !places.has(key));
  if (lost !== undefined) refuse(`the storage '${lost}'`, 'none');
  if (at !== source.size) refuse(`a file of ${at} bytes`, `${source.size} bytes`);
  return places;
};

/** Bytes before the numbers: how many there are. */
const prefix = 8;

const placeAt = async (
  source: ByteSource,
  at: number,
  { storage, refuse }: { readonly storage: NamedStorage; readonly refuse: Refuse },
): Promise<Place> => {
  const { key, dtype, total } = storage;
  const from = at + prefix;
  const to = from + total * elementTypes[dtype].BYTES_PER_ELEMENT;
  if (to > source.size) refuse(`${to} bytes for the storage '${key}'`, `a file of ${source.size} bytes`);
  const bytes = await readExactly(source, at, from, refuse);
  const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (count !== BigInt(total)) refuse(`${total} elements in the storage '${key}'`, String(count));
  return { from, to };
};

const readElements = async (
  source: ByteSource,
  { from, to, dtype, refuse }: Place & Pick<NamedStorage, 'dtype'> & { readonly refuse: Refuse },
): Promise<StoredData> => {
  const bytes = await readExactly(source, from, to, refuse);
  return elementsOf(bytes, { dtype, isBigEndian: false });
};
