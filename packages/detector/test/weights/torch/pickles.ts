// Pickles and files put together by hand, as no honest program would write them.
import { zipArchive } from '../../../src/weights/torch/zipArchive.ts';

/** Bytes of an instruction or of several. */
export type Code = readonly number[];

const encoder = new TextEncoder();

const uint32 = (n: number): Code => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, (n >>> 24) & 0xff];

/** BINUNICODE. */
export const text = (value: string): Code => {
  const bytes = encoder.encode(value);
  return [0x58, ...uint32(bytes.length), ...bytes];
};

/** GLOBAL. */
export const global = (module: string, name: string): Code => [
  0x63,
  ...encoder.encode(`${module}\n${name}\n`),
];

/** BINFLOAT for fractions, LONG1 for everything else, so that any number fits. */
export const number = (value: number): Code => {
  const view = new DataView(new ArrayBuffer(8));
  if (Number.isInteger(value)) view.setBigInt64(0, BigInt(value), true);
  else view.setFloat64(0, value);
  return [...(Number.isInteger(value) ? [0x8a, 8] : [0x47]), ...new Uint8Array(view.buffer)];
};

/** MARK … TUPLE. */
export const tuple = (...items: readonly Code[]): Code => [0x28, ...items.flat(), 0x74];

/** EMPTY_DICT MARK … SETITEMS. */
export const dictionary = (...entries: readonly (readonly [Code, Code])[]): Code => [
  0x7d,
  0x28,
  ...entries.flat(2),
  0x75,
];

/** REDUCE: a call. */
export const call = (callee: Code, argument: Code): Code => [...callee, ...argument, 0x52];

/** BINPERSID of a storage. */
export const storage = (
  key: string,
  count: number,
  type = 'FloatStorage',
  view: readonly Code[] = [],
): Code => [
  ...tuple(text('storage'), global('torch', type), text(key), text('cpu'), number(count), ...view),
  0x51,
];

/** A tensor in a storage of that many elements. */
export const tensorIn = (
  count: number,
  offset: number,
  shape: readonly number[],
  stride: readonly number[],
  key = '0',
): Code =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    tuple(
      storage(key, count),
      number(offset),
      tuple(...shape.map(number)),
      tuple(...stride.map(number)),
      [0x89],
      call(global('collections', 'OrderedDict'), [0x29]),
    ),
  );

/** A pickle: PROTO 2 … STOP. */
export const pickleOf = (code: Code, protocol = 2): Uint8Array =>
  Uint8Array.from([0x80, protocol, ...code, 0x2e]);

/** A file in the ZIP container with this value and these storages. */
export const zipOf = (
  code: Code,
  storages: Readonly<Record<string, Uint8Array>> = {},
  others: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array =>
  zipArchive([
    { name: 'a/data.pkl', bytes: pickleOf(code) },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `a/data/${key}`, bytes })),
    ...Object.entries(others).map(([name, bytes]) => ({ name: `a/${name}`, bytes })),
  ]);

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** A file in the container before version 1.6. */
export const legacyOf = (
  code: Code,
  storages: readonly (readonly [key: string, count: number, bytes: Uint8Array])[] = [],
): Uint8Array => {
  const magic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const keys = [0x5d, 0x28, ...storages.flatMap(([key]) => text(key)), 0x65];
  return joined([
    pickleOf(magic),
    pickleOf([0x4d, 0xe9, 0x03]),
    pickleOf(dictionary([text('little_endian'), [0x88]])),
    pickleOf(code),
    pickleOf(keys),
    ...storages.flatMap(([, count, bytes]) => [
      new Uint8Array(BigInt64Array.of(BigInt(count)).buffer),
      bytes,
    ]),
  ]);
};

/** The bytes of single-precision floats. */
export const floats = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

/** A copy of an archive with numbers of its directory changed: entry `index`, 2 or 4 bytes at `place` of it. */
export const withEntry = (
  archive: Uint8Array,
  index: number,
  changes: Readonly<Record<number, number>>,
): Uint8Array => {
  const changed = archive.slice();
  const view = new DataView(changed.buffer);
  let at = view.getUint32(changed.length - 22 + 16, true);
  for (let i = 0; i < index; i++) at += 46 + view.getUint16(at + 28, true);
  for (const [place, value] of Object.entries(changes))
    if ([8, 10].includes(Number(place))) view.setUint16(at + Number(place), value, true);
    else view.setUint32(at + Number(place), value, true);
  return changed;
};
