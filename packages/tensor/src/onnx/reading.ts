// What the export of one value is: the values it is made of, and how they become operators.
import type { Tensor } from '../tensor.ts';
import type { OnnxOpset } from './model.ts';
import type { Sizes } from './sizes.ts';
import type { OnnxWriter } from './writer.ts';

/** What the export of a value may ask for. */
export interface Site {
  readonly writer: OnnxWriter;
  readonly opset: OnnxOpset;
  readonly sizesOf: (t: Tensor) => Sizes;
  /** How many values and results read this one. */
  readonly usesOf: (t: Tensor) => number;
}

/** How a value is exported: `write` gets the names of the inputs, once they are exported, and gives that of the value. */
export interface Reading {
  readonly inputs: readonly Tensor[];
  readonly write: (names: readonly string[]) => string;
}

/** A value that a primitive computes. */
export type Applied = Tensor & { readonly source: Extract<Tensor['source'], { kind: 'apply' }> };

/** Whether a primitive computes the value; of the given name, if there is one. */
export const isApplied = (t: Tensor | undefined, op?: string): t is Applied =>
  t?.source.kind === 'apply' && (op === undefined || t.source.op.name === op);

/** The value before it was repeated to a larger shape. */
export const beforeBroadcast = (t: Tensor): Tensor => (isApplied(t, 'broadcastTo') ? t.source.inputs[0]! : t);
