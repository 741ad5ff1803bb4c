// Writes pickles of protocol 2 of what files of PyTorch hold: plain values and tensors.
import type { StoredDType } from '../safetensors.ts';
import { storageClassOf } from './globals.ts';

/** A value to pickle; a plain object becomes a dictionary, `ordered` entries an OrderedDict. */
export type PickledValue =
  | null
  | boolean
  | number
  | string
  | readonly PickledValue[]
  | { readonly kind: 'ordered'; readonly entries: readonly (readonly [string, PickledValue])[] }
  | {
      readonly kind: 'tensor';
      readonly dtype: StoredDType;
      readonly shape: readonly number[];
      readonly key: string;
    }
  | { readonly kind: 'dictionary'; readonly entries: readonly (readonly [string, PickledValue])[] };

/** Bytes that grow. */
interface Writer {
  readonly put: (...bytes: readonly number[]) => void;
  readonly text: (value: string) => void;
  readonly line: (value: string) => void;
  readonly number: (value: number) => void;
}

/**
 * The pickle of a value.
 *
 * Source   the documentation of Python's module pickletools; PyTorch's function _rebuild_tensor_v2 for tensors
 */
export const pickle = (value: PickledValue): Uint8Array => {
  const bytes: number[] = [];
  const put = (...more: readonly number[]): void => void bytes.push(...more);
  const wide = (n: number): void => put(n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, (n >>> 24) & 0xff);
  const encoder = new TextEncoder();
  const long = (more: Uint8Array): void => {
    for (const byte of more) bytes.push(byte);
  };
  const text = (content: string): void => {
    const encoded = encoder.encode(content);
    put(0x58);
    wide(encoded.length);
    long(encoded);
  };
  const number = (n: number): void => {
    if (Number.isInteger(n) && !Object.is(n, -0) && Math.abs(n) < 2 ** 31) {
      put(0x4a);
      wide(n);
      return;
    }
    const view = new DataView(new ArrayBuffer(9));
    if (Number.isSafeInteger(n) && !Object.is(n, -0)) {
      view.setBigInt64(1, BigInt(n), true);
      put(0x8a, 8);
      long(new Uint8Array(view.buffer, 1));
      return;
    }
    view.setUint8(0, 0x47);
    view.setFloat64(1, n);
    long(new Uint8Array(view.buffer));
  };
  put(0x80, 2);
  write({ put, text, line: (content) => long(encoder.encode(`${content}\n`)), number }, value);
  put(0x2e);
  return Uint8Array.from(bytes);
};

const [mark, tuple, emptyTuple, reduce, setItems] = [0x28, 0x74, 0x29, 0x52, 0x75];

const write = (writer: Writer, value: PickledValue): void => {
  const { put, text, number } = writer;
  if (value === null) put(0x4e);
  else if (typeof value === 'boolean') put(value ? 0x88 : 0x89);
  else if (typeof value === 'number') number(value);
  else if (typeof value === 'string') text(value);
  else if (isList(value)) writeList(writer, value);
  else if (value.kind === 'tensor') writeTensor(writer, value);
  else writeEntries(writer, value);
};

const isList = (value: PickledValue): value is readonly PickledValue[] => Array.isArray(value);

const writeList = (writer: Writer, items: readonly PickledValue[]): void => {
  writer.put(0x5d, mark);
  for (const item of items) write(writer, item);
  writer.put(0x65);
};

const writeGlobal = ({ put, line }: Writer, path: string): void => {
  const dot = path.lastIndexOf('.');
  put(0x63);
  line(path.slice(0, dot));
  line(path.slice(dot + 1));
};

const writeEmptyOrdered = (writer: Writer): void => {
  writeGlobal(writer, 'collections.OrderedDict');
  writer.put(emptyTuple, reduce);
};

const writeEntries = (
  writer: Writer,
  { kind, entries }: Extract<PickledValue, { readonly kind: 'ordered' | 'dictionary' }>,
): void => {
  if (kind === 'ordered') writeEmptyOrdered(writer);
  else writer.put(0x7d);
  writer.put(mark);
  for (const [name, value] of entries) {
    writer.text(name);
    write(writer, value);
  }
  writer.put(setItems);
};

const writeTuple = (writer: Writer, items: readonly number[]): void => {
  writer.put(mark);
  for (const item of items) writer.number(item);
  writer.put(tuple);
};

/** A call that makes a tensor of a whole storage, which a persistent id names. */
const writeTensor = (
  writer: Writer,
  { dtype, shape, key }: Extract<PickledValue, { readonly kind: 'tensor' }>,
): void => {
  const { put, text, number } = writer;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
  writeGlobal(writer, 'torch._utils._rebuild_tensor_v2');
  put(mark, mark);
  text('storage');
  writeGlobal(writer, storageClassOf(dtype)!);
  text(key);
  text('cpu');
  number(shape.reduce((product, n) => product * n, 1));
  put(tuple, 0x51);
  number(0);
  writeTuple(writer, shape);
  writeTuple(writer, strides);
  put(0x89); // no gradient
  writeEmptyOrdered(writer); // no hooks
  put(tuple, reduce);
};
