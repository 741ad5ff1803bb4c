// Rules of one's own, and products with second derivatives.
import type { Tensor, Tree } from '@autoassign/tensor';
import { add, leaves, mul, ShapeError, scalar, sentence, sum, withRule } from '@autoassign/tensor';
import { grad } from './grad.ts';

/** What `customVjp` differentiates by: (cotangent, inputs, value) to one cotangent per input, null for none. */
export type CustomRule<Inputs extends readonly Tensor[]> = (
  ct: Tensor,
  inputs: Inputs,
  output: Tensor,
) => readonly (Tensor | null)[];

/**
 * The function `fn` with a differentiation rule of its own, itself differentiated when second derivatives are asked for.
 *
 * Gradient by `rule` to the inputs; none to tensors that `fn` captures
 * Example  const clippedExp = customVjp((x: Tensor) => exp(x), (ct, _inputs, y) => [mul(ct, minimum(y, 10))]);
 */
export const customVjp =
  <Inputs extends readonly Tensor[]>(
    fn: (...inputs: Inputs) => Tensor,
    rule: CustomRule<Inputs>,
  ): ((...inputs: Inputs) => Tensor) =>
  (...inputs) =>
    withRule(fn(...inputs), inputs, (ct, given, output) => rule(ct, given as Inputs, output));

/**
 * A function that returns the product of the second derivative of a scalar function with a tree of directions.
 *
 * Throws   ShapeError when the directions do not have the structure of x
 * Example  const product = hessianVectorProduct((x: Tensor) => sum(exp(x)))(x, v);
 */
export const hessianVectorProduct =
  <Params extends Tree, Rest extends readonly unknown[]>(
    fn: (x: Params, ...rest: Rest) => Tensor,
  ): ((x: Params, v: Params, ...rest: Rest) => Params) =>
  (x, v, ...rest) =>
    grad((params: Params) => innerProduct(grad(fn)(params, ...rest), v))(x);

/** Σ a b over all leaves of two trees of one structure. */
const innerProduct = (a: Tree, b: Tree): Tensor => {
  const others = leaves(b);
  const terms = leaves(a).map((leaf, i) => sum(mul(leaf, requireDirection(others[i], leaf))));
  return terms.reduce((total, term) => add(total, term), scalar(0));
};

const requireDirection = (direction: Tensor | undefined, leaf: Tensor): Tensor => {
  if (direction?.shape.join() === leaf.shape.join()) return direction;
  throw new ShapeError(
    sentence({
      where: 'hessianVectorProduct',
      needs: `a direction of shape [${leaf.shape}] for every leaf of x`,
      got: direction === undefined ? 'fewer leaves' : `shape [${direction.shape}]`,
      advice: 'Give v the structure of x.',
    }),
  );
};
