// Rules of elementwise arithmetic. At kinks and ties the conventions are PyTorch's.
import type { CastAttrs, NoAttrs, Tensor } from '@autoassign/tensor';
import { add, div, equal, less, log, logicalAnd, mul, neg, pow, select, sign, sub } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

/** A rule of an op of one tensor: (cotangent, x, y = op(x)) to the cotangent of x. */
const unary =
  (rule: (ct: Tensor, x: Tensor, y: Tensor) => Tensor): VjpRule<NoAttrs> =>
  (ct, [x], _attrs, y) => [rule(ct, x!, y)];

/** A rule of an op of two tensors of one shape: (cotangent, a, b, y = op(a, b)) to both cotangents. */
const binary =
  (rule: (ct: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [Tensor, Tensor]): VjpRule<NoAttrs> =>
  (ct, [a, b], _attrs, y) =>
    rule(ct, a!, b!, y);

/** d(-x) = -1. */
export const negRule: VjpRule<NoAttrs> = unary((ct) => neg(ct));
/** d|x| = sign(x), which is 0 at the kink. */
export const absRule: VjpRule<NoAttrs> = unary((ct, x) => mul(ct, sign(x)));
/** d√x = 1 / 2√x, from the root that is there already. */
export const sqrtRule: VjpRule<NoAttrs> = unary((ct, _x, y) => div(mul(ct, 0.5), y));
/** d(e^x) = e^x, from the power that is there already. */
export const expRule: VjpRule<NoAttrs> = unary((ct, _x, y) => mul(ct, y));
/** d(ln x) = 1 / x. */
export const logRule: VjpRule<NoAttrs> = unary((ct, x) => div(ct, x));
/** d(ln(1 + x)) = 1 / (1 + x). */
export const log1pRule: VjpRule<NoAttrs> = unary((ct, x) => div(ct, add(x, 1)));
/** dσ = σ (1 - σ), from the value that is there already. */
export const sigmoidRule: VjpRule<NoAttrs> = unary((ct, _x, y) => mul(ct, mul(y, sub(1, y))));

/** Hands the cotangent to both. */
export const addRule: VjpRule<NoAttrs> = binary((ct) => [ct, ct]);
/** Hands the cotangent to the first and its negative to the second. */
export const subRule: VjpRule<NoAttrs> = binary((ct) => [ct, neg(ct)]);
/** Each operand gets the cotangent times the other. */
export const mulRule: VjpRule<NoAttrs> = binary((ct, a, b) => [mul(ct, b), mul(ct, a)]);
/** da = 1 / b and db = -y / b, not -a / b²: the square would overflow first. */
export const divRule: VjpRule<NoAttrs> = binary((ct, _a, b, y) => [div(ct, b), neg(mul(ct, div(y, b)))]);

/** d/da = b a^(b-1) and d/db = a^b ln(a), both masked before the singular point so that 0 · ∞ never arises. */
export const powRule: VjpRule<NoAttrs> = binary((ct, a, b, y) => {
  const isFlat = logicalAnd(equal(a, 0), equal(b, 0)); // x^0 at 0: the slope is 0, yet 0^-1 is infinite
  const slope = mul(b, pow(select(isFlat, 1, a), sub(b, 1)));
  const hasLog = less(0, a); // for other bases the power is not a smooth function of the exponent
  const growth = select(hasLog, mul(y, log(select(hasLog, a, 1))), 0);
  return [mul(ct, slope), mul(ct, growth)];
});

/** The share of the cotangent for the operand that `loses` says is not chosen; half of it where both are. */
const share = (ct: Tensor, loses: Tensor, isTie: Tensor): Tensor =>
  select(loses, 0, select(isTie, mul(ct, 0.5), ct));

/** The smaller operand gets the cotangent; at a tie each gets half. */
export const minimumRule: VjpRule<NoAttrs> = binary((ct, a, b) => [
  share(ct, less(b, a), equal(a, b)),
  share(ct, less(a, b), equal(a, b)),
]);
/** The larger operand gets the cotangent; at a tie each gets half. */
export const maximumRule: VjpRule<NoAttrs> = binary((ct, a, b) => [
  share(ct, less(a, b), equal(a, b)),
  share(ct, less(b, a), equal(a, b)),
]);

/** The cotangent goes where the value came from; the condition gets none. */
export const selectRule: VjpRule<NoAttrs> = (ct, [condition]) => [
  null,
  select(condition!, ct, 0),
  select(condition!, 0, ct),
];

/** Between different dtypes a cast is a step function or starts from integers: no gradient. */
export const castRule: VjpRule<CastAttrs> = (ct, [x]) => [x!.dtype === ct.dtype ? ct : null];
