// Ops that keep the value and steer something else: differentiation, order of evaluation, copies.
import type { Attrs, Primitive } from '../primitive.ts';
import type { Spec, Tensor } from '../tensor.ts';
import { apply } from '../tensor.ts';
import { elementsOf } from './views.ts';

const sameAsFirst = (inputs: readonly Spec[]): Spec => ({
  shape: inputs[0]!.shape,
  dtype: inputs[0]!.dtype,
});

const keep = <A extends Attrs>(name: string): Primitive<A> => ({
  name,
  infer: sameAsFirst,
  reference: ([x], out) => {
    (out.data as Float64Array).set(elementsOf(x!) as Float64Array);
  },
});

/** The primitive of `identity`. */
export const identityOp: Primitive = keep('identity');
/** The primitive of `stopGradient`. */
export const stopGradientOp: Primitive = keep('stopGradient');

/** Attrs of `withRule`: a differentiation rule that replaces the one through the body. */
export type RuleAttrs = {
  /** (cotangent, inputs after the value, value) to one cotangent per input, null for none. */
  readonly rule: (cotangent: Tensor, inputs: readonly Tensor[], output: Tensor) => readonly (Tensor | null)[];
};
/** The primitive of `withRule`. */
export const withRuleOp: Primitive<RuleAttrs> = keep('withRule');
/** The primitive of `after`. */
export const afterOp: Primitive = keep('after');

/** The same value as a new node: differentiation tells it from the original. */
export const identity = (x: Tensor): Tensor => apply(identityOp, [x], {});

/**
 * The same value, through which no gradient flows.
 *
 * Gradient none
 */
export const stopGradient = (x: Tensor): Tensor => apply(stopGradientOp, [x], {});

/**
 * The value `y`, differentiated by `rule` with respect to `inputs` instead of through the graph below `y`.
 *
 * Gradient by `rule`
 */
export const withRule = (y: Tensor, inputs: readonly Tensor[], rule: RuleAttrs['rule']): Tensor =>
  apply(withRuleOp, [y, ...inputs], { rule });

/**
 * The value `x`, computed from here on only when `dependency` exists: what is built on it is not merged with what is built on `x`.
 *
 * Gradient to x
 */
export const after = (x: Tensor, dependency: Tensor): Tensor => apply(afterOp, [x, dependency], {});
