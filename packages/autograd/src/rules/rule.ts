// What a differentiation rule is.
import type { Attrs, Tensor } from '@autoassign/tensor';

/**
 * The cotangents of an op's inputs, given the cotangent `ct` of its output; null for inputs that get none.
 *
 * Rules are written in tensor ops, so they can be differentiated themselves. Computing a cotangent nobody wants costs nothing: it is
 * a node that no result uses.
 */
export type VjpRule<A extends Attrs> = (
  ct: Tensor,
  inputs: readonly Tensor[],
  attrs: A,
  output: Tensor,
) => readonly (Tensor | null)[];
