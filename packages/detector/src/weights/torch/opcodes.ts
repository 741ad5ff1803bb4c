// The instructions of pickle protocols 2 to 4, each a step of the machine.
// Source: the documentation of Python's module pickletools.
import { type PickleMachine, pickleLimits, textOf } from './machine.ts';
import type { TorchOpaque, TorchValue } from './values.ts';
import { describeValue, isKind } from './values.ts';

type Instruction = (machine: PickleMachine) => void;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const byte = (machine: PickleMachine): number => machine.byte();
const uint16 = ({ take }: PickleMachine): number => viewOf(take(2)).getUint16(0, true);
const uint32 = ({ take }: PickleMachine): number => viewOf(take(4)).getUint32(0, true);
const int32 = ({ take }: PickleMachine): number => viewOf(take(4)).getInt32(0, true);
const float64 = ({ take }: PickleMachine): number => viewOf(take(8)).getFloat64(0, false);
/** A length of 64 bits; those beyond 2^53 are longer than any file all the same. */
const length64 = ({ take }: PickleMachine): number => Number(viewOf(take(8)).getBigUint64(0, true));

type ReadNumber = (machine: PickleMachine) => number;

/** The lowest place that instructions may touch: above the last mark. */
const floorOf = ({ marks }: PickleMachine): number => marks.at(-1) ?? 0;

const pop = (machine: PickleMachine): TorchValue => {
  if (machine.stack.length <= floorOf(machine)) machine.refuse('a value on the stack', 'none');
  return machine.stack.pop()!;
};

const top = (machine: PickleMachine): TorchValue => {
  if (machine.stack.length <= floorOf(machine)) machine.refuse('a value on the stack', 'none');
  return machine.stack.at(-1)!;
};

const popMark = ({ stack, marks, refuse }: PickleMachine): TorchValue[] => {
  const from = marks.pop();
  return from === undefined ? refuse('a mark on the stack', 'none') : stack.splice(from);
};

const setMark: Instruction = ({ stack, marks, refuse }) => {
  if (marks.length >= pickleLimits.depth) refuse(`at most ${pickleLimits.depth} marks`, 'more');
  marks.push(stack.length);
};

const push =
  (value: TorchValue): Instruction =>
  ({ stack }) => {
    stack.push(value);
  };

const pushNumber =
  (read: ReadNumber): Instruction =>
  (machine) => {
    machine.stack.push(read(machine));
  };

/** A little-endian integer in two's complement; a number where that is exact. */
const integerOf = (bytes: Uint8Array): number | bigint => {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
};

const pushInteger =
  (lengthOf: ReadNumber): Instruction =>
  (machine) => {
    const length = lengthOf(machine);
    const most = pickleLimits.integerBytes;
    if (length < 0 || length > most) machine.refuse(`integers of at most ${most} bytes`, `${length} bytes`);
    machine.stack.push(integerOf(machine.take(length)));
  };

const pushText =
  (lengthOf: ReadNumber): Instruction =>
  (machine) => {
    machine.stack.push(textOf(machine.take(lengthOf(machine)), machine.refuse));
  };

const pushBytes =
  (lengthOf: ReadNumber): Instruction =>
  (machine) => {
    machine.stack.push(new Uint8Array(machine.take(lengthOf(machine))));
  };

const pushNew =
  (create: () => TorchValue): Instruction =>
  ({ stack, made }) => {
    stack.push(made(create()));
  };

const pushTuple =
  (count: number): Instruction =>
  (machine) => {
    const items = Array.from({ length: count }, () => pop(machine)).reverse();
    machine.stack.push(machine.made(items));
  };

/** What items are added to; opaque objects take them and forget them. */
const container = <Kind extends TorchValue[] | Set<TorchValue> | Map<TorchValue, TorchValue>>(
  machine: PickleMachine,
  type: abstract new () => Kind,
): Kind | TorchOpaque => {
  const value = top(machine);
  if (isKind(value, 'opaque') || value instanceof type) return value as Kind | TorchOpaque;
  return machine.refuse(`a ${type.name} to add items to`, describeValue(value));
};

const append = (machine: PickleMachine, items: readonly TorchValue[]): void => {
  const list = container<TorchValue[]>(machine, Array);
  if (Array.isArray(list)) for (const item of items) list.push(item);
};

const setItems = (machine: PickleMachine, items: readonly TorchValue[]): void => {
  const dictionary = container<Map<TorchValue, TorchValue>>(machine, Map);
  if (items.length % 2 !== 0) machine.refuse('keys with values', 'a key without one');
  if (dictionary instanceof Map)
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i]!, items[i + 1]!);
};

const addItems: Instruction = (machine) => {
  const items = popMark(machine);
  const set = container<Set<TorchValue>>(machine, Set);
  if (set instanceof Set) for (const item of items) set.add(item);
};

const mapOf = (machine: PickleMachine, items: readonly TorchValue[]): void => {
  machine.stack.push(machine.made(new Map()));
  setItems(machine, items);
};

const putMemo =
  (indexOf: ReadNumber): Instruction =>
  (machine) => {
    machine.memo.set(indexOf(machine), top(machine));
  };

const getMemo =
  (indexOf: ReadNumber): Instruction =>
  (machine) => {
    const index = indexOf(machine);
    const value = machine.memo.get(index);
    machine.stack.push(
      value === undefined ? machine.refuse('a value in the memo', `none at ${index}`) : value,
    );
  };

const stackGlobal: Instruction = (machine) => {
  const [name, module] = [pop(machine), pop(machine)];
  if (typeof name !== 'string' || typeof module !== 'string')
    return machine.refuse('the name of a class or function', describeValue(name));
  if (Math.max(name.length, module.length) > pickleLimits.nameLength)
    machine.refuse(`names of at most ${pickleLimits.nameLength} bytes`, 'a longer one');
  machine.stack.push(machine.global(module, name));
};

const global: Instruction = (machine) => {
  const module = machine.takeLine();
  machine.stack.push(machine.global(module, machine.takeLine()));
};

const call = (machine: PickleMachine, callee: TorchValue | undefined, argument: TorchValue): void => {
  if (isKind(callee, 'opaque') && Array.isArray(argument)) machine.stack.push(machine.call(callee, argument));
  else
    machine.refuse(
      'a function and a tuple to call it with',
      `${describeValue(callee)}, ${describeValue(argument)}`,
    );
};

const reduce: Instruction = (machine) => {
  const argument = pop(machine);
  call(machine, pop(machine), argument);
};

const newObject: Instruction = (machine) => {
  const [keywords, argument] = [pop(machine), pop(machine)];
  if (!(keywords instanceof Map)) machine.refuse('a dictionary of arguments', describeValue(keywords));
  call(machine, pop(machine), argument);
};

const objectOf: Instruction = (machine) => {
  const [callee, ...argument] = popMark(machine);
  call(machine, callee, argument);
};

const instance: Instruction = (machine) => {
  const module = machine.takeLine();
  const callee = machine.global(module, machine.takeLine());
  call(machine, callee, popMark(machine));
};

/** Attributes of an object: of dictionaries and tensors they are not read, and opaque objects have none. */
const build: Instruction = (machine) => {
  pop(machine);
  const value = top(machine);
  if (value instanceof Map || isKind(value, 'opaque') || isKind(value, 'tensor')) return;
  machine.refuse('an object with attributes', describeValue(value));
};

const requireProtocol: Instruction = (machine) => {
  const protocol = byte(machine);
  if (protocol < 2 || protocol > 4) machine.refuse('a pickle of protocol 2, 3 or 4', String(protocol));
};

const persistentId: Instruction = (machine) => {
  machine.stack.push(machine.made(machine.persistent(pop(machine))));
};

/** The instructions by their codes; what is not here does not occur in these protocols, or asks for code of the reader. */
export const opcodes: Readonly<Record<number, Instruction>> = {
  40: setMark,
  41: pushNew(() => []), // EMPTY_TUPLE
  48: (machine) => void (machine.stack.length > floorOf(machine) ? pop(machine) : popMark(machine)), // POP
  49: (machine) => void popMark(machine), // POP_MARK
  50: (machine) => void machine.stack.push(top(machine)), // DUP
  66: pushBytes(uint32), // BINBYTES
  67: pushBytes(byte), // SHORT_BINBYTES
  71: pushNumber(float64), // BINFLOAT
  74: pushNumber(int32), // BININT
  75: pushNumber(byte), // BININT1
  77: pushNumber(uint16), // BININT2
  78: push(null), // NONE
  81: persistentId, // BINPERSID
  82: reduce, // REDUCE
  84: pushText(uint32), // BINSTRING, of Python 2
  85: pushText(byte), // SHORT_BINSTRING, of Python 2
  88: pushText(uint32), // BINUNICODE
  93: pushNew(() => []), // EMPTY_LIST
  97: (machine) => append(machine, [pop(machine)]), // APPEND
  98: build, // BUILD
  99: global, // GLOBAL
  100: (machine) => mapOf(machine, popMark(machine)), // DICT
  101: (machine) => append(machine, popMark(machine)), // APPENDS
  104: getMemo(byte), // BINGET
  105: instance, // INST
  106: getMemo(uint32), // LONG_BINGET
  108: (machine) => void machine.stack.push(machine.made(popMark(machine))), // LIST
  111: objectOf, // OBJ
  113: putMemo(byte), // BINPUT
  114: putMemo(uint32), // LONG_BINPUT
  115: (machine) => setItems(machine, [pop(machine), pop(machine)].reverse()), // SETITEM
  116: (machine) => void machine.stack.push(machine.made(popMark(machine))), // TUPLE
  117: (machine) => setItems(machine, popMark(machine)), // SETITEMS
  125: pushNew(() => new Map()), // EMPTY_DICT
  128: requireProtocol, // PROTO
  129: reduce, // NEWOBJ
  133: pushTuple(1), // TUPLE1
  134: pushTuple(2), // TUPLE2
  135: pushTuple(3), // TUPLE3
  136: push(true), // NEWTRUE
  137: push(false), // NEWFALSE
  138: pushInteger(byte), // LONG1
  139: pushInteger(int32), // LONG4
  140: pushText(byte), // SHORT_BINUNICODE
  141: pushText(length64), // BINUNICODE8
  142: pushBytes(length64), // BINBYTES8
  143: pushNew(() => new Set()), // EMPTY_SET
  144: addItems, // ADDITEMS
  145: (machine) => void machine.stack.push(machine.made(new Set(popMark(machine)))), // FROZENSET
  146: newObject, // NEWOBJ_EX
  147: stackGlobal, // STACK_GLOBAL
  148: (machine) => putMemo(() => machine.memo.size)(machine), // MEMOIZE
  149: (machine) => void machine.take(8), // FRAME, whose length is of use to streams only
};
