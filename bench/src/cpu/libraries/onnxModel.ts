// ONNX models written from plain data: the few fields of the protocol buffers that the comparison's graphs need.
import type { Values } from '../work.ts';

/** One operator of a graph; attributes are integers, or lists of them. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A graph with its weights and the shapes of its inputs. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly weights: Readonly<Record<string, Values>>;
  /** The name and the number of axes of the result. */
  readonly output: { readonly name: string; readonly axes: number };
}

type Bytes = readonly Uint8Array[];

const varint = (value: number): Uint8Array => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
};

const integer = (field: number, value: number): Bytes => [varint(field * 8), varint(value)];

/** A field of bytes: a message, packed numbers or text. */
const message = (field: number, ...parts: readonly Bytes[]): Bytes => {
  const content = parts.flat();
  const size = content.reduce((total, { length }) => total + length, 0);
  return [varint(field * 8 + 2), varint(size), ...content];
};

const text = (field: number, value: string): Bytes => message(field, [new TextEncoder().encode(value)]);

const float = 1;

const attribute = (name: string, value: number | readonly number[]): Bytes =>
  typeof value === 'number'
    ? message(5, text(1, name), integer(3, value), integer(20, 2))
    : message(5, text(1, name), ...value.map((n) => integer(8, n)), integer(20, 7));

const node = ({ op, inputs, output, attributes = {} }: OnnxNode): Bytes =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );

const weight = (name: string, { shape, data }: Values): Bytes => {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message(5, ...shape.map((n) => integer(1, n)), integer(2, float), text(8, name), message(9, [raw]));
};

/** An input or output; its sizes are numbers, or unknown. */
const place = (field: number, name: string, shape: readonly (number | undefined)[]): Bytes => {
  const sizes = shape.map((n) => message(1, n === undefined ? text(2, 'any') : integer(1, n)));
  return message(field, text(1, name), message(2, message(1, integer(1, float), message(2, ...sizes))));
};

/** The bytes of a model file, operator set 17. */
export const onnxModel = ({ nodes, inputs, weights, output }: OnnxGraph): Uint8Array => {
  const graph = message(
    7,
    ...nodes.map(node),
    text(2, 'comparison'),
    ...Object.entries(weights).map(([name, values]) => weight(name, values)),
    ...Object.entries(inputs).map(([name, shape]) => place(11, name, shape)),
    place(
      12,
      output.name,
      Array.from({ length: output.axes }, () => undefined),
    ),
  );
  return Uint8Array.from(Buffer.concat([integer(1, 8), graph, message(8, integer(2, 17))].flat()));
};
