// The op record: name, shape rule, reference meaning, and what lets fusion see through the op.
import type { NdArray } from 'ndarray';
import type { Expression } from './expression.ts';
import type { Data, Shape, Spec } from './tensor.ts';

/** Static arguments of an op: plain data, so that equal nodes can be recognised. */
export type Attrs = Readonly<Record<string, unknown>>;

/** An array of the reference backend: a strided view with get and set. */
export type View = NdArray<Data>;

/** Where the elements of a tensor lie in a flat array: element i of dimension d is `strides[d]` further. */
export interface Layout {
  readonly strides: readonly number[];
  readonly offset: number;
}

/**
 * One op, one record. Whatever else is known of an op (derivative, tuned kernels) refers to this record.
 *
 * The attrs type appears in method parameters only, so records of different attrs live in one table.
 */
export interface Primitive<A extends Attrs = Attrs> {
  readonly name: string;
  /** Shape rule; the only place that throws ShapeError or DTypeError for this op. */
  infer(inputs: readonly Spec[], attrs: A): Spec;
  /** The meaning: plain loops with double accumulation. Every other kernel is tested against this. `out` is contiguous. */
  reference(inputs: readonly View[], out: View, attrs: A): void;
  /** Elementwise ops: the value of one element from the inputs' elements at the same index. */
  expression?(inputs: readonly Expression[], attrs: A, out: Spec): Expression;
  /** Movement ops: where the output's elements lie in the input's storage, or undefined when no strides can say it. */
  relayout?(layout: Layout, shape: Shape, attrs: A): Layout | undefined;
}
