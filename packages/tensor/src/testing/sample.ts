// What a sample of a primitive is: leaves, how they reach the op, attrs. And how tensors are made of one.
import { broadcastTo, transpose } from '../ops/movement.ts';
import type { Attrs, Primitive } from '../primitive.ts';
import type { Shape, Tensor } from '../tensor.ts';
import { apply, tensor } from '../tensor.ts';
import type { Leaf } from './draw.ts';

/** How a leaf is seen by the op: some backends then read it through strides. */
export type Arrangement =
  | { readonly kind: 'transpose'; readonly axes: readonly number[] }
  | { readonly kind: 'broadcast'; readonly shape: Shape };

/** One input of a sample: a leaf, and how it is arranged before the op sees it. */
export interface SampleInput extends Leaf {
  readonly arrangement?: Arrangement;
}

/** One case of one primitive. */
export interface Sample<A> {
  /** What is particular about the case. */
  readonly label: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: A;
  /**
   * Whether the derivative exists and is well conditioned at the inputs, steps of 1e-3 included. Differentiable inputs are the
   * ones of dtype f32.
   */
  readonly smooth: boolean;
}

/** The leaf with its dimensions permuted before the op. */
export const transposed = (leaf: Leaf, axes: readonly number[]): SampleInput => ({
  ...leaf,
  arrangement: { kind: 'transpose', axes },
});

/** The leaf repeated to a shape before the op. */
export const repeated = (leaf: Leaf, shape: Shape): SampleInput => ({
  ...leaf,
  arrangement: { kind: 'broadcast', shape },
});

/** The leaves of a sample as constant tensors: the arguments of `outputOf`. */
export const leavesOf = (sample: Sample<unknown>): Tensor[] =>
  sample.inputs.map(({ spec, data }) => tensor(data, { shape: spec.shape, dtype: spec.dtype }));

/** The primitive applied to the sample's arrangement of the given leaves. */
export const outputOf = <A extends Attrs>(
  op: Primitive<A>,
  sample: Sample<A>,
  leaves: readonly Tensor[],
): Tensor =>
  apply(
    op,
    sample.inputs.map(({ arrangement }, i) => arrange(leaves[i]!, arrangement)),
    sample.attrs,
  );

const arrange = (leaf: Tensor, arrangement: Arrangement | undefined): Tensor => {
  if (arrangement === undefined) return leaf;
  return arrangement.kind === 'transpose'
    ? transpose(leaf, arrangement.axes)
    : broadcastTo(leaf, arrangement.shape);
};
