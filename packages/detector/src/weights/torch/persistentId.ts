// What the persistent ids of PyTorch's pickles stand for: storages, named in the pickle and kept elsewhere in the file.
import { storageDType } from './globals.ts';
import type { Refuse, TorchStorage, TorchValue } from './values.ts';
import { describeValue, isKind } from './values.ts';

/** The storages that a pickle names. */
export interface NamedStorages {
  /** What a persistent id stands for. */
  readonly persistent: (id: TorchValue) => TorchValue;
  /** By name, each with the number of times that it was named. */
  readonly byKey: ReadonlyMap<string, NamedStorage>;
}

/** A storage of the file. */
export interface NamedStorage extends Pick<TorchStorage, 'dtype' | 'key' | 'total'> {
  users: number;
}

const isCount = (value: TorchValue | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** An empty list of storages that fills as persistent ids are met. */
export const namedStorages = (refuse: Refuse): NamedStorages => {
  const byKey = new Map<string, NamedStorage>();
  const persistent = (id: TorchValue): TorchValue => {
    if (!Array.isArray(id)) return refuse('a persistent id that is a tuple', describeValue(id));
    // modules that were saved whole come with their source code
    if (id[0] === 'module') return id[1] ?? null;
    const storage = storageOf(id, refuse);
    const known = byKey.get(storage.key);
    if (known !== undefined && (known.dtype !== storage.dtype || known.total !== storage.total))
      refuse(
        `one type and size for the storage '${storage.key}'`,
        `${known.dtype}[${known.total}] and ${storage.dtype}[${storage.total}]`,
      );
    if (known === undefined) byKey.set(storage.key, { ...storage, users: 1 });
    else known.users += 1;
    return storage;
  };
  return { persistent, byKey };
};

const storageOf = ([kind, type, key, , total, view]: readonly TorchValue[], refuse: Refuse): TorchStorage => {
  const dtype = storageDType(type);
  if (kind !== 'storage' || typeof key !== 'string' || !isCount(total))
    return refuse('the persistent id of a storage', `${describeValue(kind)} ${describeValue(key)}`);
  if (dtype === undefined)
    return refuse('a storage of a known type', isKind(type, 'opaque') ? type.name : describeValue(type));
  const whole: TorchStorage = { kind: 'storage', dtype, key, total, start: 0, length: total };
  if (view === undefined || view === null) return whole;
  const [, start, length] = Array.isArray(view) ? view : [];
  if (!isCount(start) || !isCount(length) || start + length > total)
    return refuse(`a window within the storage '${key}' of ${total} elements`, describeValue(view));
  return { ...whole, start, length };
};
