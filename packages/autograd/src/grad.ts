// Gradients of functions over trees: vjp, grad, valueAndGrad.
import type { Tensor, Tree } from '@autoassign/tensor';
import {
  DTypeError,
  describeSpec,
  fillTree,
  identity,
  leaves,
  mapTree,
  ones,
  ShapeError,
  sentence,
  zeros,
} from '@autoassign/tensor';
import { backward } from './backward.ts';

/** A function's value and the map from a cotangent of that value to the gradients of the arguments. */
export interface Vjp<Args extends readonly Tree[], Out extends Tree> {
  readonly value: Out;
  /** Leaves of the cotangent at places where the value is not f32 are ignored. */
  readonly pullback: (cotangent: Out) => Args;
}

/**
 * The value of `fn` at the arguments, and its vector-Jacobian product there: gradients of every argument, zeros where none flows.
 *
 * Throws   DTypeError when a leaf of an argument is not f32, naming its path
 * Example  const { value, pullback } = vjp(matmul, a, b);  const [da, db] = pullback(ct);
 */
export const vjp = <Args extends readonly Tree[], Out extends Tree>(
  fn: (...args: Args) => Out,
  ...args: Args
): Vjp<Args, Out> => {
  const fresh = freshLeaves('vjp', args);
  const value = fn(...fresh);
  const pullback = (cotangent: Out): Args => {
    const given = leaves(cotangent);
    const pairs = leaves(value).map((output, i) => ({ output, ct: requireLeaf(given[i]) }));
    const float = pairs.filter(({ output }) => output.dtype === 'f32');
    const gradients = backward({
      outputs: float.map(({ output }) => output),
      cotangents: float.map(({ ct }) => ct),
      wrt: leaves(fresh),
    });
    return gradientTree(fresh, gradients);
  };
  return { value, pullback };
};

const requireLeaf = (ct: Tensor | undefined): Tensor => {
  if (ct !== undefined) return ct;
  throw new ShapeError(
    sentence({
      where: 'vjp',
      needs: 'a cotangent with the structure of the value',
      got: 'one with fewer leaves',
      advice: 'Give every leaf a cotangent.',
    }),
  );
};

/** The tree with a new node for every leaf, so that gradients follow places in the tree, not object identity. */
const freshLeaves = <T extends Tree>(where: string, tree: T): T =>
  mapTree((leaf, path) => {
    if (leaf.dtype === 'f32') return identity(leaf);
    throw new DTypeError(
      sentence({
        where,
        label: path === '' ? undefined : path,
        needs: 'f32 leaves to differentiate by',
        got: describeSpec(leaf),
        advice: 'Pass it as a further argument, or capture it.',
      }),
    );
  }, tree);

/** Gradients as a tree; zeros where none flows. */
const gradientTree = <T extends Tree>(tree: T, gradients: readonly (Tensor | null)[]): T =>
  fillTree(
    tree,
    leaves(tree).map(({ shape }, i) => gradients[i] ?? zeros(shape)),
  );

/** A loss and what else its computation found. */
export type WithAux<Aux> = {
  /** The scalar to differentiate. */
  readonly value: Tensor;
  /** Anything: it is passed on, not differentiated. */
  readonly aux: Aux;
};

/** A scalar and its gradient with respect to a tree; itself a tree. */
export type ValueAndGrad<Params extends Tree> = {
  readonly value: Tensor;
  readonly grad: Params;
};

/** Options of `valueAndGrad`. */
export interface AuxOption {
  /** The loss returns `{ value, aux }` instead of a tensor. */
  readonly hasAux: true;
}

/**
 * A function that returns the loss and its gradient with respect to the first argument, zeros where none flows.
 *
 * With `{ hasAux: true }` the loss returns `{ value, aux }`, and the result carries `aux` on.
 *
 * Throws   ShapeError or DTypeError when the loss is not a scalar f32 or returns other than `hasAux` says; DTypeError when a leaf of the first argument is not f32
 * Example  const { value, grad } = valueAndGrad((w: Tensor, x: Tensor) => sum(square(matmul(x, w))))(w, x);
 */
export function valueAndGrad<Params extends Tree, Rest extends readonly unknown[]>(
  loss: (params: Params, ...rest: Rest) => Tensor,
): (params: Params, ...rest: Rest) => ValueAndGrad<Params>;
export function valueAndGrad<Params extends Tree, Rest extends readonly unknown[], Aux>(
  loss: (params: Params, ...rest: Rest) => WithAux<Aux>,
  options: AuxOption,
): (params: Params, ...rest: Rest) => ValueAndGrad<Params> & WithAux<Aux>;
export function valueAndGrad<Params extends Tree, Rest extends readonly unknown[], Aux>(
  loss: (params: Params, ...rest: Rest) => Tensor | WithAux<Aux>,
  options?: AuxOption,
): (params: Params, ...rest: Rest) => ValueAndGrad<Params> & { readonly aux?: Aux } {
  const hasAux = options?.hasAux ?? false;
  return (params, ...rest) =>
    differentiate('valueAndGrad', (fresh: Params) => loss(fresh, ...rest), params, hasAux);
}

const differentiate = <Params extends Tree, Aux>(
  where: string,
  loss: (params: Params) => Tensor | WithAux<Aux>,
  params: Params,
  hasAux: boolean,
): ValueAndGrad<Params> & { readonly aux?: Aux } => {
  const fresh = freshLeaves(where, params);
  const result = loss(fresh);
  if (!isOfOption(result, hasAux)) throw otherThanOption(where, result, hasAux);
  const value = 'aux' in result ? result.value : result;
  requireScalar(where, value);
  const gradients = backward({ outputs: [value], cotangents: [ones([])], wrt: leaves(fresh) });
  const grad = gradientTree(params, gradients);
  return 'aux' in result ? { value, grad, aux: result.aux } : { value, grad };
};

/** Whether a loss returned what the option `hasAux` says it does. */
const isOfOption = (result: Tensor | WithAux<unknown>, hasAux: boolean): boolean =>
  hasAux ? 'aux' in result && 'value' in result : 'shape' in result;

const otherThanOption = (where: string, result: Tensor | WithAux<unknown>, hasAux: boolean): ShapeError =>
  new ShapeError(
    sentence({
      where,
      needs: hasAux ? 'a loss that returns { value, aux }, as hasAux says' : 'a loss that returns a tensor',
      got: 'shape' in result ? describeSpec(result) : `{ ${Object.keys(result).join(', ')} }`,
      advice: hasAux ? 'Return both, or leave the option out.' : 'Use valueAndGrad with { hasAux: true }.',
    }),
  );

const requireScalar = (where: string, loss: Tensor): void => {
  if (loss.shape.length === 0 && loss.dtype === 'f32') return;
  const ErrorType = loss.dtype === 'f32' ? ShapeError : DTypeError;
  throw new ErrorType(
    sentence({
      where,
      label: loss.label,
      needs: 'a scalar loss f32[]',
      got: describeSpec(loss),
      advice: 'Reduce it with sum or mean.',
    }),
  );
};

/**
 * A function that returns the gradient of a scalar function with respect to its first argument, zeros where none flows.
 *
 * Throws   as valueAndGrad
 * Example  const second = grad(grad((x: Tensor) => exp(mul(x, x))));
 */
export const grad =
  <Params extends Tree, Rest extends readonly unknown[]>(
    loss: (params: Params, ...rest: Rest) => Tensor,
  ): ((params: Params, ...rest: Rest) => Params) =>
  (params, ...rest) =>
    differentiate('grad', (fresh: Params) => loss(fresh, ...rest), params, false).grad;
