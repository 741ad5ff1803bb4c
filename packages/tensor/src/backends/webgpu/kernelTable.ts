// Which ops have a WebGPU kernel, and how the kernel of one step is made.
import type { LoopAttrs } from '../../graph/loop.ts';
import type { InputGradAttrs, WindowAttrs } from '../../ops/conv.ts';
import type { GatherAttrs, ScatterAttrs, TopKAttrs } from '../../ops/indexing.ts';
import type { MatmulAttrs } from '../../ops/matmul.ts';
import type { ConcatAttrs, PadAttrs } from '../../ops/movement.ts';
import type { PoolAttrs } from '../../ops/pool.ts';
import type { RandomAttrs } from '../../ops/random.ts';
import type { ArgMaxAttrs } from '../../ops/reduce.ts';
import type { SampleAttrs, SampleInputGradAttrs } from '../../ops/sampling.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import type { Spec } from '../../tensor.ts';
import type { GpuKernel, KernelContext } from './kernel.ts';
import { emitConv2d, emitConv2dFilterGrad, emitConv2dInputGrad, emitMatmul } from './kernels/convolution.ts';
import { emitGather, emitScatterAdd, emitTopK } from './kernels/indexing.ts';
import { emitCopy, emitLoop } from './kernels/loop.ts';
import { emitConcat, emitPad } from './kernels/movement.ts';
import { emitRandomBits } from './kernels/random.ts';
import { emitSample, emitSampleInputGrad, emitSamplePointGrad } from './kernels/sampling.ts';
import { emitArgMax, emitPoolArgMax } from './kernels/search.ts';
import type { PartedAttrs } from './splitSums.ts';
import {
  emitFilterGradient,
  emitFilters,
  emitGradientTiles,
  emitPixelTiles,
  emitResult,
} from './winograd/kernels.ts';
import type { FilterAttrs, GradientAttrs, ResultAttrs, TileAttrs } from './winograd/steps.ts';

/** Makes the kernel of one step. */
export type EmitStep = (
  inputs: readonly Spec[],
  output: Spec,
  attrs: Attrs,
  context: KernelContext,
) => GpuKernel;

const table: Readonly<Record<string, EmitStep>> = {
  loop: (inputs, output, attrs, context) => emitLoop(inputs, output, attrs as LoopAttrs, context),
  identity: (inputs, output, _attrs, context) => emitCopy(inputs, output, context),
  reshape: (inputs, output, _attrs, context) => emitCopy(inputs, output, context),
  concat: (inputs, output, attrs, context) => emitConcat(inputs, output, attrs as ConcatAttrs, context),
  pad: (inputs, output, attrs, context) => emitPad(inputs, output, attrs as PadAttrs, context),
  gather: (inputs, output, attrs, context) => emitGather(inputs, output, attrs as GatherAttrs, context),
  scatterAdd: (inputs, output, attrs, context) =>
    emitScatterAdd(inputs, output, attrs as ScatterAttrs, context),
  topKIndices: (inputs, output, attrs, context) => emitTopK(inputs, output, attrs as TopKAttrs, context),
  argMax: (inputs, output, attrs, context) => emitArgMax(inputs, output, attrs as ArgMaxAttrs, context),
  poolArgMax2d: (inputs, output, attrs, context) =>
    emitPoolArgMax(inputs, output, attrs as PoolAttrs, context),
  sampleBilinear: (inputs, output, attrs, context) =>
    emitSample(inputs, output, attrs as SampleAttrs, context),
  sampleBilinearInputGrad: (inputs, output, attrs, context) =>
    emitSampleInputGrad(inputs, output, attrs as SampleInputGradAttrs, context),
  sampleBilinearPointGrad: (inputs, output, attrs, context) =>
    emitSamplePointGrad(inputs, output, attrs as SampleAttrs, context),
  randomBits: (inputs, output, attrs, context) =>
    emitRandomBits(inputs, output, attrs as RandomAttrs, context),
  matmul: (inputs, output, attrs, context) => emitMatmul(inputs, output, attrs as MatmulAttrs, context),
  conv2d: (inputs, output, attrs, context) => emitConv2d(inputs, output, attrs as WindowAttrs, context),
  conv2dInputGrad: (inputs, output, attrs, context) =>
    emitConv2dInputGrad(inputs, output, attrs as InputGradAttrs, context),
  conv2dFilterGrad: (inputs, output, attrs, context) =>
    emitConv2dFilterGrad(inputs, output, attrs as PartedAttrs, context),
  winogradTiles: (inputs, _output, attrs, context) => emitPixelTiles(inputs, attrs as TileAttrs, context),
  winogradGradientTiles: (inputs, _output, attrs, context) =>
    emitGradientTiles(inputs, attrs as TileAttrs, context),
  winogradFilters: (inputs, _output, attrs, context) => emitFilters(inputs, attrs as FilterAttrs, context),
  winogradResult: (inputs, _output, attrs, context) => emitResult(inputs, attrs as ResultAttrs, context),
  winogradFilterGradient: (_inputs, _output, attrs, context) =>
    emitFilterGradient(attrs as GradientAttrs, context),
};

/** The emitter of a step, or undefined when it has none. */
export const tableEntry = (op: Primitive): EmitStep | undefined => table[op.name];
