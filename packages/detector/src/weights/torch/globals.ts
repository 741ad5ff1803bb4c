// The classes and functions that PyTorch's own files name, and what stands for a call of each. No other is ever made into anything.
import type { StoredDType } from '../safetensors.ts';
import { tensorOf } from './tensors.ts';
import type { Refuse, TorchOpaque, TorchValue } from './values.ts';
import { describeValue, isKind } from './values.ts';

/** The element types of PyTorch's classes of storages. */
const storageClasses: ReadonlyMap<string, StoredDType> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** The element type of a class of storages, or undefined for other objects. */
export const storageDType = (value: TorchValue | undefined): StoredDType | undefined =>
  isKind(value, 'opaque') ? storageClasses.get(value.name) : undefined;

/** The class of storages of an element type, or undefined where PyTorch has none. */
export const storageClassOf = (dtype: StoredDType): string | undefined =>
  [...storageClasses].find(([, known]) => known === dtype)?.[0];

type Call = (argument: readonly TorchValue[], refuse: Refuse) => TorchValue;

/** A dictionary from a list of pairs. */
const dictionary: Call = ([pairs = []], refuse) => {
  if (pairs instanceof Map) return new Map(pairs);
  if (!Array.isArray(pairs)) return refuse('a list of pairs', describeValue(pairs));
  return new Map(
    pairs.map((pair): [TorchValue, TorchValue] => {
      if (!Array.isArray(pair) || pair.length !== 2) return refuse('a pair', describeValue(pair));
      return [pair[0]!, pair[1]!];
    }),
  );
};

const set: Call = ([items = []], refuse) =>
  Array.isArray(items) ? new Set(items) : refuse('a list of items', describeValue(items));

const size: Call = ([items = []], refuse) =>
  Array.isArray(items) ? [...items] : refuse('a tuple of sizes', describeValue(items));

/** A parameter of a module: its tensor, and whether it is trained. */
const parameter: Call = ([value, requiresGrad], refuse) =>
  isKind(value, 'tensor')
    ? { ...value, requiresGrad: requiresGrad === true, isParameter: true }
    : refuse('a tensor in a parameter', describeValue(value));

/** A tensor with attributes: the tensor alone. */
const attributed: Call = ([make, , argument], refuse) => {
  if (!isKind(make, 'opaque') || !Array.isArray(argument))
    return refuse('a function and its arguments', describeValue(make));
  return callKnown(make, argument, refuse);
};

const calls: ReadonlyMap<string, Call> = new Map([
  ['collections.OrderedDict', dictionary],
  ['collections.defaultdict', () => new Map()],
  ['builtins.set', set],
  ['__builtin__.set', set],
  ['torch.Size', size],
  ['torch._utils._rebuild_tensor', tensorOf],
  ['torch._utils._rebuild_tensor_v2', tensorOf],
  ['torch._utils._rebuild_parameter', parameter],
  ['torch._utils._rebuild_parameter_with_state', parameter],
  ['torch._tensor._rebuild_from_type_v2', attributed],
]);

/** Names that are known, but say nothing that is read: devices, element types, classes of tensors. */
const isQuiet = (name: string): boolean =>
  storageClasses.has(name) ||
  /^torch\.(device|Tensor|(b?float|u?int|complex|bool)\d*|nn\.parameter\.Parameter)$/.test(name);

/** Whether a class or function is one that PyTorch's files name for tensors and plain values. */
export const isKnown = (name: string): boolean => calls.has(name) || isQuiet(name);

/** What a call of a class or function gives; of one that is not known, an opaque object of that name. */
export const callKnown = (callee: TorchOpaque, argument: readonly TorchValue[], refuse: Refuse): TorchValue =>
  calls.get(callee.name)?.(argument, refuse) ?? { kind: 'opaque', name: callee.name };
