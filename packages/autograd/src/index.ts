// @autoassign/autograd: derivatives of tensor functions as tensor functions, gradient checks, optimisers.
export type { BackwardRequest } from './backward.ts';
export { backward } from './backward.ts';
export type { AuxOption, ValueAndGrad, Vjp, WithAux } from './grad.ts';
export { grad, valueAndGrad, vjp } from './grad.ts';
export type { VjpRules } from './rules/index.ts';
export { vjpRules } from './rules/index.ts';
export type { VjpRule } from './rules/rule.ts';
