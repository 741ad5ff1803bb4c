// The primitives by name. Everything else in the project is composed of these.
import type { Primitive } from '../primitive.ts';
import type { FilterGradAttrs, InputGradAttrs, WindowAttrs } from './conv.ts';
import * as conv from './conv.ts';
import type { CastAttrs, NoAttrs } from './elementwise.ts';
import * as elementwise from './elementwise.ts';
import type { GatherAttrs, ScatterAttrs, TopKAttrs } from './indexing.ts';
import * as indexing from './indexing.ts';
import type { MatmulAttrs } from './matmul.ts';
import { matmulOp } from './matmul.ts';
import type { ConcatAttrs, PadAttrs, ShapeAttrs, SliceAttrs, TransposeAttrs } from './movement.ts';
import * as movement from './movement.ts';
import type { PoolAttrs } from './pool.ts';
import { poolArgMax2dOp } from './pool.ts';
import type { RandomAttrs } from './random.ts';
import { randomBitsOp } from './random.ts';
import type { ArgMaxAttrs, ReduceAttrs } from './reduce.ts';
import * as reduce from './reduce.ts';
import type { SampleAttrs, SampleInputGradAttrs } from './sampling.ts';
import * as sampling from './sampling.ts';
import type { RuleAttrs } from './structural.ts';
import * as structural from './structural.ts';

/** The attrs of every primitive, by its name. Differentiation rules, samples and kernels are tables over these keys. */
export interface AttrsByName {
  readonly neg: NoAttrs;
  readonly abs: NoAttrs;
  readonly floor: NoAttrs;
  readonly sqrt: NoAttrs;
  readonly exp: NoAttrs;
  readonly log: NoAttrs;
  readonly log1p: NoAttrs;
  readonly sigmoid: NoAttrs;
  readonly add: NoAttrs;
  readonly sub: NoAttrs;
  readonly mul: NoAttrs;
  readonly div: NoAttrs;
  readonly pow: NoAttrs;
  readonly minimum: NoAttrs;
  readonly maximum: NoAttrs;
  readonly less: NoAttrs;
  readonly lessEqual: NoAttrs;
  readonly equal: NoAttrs;
  readonly select: NoAttrs;
  readonly cast: CastAttrs;
  readonly sum: ReduceAttrs;
  readonly reduceMax: ReduceAttrs;
  readonly argMax: ArgMaxAttrs;
  readonly reshape: ShapeAttrs;
  readonly transpose: TransposeAttrs;
  readonly broadcastTo: ShapeAttrs;
  readonly slice: SliceAttrs;
  readonly pad: PadAttrs;
  readonly concat: ConcatAttrs;
  readonly gather: GatherAttrs;
  readonly scatterAdd: ScatterAttrs;
  readonly topKIndices: TopKAttrs;
  readonly matmul: MatmulAttrs;
  readonly conv2d: WindowAttrs;
  readonly conv2dInputGrad: InputGradAttrs;
  readonly conv2dFilterGrad: FilterGradAttrs;
  readonly poolArgMax2d: PoolAttrs;
  readonly sampleBilinear: SampleAttrs;
  readonly sampleBilinearInputGrad: SampleInputGradAttrs;
  readonly sampleBilinearPointGrad: SampleAttrs;
  readonly randomBits: RandomAttrs;
  readonly identity: NoAttrs;
  readonly stopGradient: NoAttrs;
  readonly withRule: RuleAttrs;
  readonly after: NoAttrs;
}

/** The name of a primitive. */
export type PrimitiveName = keyof AttrsByName;

/** Every primitive, by its name. */
export const primitives: { readonly [Name in PrimitiveName]: Primitive<AttrsByName[Name]> } = {
  neg: elementwise.negOp,
  abs: elementwise.absOp,
  floor: elementwise.floorOp,
  sqrt: elementwise.sqrtOp,
  exp: elementwise.expOp,
  log: elementwise.logOp,
  log1p: elementwise.log1pOp,
  sigmoid: elementwise.sigmoidOp,
  add: elementwise.addOp,
  sub: elementwise.subOp,
  mul: elementwise.mulOp,
  div: elementwise.divOp,
  pow: elementwise.powOp,
  minimum: elementwise.minimumOp,
  maximum: elementwise.maximumOp,
  less: elementwise.lessOp,
  lessEqual: elementwise.lessEqualOp,
  equal: elementwise.equalOp,
  select: elementwise.selectOp,
  cast: elementwise.castOp,
  sum: reduce.sumOp,
  reduceMax: reduce.reduceMaxOp,
  argMax: reduce.argMaxOp,
  reshape: movement.reshapeOp,
  transpose: movement.transposeOp,
  broadcastTo: movement.broadcastToOp,
  slice: movement.sliceOp,
  pad: movement.padOp,
  concat: movement.concatOp,
  gather: indexing.gatherOp,
  scatterAdd: indexing.scatterAddOp,
  topKIndices: indexing.topKIndicesOp,
  matmul: matmulOp,
  conv2d: conv.conv2dOp,
  conv2dInputGrad: conv.conv2dInputGradOp,
  conv2dFilterGrad: conv.conv2dFilterGradOp,
  poolArgMax2d: poolArgMax2dOp,
  sampleBilinear: sampling.sampleBilinearOp,
  sampleBilinearInputGrad: sampling.sampleBilinearInputGradOp,
  sampleBilinearPointGrad: sampling.sampleBilinearPointGradOp,
  randomBits: randomBitsOp,
  identity: structural.identityOp,
  stopGradient: structural.stopGradientOp,
  withRule: structural.withRuleOp,
  after: structural.afterOp,
};
