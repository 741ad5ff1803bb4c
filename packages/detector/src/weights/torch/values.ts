// What a PyTorch file holds as plain values: dictionaries as Map, lists and tuples as arrays, tensors as descriptions of their place.
import type { ByteSource } from '../byteSource.ts';
import type { StoredDType } from '../safetensors.ts';

/** The numbers that tensors look into, named but not yet read. */
export interface TorchStorage {
  readonly kind: 'storage';
  readonly dtype: StoredDType;
  /** Its name in the file. */
  readonly key: string;
  /** Elements in the file under that name. */
  readonly total: number;
  /** Where it begins among them, and how long it is; old files have storages that are windows of others. */
  readonly start: number;
  readonly length: number;
}

/** A tensor: a view of a storage, whose numbers are read with `arrayOf` of the file. */
export interface TorchTensor {
  readonly kind: 'tensor';
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Elements from one position of a dimension to the next. */
  readonly stride: readonly number[];
  /** The first element's place in the storage. */
  readonly offset: number;
  readonly storage: TorchStorage;
  readonly requiresGrad: boolean;
  /** Whether the file says that it is a parameter of a module. */
  readonly isParameter: boolean;
}

/** A Python object that is not read, or a class or function: its name is all that is known, nothing of it was executed. */
export interface TorchOpaque {
  readonly kind: 'opaque';
  /** Such as 'mmengine.logging.history_buffer.HistoryBuffer'. */
  readonly name: string;
}

/**
 * A value of a PyTorch file. None is null; integers beyond 2^53 are bigint; bytes are Uint8Array; attributes of dictionaries, such as
 * `_metadata` of state dictionaries, are left out.
 */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TorchValue[]
  | Set<TorchValue>
  | Map<TorchValue, TorchValue>
  | TorchTensor
  | TorchStorage
  | TorchOpaque;

/** Whether a value is a description with this `kind`. */
export const isKind = <Kind extends 'tensor' | 'storage' | 'opaque'>(
  value: TorchValue | undefined,
  kind: Kind,
): value is Extract<TorchValue, { readonly kind: Kind }> =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;

/** A short text that says what a value is, for messages. */
export const describeValue = (value: TorchValue | undefined): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dictionary of ${value.size}`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value.kind === 'opaque') return `an object '${value.name}'`;
  return value.kind === 'tensor'
    ? `a tensor ${value.dtype}[${value.shape.join(',')}]`
    : `a storage '${value.key}'`;
};

/** Throws what is wrong with a file: what it needs, and what was found. */
export type Refuse = (needs: string, got: string, advice?: string) => never;

/** The bytes of a source from one position to before another, and nothing less. */
export const readExactly = async (
  source: ByteSource,
  from: number,
  to: number,
  refuse: Refuse,
): Promise<Uint8Array> => {
  const bytes = await source.read(from, to);
  return bytes.length === to - from ? bytes : refuse(`${to - from} bytes at byte ${from}`, `${bytes.length}`);
};
