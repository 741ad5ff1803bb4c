// ONNX models as plain data, and the bytes of a model file.
import { sentence, UnsupportedError } from '../errors.ts';
import type { Pieces } from './protobuf.ts';
import { floatField, integerField, join, lengthOf, messageField, textField } from './protobuf.ts';

/** Element types of values in an ONNX graph. */
export type OnnxType = 'f32' | 'i32' | 'i64' | 'bool' | 'u8';

/** An attribute: a whole number or a list of them, a number in single precision, or text. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number } | string;

/** One operator; absent inputs are empty names. */
export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A value that enters or leaves the graph. Sizes are numbers, names of sizes that a run decides, or unknown. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string | undefined)[];
}

/** A value that is stored in the file. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A graph: operators in an order that can run, what enters and leaves it, and what is stored with it. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
}

/** The versions of the operators that graphs can be written for. */
export type OnnxOpset = 17 | 21;

/** What a file says besides its graph. */
export interface OnnxModelOptions {
  readonly opset: OnnxOpset;
  /** The name of the graph. */
  readonly name: string;
  /** The program that wrote it. */
  readonly producer: { readonly name: string; readonly version: string };
  /** Notes by key, which runtimes pass on. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The version of the file format that came with each version of the operators. */
const formatOf: Readonly<Record<OnnxOpset, number>> = { 17: 8, 21: 10 };

const typeNumbers: Readonly<Record<OnnxType, number>> = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9 };

const attributeField = (name: string, value: OnnxAttribute): Pieces => {
  const fields = (kind: number, ...values: readonly Pieces[]): Pieces =>
    messageField(5, textField(1, name), ...values, integerField(20, kind));
  if (typeof value === 'number') return fields(2, integerField(3, value));
  if (typeof value === 'string') return fields(3, textField(4, value));
  if ('float' in value) return fields(1, floatField(2, value.float));
  return fields(7, ...value.map((n) => integerField(8, n)));
};

const nodeField = ({ op, name, inputs, outputs, attributes }: OnnxNode): Pieces =>
  messageField(
    1,
    ...inputs.map((input) => textField(1, input)),
    ...outputs.map((output) => textField(2, output)),
    textField(3, name),
    textField(4, op),
    ...Object.entries(attributes).map(([key, value]) => attributeField(key, value)),
  );

const initializerField = ({ name, type, shape, data }: OnnxInitializer): Pieces =>
  messageField(
    5,
    ...shape.map((size) => integerField(1, size)),
    integerField(2, typeNumbers[type]),
    textField(8, name),
    messageField(9, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
  );

const valueField = (field: number, { name, type, shape }: OnnxValue): Pieces => {
  const sizes = shape.map((size) => {
    if (size === undefined) return messageField(1);
    return messageField(1, typeof size === 'number' ? integerField(1, size) : textField(2, size));
  });
  const tensor = messageField(1, integerField(1, typeNumbers[type]), messageField(2, ...sizes));
  return messageField(field, textField(1, name), messageField(2, tensor));
};

/** Protocol buffers hold no more: readers count in 31 bits. */
const mostBytes = 2 ** 31 - 1;

/**
 * The bytes of a model file.
 *
 * Throws   UnsupportedError when it would take 2 GiB or more
 * Source   Open Neural Network Exchange, onnx.proto
 */
export const onnxModel = (graph: OnnxGraph, options: OnnxModelOptions): Uint8Array<ArrayBuffer> => {
  const { opset, name, producer, metadata = {} } = options;
  const pieces = [
    integerField(1, formatOf[opset]),
    textField(2, producer.name),
    textField(3, producer.version),
    messageField(
      7,
      ...graph.nodes.map(nodeField),
      textField(2, name),
      ...graph.initializers.map(initializerField),
      ...graph.inputs.map((value) => valueField(11, value)),
      ...graph.outputs.map((value) => valueField(12, value)),
    ),
    messageField(8, textField(1, ''), integerField(2, opset)),
    ...Object.entries(metadata).map(([key, value]) =>
      messageField(14, textField(1, key), textField(2, value)),
    ),
  ].flat();
  const bytes = lengthOf(pieces);
  if (bytes <= mostBytes) return join(pieces);
  throw new UnsupportedError(
    sentence({
      where: 'onnxModel',
      label: name,
      needs: 'a file of less than 2 GiB',
      got: `${bytes} bytes`,
      advice: 'Export a smaller network.',
    }),
  );
};
