// Which ops have a WebAssembly kernel, and how the kernel of one step is emitted.

import type { LoopAttrs } from '../../graph/loop.ts';
import type { WindowAttrs } from '../../ops/conv.ts';
import type { GatherAttrs, ScatterAttrs } from '../../ops/indexing.ts';
import type { MatmulAttrs } from '../../ops/matmul.ts';
import { matmulExtents } from '../../ops/matmul.ts';
import type { ConcatAttrs, PadAttrs } from '../../ops/movement.ts';
import type { PoolAttrs } from '../../ops/pool.ts';
import type { ArgMaxAttrs } from '../../ops/reduce.ts';
import type { SampleAttrs, SampleInputGradAttrs } from '../../ops/sampling.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import type { Spec } from '../../tensor.ts';
import type { ModuleBuilder } from './assembler/module.ts';
import type { PanelAttrs } from './convolutionSteps.ts';
import { forwardGeometry, geometryOf, inputGradGeometry, optionsOf } from './convolutionSteps.ts';
import { emitArgMax } from './kernels/argMax.ts';
import { emitConcat, emitPad } from './kernels/blocks.ts';
import { emitConv2d } from './kernels/conv2d.ts';
import { emitConv2dFilterGrad } from './kernels/conv2dFilterGrad.ts';
import { emitConv2dInputGrad } from './kernels/conv2dInputGrad.ts';
import { emitFilterPanels } from './kernels/filterPanels.ts';
import { emitGather, emitScatterAdd } from './kernels/gather.ts';
import type { Kernel, KernelOptions } from './kernels/kernel.ts';
import { emitLoop } from './kernels/loop.ts';
import { emitMatmul } from './kernels/matmul.ts';
import { emitPoolArgMax } from './kernels/poolArgMax.ts';
import { emitSample, emitSampleInputGrad, emitSamplePointGrad } from './kernels/sampling.ts';

/** Emits the kernel of one step. */
export type EmitStep = (
  module: ModuleBuilder,
  inputs: readonly Spec[],
  output: Spec,
  attrs: Attrs,
  options: KernelOptions,
) => Kernel;

const table: Readonly<Record<string, EmitStep>> = {
  loop: (module, _inputs, _output, attrs) => emitLoop(module, (attrs as LoopAttrs).loop),
  concat: (module, inputs, output, attrs) => emitConcat(module, inputs, output, attrs as ConcatAttrs),
  pad: (module, [x], output, attrs) => emitPad(module, x!, output, attrs as PadAttrs),
  gather: (module, inputs, _output, attrs) => emitGather(module, inputs, attrs as GatherAttrs),
  scatterAdd: (module, inputs, output, attrs) =>
    emitScatterAdd(module, inputs, output, attrs as ScatterAttrs),
  argMax: (module, [x], _output, attrs) => emitArgMax(module, x!, attrs as ArgMaxAttrs),
  poolArgMax2d: (module, [x], output, attrs) => emitPoolArgMax(module, x!, output, attrs as PoolAttrs),
  sampleBilinear: (module, inputs, output, attrs, options) =>
    emitSample(module, inputs, output, attrs as SampleAttrs, options),
  sampleBilinearInputGrad: (module, inputs, output, attrs, options) =>
    emitSampleInputGrad(module, inputs, output, attrs as SampleInputGradAttrs, options),
  sampleBilinearPointGrad: (module, inputs, output, attrs, options) =>
    emitSamplePointGrad(module, inputs, output, attrs as SampleAttrs, options),
  filterPanels: (module, _inputs, _output, attrs, options) =>
    emitFilterPanels(module, (attrs as PanelAttrs).form, options),
  conv2d: (module, inputs, _output, attrs, options) =>
    emitConv2d(module, forwardGeometry(inputs, attrs), { ...options, ...optionsOf(attrs) }),
  conv2dInputGrad: (module, inputs, _output, attrs, options) =>
    emitConv2dInputGrad(module, inputGradGeometry(inputs, attrs), { ...options, ...optionsOf(attrs) }),
  conv2dFilterGrad: (module, [x], output, attrs, options) =>
    emitConv2dFilterGrad(module, geometryOf(x!.shape, output.shape, attrs as WindowAttrs), options),
  matmul: (module, [a, b], _out, attrs, options) => {
    const { transposeA, transposeB } = attrs as MatmulAttrs;
    const { batch, m, n, k } = matmulExtents(a!.shape, b!.shape, attrs as MatmulAttrs);
    const geometry = { batch, rows: m, columns: n, depth: k };
    return emitMatmul(
      module,
      { ...geometry, transposeLeft: transposeA, transposeRight: transposeB },
      options,
    );
  },
};

/** The emitter of a step, or undefined when it has none. */
export const tableEntry = (op: Primitive): EmitStep | undefined => table[op.name];
