// The differentiation rule of every primitive. A primitive without an entry is a type error.
import type { Attrs, AttrsByName, Primitive, PrimitiveName } from '@autoassign/tensor';
import { sentence, UnsupportedError } from '@autoassign/tensor';
import * as conv from './conv.ts';
import * as elementwise from './elementwise.ts';
import * as indexing from './indexing.ts';
import { matmulRule } from './matmul.ts';
import * as movement from './movement.ts';
import * as reduce from './reduce.ts';
import type { VjpRule } from './rule.ts';
import * as sampling from './sampling.ts';
import * as structural from './structural.ts';

/** A rule per primitive, or the statement that no gradient flows through it. */
export type VjpRules = {
  readonly [Name in PrimitiveName]: VjpRule<AttrsByName[Name]> | 'nondifferentiable';
};

/** The rules. */
export const vjpRules: VjpRules = {
  neg: elementwise.negRule,
  abs: elementwise.absRule,
  floor: 'nondifferentiable', // constant between the integers
  sqrt: elementwise.sqrtRule,
  exp: elementwise.expRule,
  log: elementwise.logRule,
  log1p: elementwise.log1pRule,
  sigmoid: elementwise.sigmoidRule,
  add: elementwise.addRule,
  sub: elementwise.subRule,
  mul: elementwise.mulRule,
  div: elementwise.divRule,
  pow: elementwise.powRule,
  minimum: elementwise.minimumRule,
  maximum: elementwise.maximumRule,
  less: 'nondifferentiable',
  lessEqual: 'nondifferentiable',
  equal: 'nondifferentiable',
  select: elementwise.selectRule,
  cast: elementwise.castRule,
  sum: reduce.sumRule,
  reduceMax: reduce.reduceMaxRule,
  argMax: 'nondifferentiable',
  reshape: movement.reshapeRule,
  transpose: movement.transposeRule,
  broadcastTo: movement.broadcastToRule,
  slice: movement.sliceRule,
  pad: movement.padRule,
  concat: movement.concatRule,
  gather: indexing.gatherRule,
  scatterAdd: indexing.scatterAddRule,
  topKIndices: 'nondifferentiable',
  matmul: matmulRule,
  conv2d: conv.conv2dRule,
  conv2dInputGrad: conv.conv2dInputGradRule,
  conv2dFilterGrad: conv.conv2dFilterGradRule,
  poolArgMax2d: 'nondifferentiable',
  sampleBilinear: sampling.sampleBilinearRule,
  sampleBilinearInputGrad: sampling.sampleBilinearInputGradRule,
  sampleBilinearPointGrad: sampling.sampleBilinearPointGradRule,
  randomBits: 'nondifferentiable',
  identity: structural.identityRule,
  stopGradient: 'nondifferentiable',
  withRule: structural.withRuleRule,
  after: structural.afterRule,
};

/**
 * The rule of a primitive.
 *
 * Throws UnsupportedError for a primitive that is not of the table
 */
export const ruleFor = (op: Primitive): VjpRule<Attrs> | 'nondifferentiable' => {
  if (Object.hasOwn(vjpRules, op.name)) return vjpRules[op.name as PrimitiveName] as VjpRule<Attrs>;
  throw new UnsupportedError(
    sentence({
      where: 'backward',
      needs: 'primitives with a differentiation rule',
      got: `'${op.name}'`,
      advice: 'Wrap it with customVjp and give the rule there.',
    }),
  );
};
