// Reads files of torch.save, of both containers, without executing anything in them.
import { sentence } from '@autoassign/tensor';
import { WeightsError } from '../../errors.ts';
import { type ByteSource, sourceOfBytes } from '../byteSource.ts';
import { elementTypes, type StoredData, type StoredTensor } from '../safetensors.ts';
import { isLegacyStart, openLegacy } from './legacyFile.ts';
import type { NamedStorage } from './persistentId.ts';
import { arrayIn, countOf } from './tensors.ts';
import type { Refuse, TorchTensor, TorchValue } from './values.ts';
import { readExactly } from './values.ts';
import { openZip, type TorchContainer } from './zipFile.ts';

/** How a file is read. */
export interface TorchOptions {
  /** How messages name the file. */
  readonly label?: string;
  /**
   * What becomes of Python objects that are neither tensors nor plain values: by default an error that names the first; or opaque
   * values, as training checkpoints have them beside their weights. They are never executed.
   */
  readonly foreign?: 'refuse' | 'opaque';
}

/** A file of torch.save. */
export interface TorchFile {
  readonly container: 'zip' | 'legacy';
  readonly value: TorchValue;
  /** The names of the Python objects that were left opaque. */
  readonly foreign: readonly string[];
  /** Bytes that the tensors of one reading may take together: views can be far larger than what they view. */
  readonly mostBytes: number;
  /**
   * The numbers of a tensor of this file.
   *
   * Throws   WeightsError when the file is damaged there
   */
  readonly arrayOf: (tensor: TorchTensor) => Promise<StoredTensor>;
}

const damaged = 'The file is damaged or of another format; fetch or write it again.';

/** Throws WeightsErrors that name the reader and the file. */
export const refusal =
  (where: string, label: string | undefined): Refuse =>
  (needs, got, advice = damaged) => {
    throw new WeightsError(sentence({ where, label, needs, got, advice }));
  };

/**
 * The value in a file of torch.save; the numbers of its tensors are read when they are asked for.
 *
 * Throws   WeightsError when the file is damaged, of another format, or asks for more than it should; with `foreign` at 'refuse' when it
 *          names a Python object that is neither tensor nor plain value
 * Example  const file = await readTorch(await readFile('model.pth'), { label: 'model.pth' })
 */
export const readTorch = async (
  input: Uint8Array | ByteSource,
  { label, foreign = 'refuse' }: TorchOptions = {},
): Promise<TorchFile> => {
  const source = input instanceof Uint8Array ? sourceOfBytes(input) : input;
  const refuse = refusal('readTorch', label);
  const start = await readExactly(source, 0, Math.min(source.size, 64), refuse);
  const container = isZip(start) ? 'zip' : isLegacyStart(start) ? 'legacy' : refuseStart(start, refuse);
  const open = container === 'zip' ? openZip : openLegacy;
  const opened = await open(source, { refuse, foreign });
  const mostBytes = 4 * source.size + 2 ** 24;
  return {
    container,
    value: opened.value,
    foreign: opened.foreign,
    mostBytes,
    arrayOf: arrayReader(opened, { mostBytes, refuse }),
  };
};

/** Reads arrays; storages that several tensors share are read once and kept. */
const arrayReader = (
  { storages, readStorage }: TorchContainer,
  { mostBytes, refuse }: { readonly mostBytes: number; readonly refuse: Refuse },
): TorchFile['arrayOf'] => {
  const shared = new Map<string, Promise<StoredData>>();
  const elements = (storage: NamedStorage): Promise<StoredData> => {
    if (storage.users === 1) return readStorage(storage);
    const kept = shared.get(storage.key) ?? readStorage(storage);
    shared.set(storage.key, kept);
    return kept;
  };
  return async (tensor) => {
    const size = countOf(tensor) * elementTypes[tensor.dtype].BYTES_PER_ELEMENT;
    if (size > mostBytes)
      refuse(`a tensor of at most ${mostBytes} bytes for a file of this size`, String(size));
    return arrayIn(tensor, await elements(storages.get(tensor.storage.key)!));
  };
};

const isZip = (start: Uint8Array): boolean =>
  [0x50, 0x4b, 0x03, 0x04].every((value, i) => start[i] === value);

/** Whether the first bytes of a file are those of torch.save. */
export const isTorchStart = (start: Uint8Array): boolean => isZip(start) || isLegacyStart(start);

/** Beginnings of files that are mistaken for checkpoints. */
const others: readonly (readonly [beginning: string, what: string])[] = [
  ['\u001f\u008b', 'a gzip archive'],
  ['version https://git-lfs', 'a pointer of Git LFS instead of the file itself'],
  ['<', 'a web page or XML'],
  ['\u0080', 'a pickle that torch.save did not write'],
  ['{', 'JSON'],
];

const refuseStart = (start: Uint8Array, refuse: Refuse): never => {
  if (start.length === 0) refuse('a file of torch.save', 'an empty file');
  const text = String.fromCharCode(...start);
  const other = others.find(([beginning]) => text.startsWith(beginning))?.[1];
  const bytes = Array.from(start.subarray(0, 4), (x) => x.toString(16).padStart(2, '0')).join(' ');
  return refuse('a file of torch.save', other ?? `one that begins with the bytes ${bytes}`);
};
