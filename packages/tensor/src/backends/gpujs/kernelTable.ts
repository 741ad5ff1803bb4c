// Which ops have a kernel of GPU.js, and how the text of one step's kernel is written.
import type { LoopAttrs } from '../../graph/loop.ts';
import type { FilterGradAttrs, InputGradAttrs, WindowAttrs } from '../../ops/conv.ts';
import type { GatherAttrs, ScatterAttrs, TopKAttrs } from '../../ops/indexing.ts';
import type { MatmulAttrs } from '../../ops/matmul.ts';
import type { ConcatAttrs, PadAttrs } from '../../ops/movement.ts';
import type { PoolAttrs } from '../../ops/pool.ts';
import type { RandomAttrs } from '../../ops/random.ts';
import type { ArgMaxAttrs } from '../../ops/reduce.ts';
import type { SampleAttrs, SampleInputGradAttrs } from '../../ops/sampling.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import type { Spec } from '../../tensor.ts';
import { loopKernel } from './kernels/loop.ts';
import { concatKernel, gatherKernel, padKernel, scatterAddKernel } from './kernels/move.ts';
import { argMaxKernel, poolArgMaxKernel, topKIndicesKernel } from './kernels/order.ts';
import {
  conv2dFilterGradKernel,
  conv2dInputGradKernel,
  conv2dKernel,
  matmulKernel,
} from './kernels/product.ts';
import { randomBitsKernel } from './kernels/random.ts';
import { sampleInputGradKernel, sampleKernel, samplePointGradKernel } from './kernels/sampling.ts';
import type { ModeTraits } from './modes.ts';
import {
  packedConvolutionKernel,
  packedFilterGradKernel,
  packedMatmulKernel,
  packKernel,
  unpackKernel,
} from './packed/kernels.ts';
import type {
  PackAttrs,
  PackedConvolutionAttrs,
  PackedFilterGradAttrs,
  PackedMatmulAttrs,
  UnpackAttrs,
} from './packed/ops.ts';
import type { KernelSource, Operand } from './source.ts';
import { kernelSource } from './source.ts';

/** Writes the kernel of one step. */
export type WriteKernel = (
  inputs: readonly Operand[],
  output: Spec,
  attrs: Attrs,
  traits: ModeTraits,
) => KernelSource;

/** The same elements in another array. */
const copyKernel: WriteKernel = (inputs, output, _attrs, traits) =>
  kernelSource(inputs, output, traits, (writer, element) => writer.read(0, element));

const table: Readonly<Record<string, WriteKernel>> = {
  identity: copyKernel,
  reshape: copyKernel,
  loop: (inputs, output, attrs, traits) => loopKernel(inputs, output, (attrs as LoopAttrs).loop, traits),
  concat: (inputs, output, attrs, traits) => concatKernel(inputs, output, attrs as ConcatAttrs, traits),
  pad: (inputs, output, attrs, traits) => padKernel(inputs, output, attrs as PadAttrs, traits),
  gather: (inputs, output, attrs, traits) => gatherKernel(inputs, output, attrs as GatherAttrs, traits),
  scatterAdd: (inputs, output, attrs, traits) =>
    scatterAddKernel(inputs, output, attrs as ScatterAttrs, traits),
  argMax: (inputs, output, attrs, traits) => argMaxKernel(inputs, output, attrs as ArgMaxAttrs, traits),
  topKIndices: (inputs, output, attrs, traits) =>
    topKIndicesKernel(inputs, output, attrs as TopKAttrs, traits),
  poolArgMax2d: (inputs, output, attrs, traits) =>
    poolArgMaxKernel(inputs, output, attrs as PoolAttrs, traits),
  matmul: (inputs, output, attrs, traits) => matmulKernel(inputs, output, attrs as MatmulAttrs, traits),
  conv2d: (inputs, output, attrs, traits) => conv2dKernel(inputs, output, attrs as WindowAttrs, traits),
  conv2dInputGrad: (inputs, output, attrs, traits) =>
    conv2dInputGradKernel(inputs, output, attrs as InputGradAttrs, traits),
  conv2dFilterGrad: (inputs, output, attrs, traits) =>
    conv2dFilterGradKernel(inputs, output, attrs as FilterGradAttrs, traits),
  sampleBilinear: (inputs, output, attrs, traits) =>
    sampleKernel(inputs, output, attrs as SampleAttrs, traits),
  sampleBilinearInputGrad: (inputs, output, attrs, traits) =>
    sampleInputGradKernel(inputs, output, attrs as SampleInputGradAttrs, traits),
  sampleBilinearPointGrad: (inputs, output, attrs, traits) =>
    samplePointGradKernel(inputs, output, attrs as SampleAttrs, traits),
  randomBits: (inputs, output, attrs, traits) =>
    randomBitsKernel(inputs, output, attrs as RandomAttrs, traits),
  pack: (inputs, _output, attrs, traits) => packKernel(inputs, attrs as PackAttrs, traits),
  unpack: (inputs, output, attrs, traits) => unpackKernel(inputs, output, attrs as UnpackAttrs, traits),
  packedMatmul: (inputs, _output, attrs, traits) =>
    packedMatmulKernel(inputs, attrs as PackedMatmulAttrs, traits),
  packedConvolution: (inputs, _output, attrs, traits) =>
    packedConvolutionKernel(inputs, attrs as PackedConvolutionAttrs, traits),
  packedFilterGrad: (inputs, _output, attrs, traits) =>
    packedFilterGradKernel(inputs, attrs as PackedFilterGradAttrs, traits),
};

/** What writes the kernel of a step, or undefined when it has none. */
export const tableEntry = (op: Primitive): WriteKernel | undefined => table[op.name];
