// Cases of every primitive. The table is exhaustive by type: a primitive without samples does not compile.
import type { AttrsByName, PrimitiveName } from '../ops/index.ts';
import type { Draw } from './draw.ts';
import { drawFrom } from './draw.ts';
import type { Sample } from './sample.ts';
import * as conv from './samplers/conv.ts';
import * as elementwise from './samplers/elementwise.ts';
import * as indexing from './samplers/indexing.ts';
import { matmul } from './samplers/matmul.ts';
import * as movement from './samplers/movement.ts';
import * as reduce from './samplers/reduce.ts';
import * as sampling from './samplers/sampling.ts';
import * as structural from './samplers/structural.ts';

/** A function from a stream of random data to the cases of one primitive. */
type Sampler<A> = (draw: Draw) => readonly Sample<A>[];

const samplers: { readonly [Name in PrimitiveName]: Sampler<AttrsByName[Name]> } = {
  neg: elementwise.unary({ integers: true }),
  abs: elementwise.unary({ integers: true }),
  floor: elementwise.floor,
  sqrt: elementwise.unary({ smooth: [0.3, 3], wide: [1e-30, 1e30], positive: true }),
  exp: elementwise.unary({ wide: [1e-3, 100] }),
  log: elementwise.unary({ smooth: [0.3, 3], wide: [1e-30, 1e30], positive: true }),
  log1p: elementwise.unary({
    smooth: [0.2, 0.7],
    wide: [1e-8, 1e6],
    positive: true,
    besides: [-0.999, -0.5],
  }),
  sigmoid: elementwise.unary({ wide: [1e-3, 100] }),
  add: elementwise.binary({ integers: true }),
  sub: elementwise.binary({ integers: true }),
  mul: elementwise.binary({ integers: true }),
  div: elementwise.binary({}),
  pow: elementwise.power,
  minimum: elementwise.extremum,
  maximum: elementwise.extremum,
  less: elementwise.comparison,
  lessEqual: elementwise.comparison,
  equal: elementwise.equality,
  select: elementwise.select,
  cast: elementwise.cast,
  sum: reduce.sum,
  reduceMax: reduce.reduceMax,
  argMax: reduce.argMax,
  reshape: movement.reshape,
  transpose: movement.transpose,
  broadcastTo: movement.broadcastTo,
  slice: movement.slice,
  pad: movement.pad,
  concat: movement.concat,
  gather: indexing.gather,
  scatterAdd: indexing.scatterAdd,
  topKIndices: indexing.topKIndices,
  matmul,
  conv2d: conv.convolution,
  conv2dInputGrad: conv.inputGradient,
  conv2dFilterGrad: conv.filterGradient,
  poolArgMax2d: conv.pooling,
  sampleBilinear: sampling.sampleBilinear,
  sampleBilinearInputGrad: sampling.inputGradient,
  sampleBilinearPointGrad: sampling.pointGradient,
  randomBits: indexing.randomBits,
  identity: structural.identity,
  stopGradient: structural.stopGradient,
  withRule: structural.withRule,
  after: structural.after,
};

/**
 * The cases of a primitive; the same seed gives the same data.
 *
 * Values of smooth cases keep at least 0.1 from kinks and ties.
 *
 * Example  for (const sample of samplesOf('add')) outputOf(primitives.add, sample, leavesOf(sample))
 */
export const samplesOf = <Name extends PrimitiveName>(
  name: Name,
  seed = 1,
): readonly Sample<AttrsByName[Name]>[] => samplers[name](drawFrom(seed));
