// Finding the state dictionary in what a file of torch.save holds.

import { elementTypes } from '../safetensors.ts';
import { refuseForeign } from './machine.ts';
import type { TorchFile } from './readTorch.ts';
import { refusal } from './readTorch.ts';
import { countOf } from './tensors.ts';
import type { Refuse, TorchTensor, TorchValue } from './values.ts';
import { describeValue, isKind } from './values.ts';

/** Where training programs keep the state dictionary, in the order in which they are looked for. */
const places = ['state_dict', 'model', 'state_dict_ema'] as const;

/** The tensors of a module by name. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** The entry of the file that it was found in; undefined when it is the whole file. */
  readonly place: string | undefined;
  /** Entries with plain values instead of tensors. */
  readonly plain: readonly string[];
}

/** How a state dictionary is chosen. */
export interface StateDictOptions {
  readonly label?: string;
  /** The entry of the file that holds it; by default state_dict, model or state_dict_ema, else the file's whole value. */
  readonly place?: string;
}

/**
 * The state dictionary in a file of torch.save.
 *
 * Throws   WeightsError when there is none, when an entry of it is a Python object that is neither tensor nor plain value, or when its
 *          tensors are many times larger than the file
 */
export const stateDictOf = (file: TorchFile, { label, place }: StateDictOptions = {}): StateDict => {
  const refuse = refusal('stateDictOf', label);
  const found = chosen(file.value, place, refuse);
  const tensors = new Map<string, TorchTensor>();
  const plain: string[] = [];
  for (const [name, value] of found.entries) {
    if (typeof name !== 'string') return refuse('names of tensors', describeValue(name));
    if (isKind(value, 'opaque')) refuseForeign(value.name, refuse);
    if (isKind(value, 'tensor')) tensors.set(name, value);
    else plain.push(name);
  }
  if (tensors.size === 0) refuse('a state dictionary with tensors', describeValue(found.entries));
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  if (bytes > file.mostBytes)
    refuse(`tensors of at most ${file.mostBytes} bytes for a file of this size`, String(bytes));
  return { tensors, place: found.place, plain };
};

const bytesOf = (tensor: TorchTensor): number =>
  countOf(tensor) * elementTypes[tensor.dtype].BYTES_PER_ELEMENT;

interface Chosen {
  readonly entries: Map<TorchValue, TorchValue>;
  readonly place: string | undefined;
}

const chosen = (value: TorchValue, place: string | undefined, refuse: Refuse): Chosen => {
  if (isKind(value, 'opaque')) return refuseForeign(value.name, refuse);
  if (!(value instanceof Map)) return refuse('a dictionary', describeValue(value));
  const wanted =
    place ?? places.find((name) => value.get(name) instanceof Map || isKind(value.get(name), 'opaque'));
  if (wanted === undefined) return { entries: value, place: undefined };
  const entries = value.get(wanted);
  if (isKind(entries, 'opaque')) return refuseForeign(entries.name, refuse);
  if (entries instanceof Map) return { entries, place: wanted };
  return refuse(`a dictionary in '${wanted}'`, describeValue(entries), `The file has ${listed(value)}.`);
};

const listed = (value: Map<TorchValue, TorchValue>): string =>
  [...value.keys()]
    .slice(0, 10)
    .map((name) => describeValue(name))
    .join(', ');
