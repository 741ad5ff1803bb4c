// Reading ONNX files back, independently of what wrote them: protocol buffers by their own structure, then the graph.

/** Field numbers with their values: numbers of fields that hold numbers, bytes of the others. */
type Fields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

/** An attribute: numbers, or text. */
export type ReadAttribute = readonly number[] | string;

/** An operator as a file has it. */
export interface ReadNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, ReadAttribute>;
}

/** The types that files name by number. */
export type ReadType = 'f32' | 'u8' | 'i32' | 'i64' | 'bool';

/** An array with its type; all numbers are held in double precision. */
export interface OnnxArray {
  readonly type: ReadType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An input or output; sizes that a run decides are their names, or empty text. */
export interface ReadValue {
  readonly name: string;
  readonly type: ReadType;
  readonly shape: readonly (number | string)[];
}

/** What a file holds. */
export interface ReadModel {
  readonly opset: number;
  readonly formatVersion: number;
  readonly metadata: ReadonlyMap<string, string>;
  readonly nodes: readonly ReadNode[];
  readonly initializers: ReadonlyMap<string, OnnxArray>;
  readonly inputs: readonly ReadValue[];
  readonly outputs: readonly ReadValue[];
}

const fieldsOf = (bytes: Uint8Array): Fields => {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new RangeError(`varint without end at byte ${at}`);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError(`field beyond the end at byte ${at}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    if (kind !== 0 && kind !== 2 && kind !== 5) throw new RangeError(`wire type ${kind} at byte ${at}`);
    const value = kind === 0 ? varint() : take(kind === 5 ? 4 : Number(varint()));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
};

const messages = (fields: Fields, number: number): Uint8Array[] =>
  (fields.get(number) ?? []).filter((value) => value instanceof Uint8Array);
const texts = (fields: Fields, number: number): string[] =>
  messages(fields, number).map((bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes));
const text = (fields: Fields, number: number): string => texts(fields, number)[0] ?? '';
const integers = (fields: Fields, number: number): number[] =>
  (fields.get(number) ?? []).map((value) => Number(BigInt.asIntN(64, value as bigint)));

const typeOf = (number: number | undefined): ReadType => {
  const types: Readonly<Record<number, ReadType>> = { 1: 'f32', 2: 'u8', 6: 'i32', 7: 'i64', 9: 'bool' };
  const type = types[number ?? 0];
  if (type === undefined) throw new RangeError(`element type ${number}`);
  return type;
};

const readAttribute = (bytes: Uint8Array): readonly [string, ReadAttribute] => {
  const fields = fieldsOf(bytes);
  const name = text(fields, 1);
  const [kind] = integers(fields, 20);
  if (kind === 3) return [name, text(fields, 4)];
  if (kind === 2) return [name, integers(fields, 3)];
  if (kind === 7) return [name, integers(fields, 8)];
  const [single] = messages(fields, 2);
  if (kind !== 1 || single === undefined) throw new RangeError(`attribute ${name} of kind ${kind}`);
  return [name, [new DataView(single.buffer, single.byteOffset).getFloat32(0, true)]];
};

const readNode = (bytes: Uint8Array): ReadNode => {
  const fields = fieldsOf(bytes);
  return {
    inputs: texts(fields, 1),
    outputs: texts(fields, 2),
    name: text(fields, 3),
    op: text(fields, 4),
    attributes: new Map(messages(fields, 5).map(readAttribute)),
  };
};

const readInitializer = (bytes: Uint8Array): readonly [string, OnnxArray] => {
  const fields = fieldsOf(bytes);
  const type = typeOf(integers(fields, 2)[0]);
  const { buffer } = messages(fields, 9)[0]!.slice();
  const stored = {
    f32: () => new Float32Array(buffer),
    u8: () => new Uint8Array(buffer),
    i32: () => new Int32Array(buffer),
    i64: () => Float64Array.from(new BigInt64Array(buffer), Number),
    bool: () => new Uint8Array(buffer),
  };
  const data = Float64Array.from(stored[type]() as ArrayLike<number>);
  return [text(fields, 8), { type, shape: integers(fields, 1), data }];
};

const readValue = (bytes: Uint8Array): ReadValue => {
  const fields = fieldsOf(bytes);
  const tensor = fieldsOf(messages(fieldsOf(messages(fields, 2)[0]!), 1)[0]!);
  const sizes = messages(fieldsOf(messages(tensor, 2)[0]!), 1).map(fieldsOf);
  return {
    name: text(fields, 1),
    type: typeOf(integers(tensor, 1)[0]),
    shape: sizes.map((size) => integers(size, 1)[0] ?? text(size, 2)),
  };
};

/**
 * What an ONNX file holds.
 *
 * Throws   RangeError when the bytes are not what the format asks for
 */
export const readOnnx = (bytes: Uint8Array): ReadModel => {
  const model = fieldsOf(bytes);
  const graph = fieldsOf(messages(model, 7)[0]!);
  const entry = (note: Uint8Array): readonly [string, string] => {
    const fields = fieldsOf(note);
    return [text(fields, 1), text(fields, 2)];
  };
  return {
    formatVersion: integers(model, 1)[0]!,
    opset: integers(fieldsOf(messages(model, 8)[0]!), 2)[0]!,
    metadata: new Map(messages(model, 14).map(entry)),
    nodes: messages(graph, 1).map(readNode),
    initializers: new Map(messages(graph, 5).map(readInitializer)),
    inputs: messages(graph, 11).map(readValue),
    outputs: messages(graph, 12).map(readValue),
  };
};
