// Rules of ops that keep the value and steer differentiation or the order of evaluation.
import type { NoAttrs, RuleAttrs } from '@autoassign/tensor';
import type { VjpRule } from './rule.ts';

export const identityRule: VjpRule<NoAttrs> = (ct) => [ct];

/** The rule the caller gave, for the inputs after the value; nothing flows into the graph below the value. */
export const withRuleRule: VjpRule<RuleAttrs> = (ct, inputs, { rule }, output) => [
  null,
  ...rule(ct, inputs.slice(1), output),
];

export const afterRule: VjpRule<NoAttrs> = (ct) => [ct, null];
