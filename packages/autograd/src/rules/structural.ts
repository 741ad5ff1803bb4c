// Rules of ops that keep the value and steer differentiation or the order of evaluation.
import type { NoAttrs, RuleAttrs } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

/** Hands the cotangent on as it is. */
export const identityRule: VjpRule<NoAttrs> = (ct) => [ct];

/** The rule the caller gave, for the inputs after the value; nothing flows into the graph below the value. */
export const withRuleRule: VjpRule<RuleAttrs> = (ct, inputs, { rule }, output) => [
  null,
  ...rule(ct, inputs.slice(1), output),
];

/** Hands the cotangent to the value; what is only waited for gets none. */
export const afterRule: VjpRule<NoAttrs> = (ct) => [ct, null];
