// Which ops have a WebAssembly kernel, and how the kernel of one step is emitted.

import type { LoopAttrs } from '../../graph/loop.ts';
import type { WindowAttrs } from '../../ops/conv.ts';
import { convExtents } from '../../ops/conv.ts';
import type { GatherAttrs, ScatterAttrs } from '../../ops/indexing.ts';
import type { MatmulAttrs } from '../../ops/matmul.ts';
import { matmulExtents } from '../../ops/matmul.ts';
import type { ConcatAttrs, PadAttrs } from '../../ops/movement.ts';
import type { PoolAttrs } from '../../ops/pool.ts';
import type { ArgMaxAttrs } from '../../ops/reduce.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import type { Shape, Spec } from '../../tensor.ts';
import type { ModuleBuilder } from './assembler/module.ts';
import { emitConcat, emitPad } from './kernels/blocks.ts';
import { emitConv2d } from './kernels/conv2d.ts';
import { emitConv2dFilterGrad } from './kernels/conv2dFilterGrad.ts';
import { emitConv2dInputGrad } from './kernels/conv2dInputGrad.ts';
import { emitGather, emitScatterAdd } from './kernels/gather.ts';
import type { Conv2dGeometry } from './kernels/geometry.ts';
import type { Kernel, KernelOptions } from './kernels/kernel.ts';
import { emitLoop } from './kernels/loop.ts';
import { emitMatmul } from './kernels/matmul.ts';
import { emitArgMax, emitPoolArgMax } from './kernels/search.ts';

/** Emits the kernel of one step. */
export type EmitStep = (
  module: ModuleBuilder,
  inputs: readonly Spec[],
  output: Spec,
  attrs: Attrs,
  options: KernelOptions,
) => Kernel;

/** The geometry of the convolution of the given images and weights. */
export const geometryOf = (x: Shape, weight: Shape, attrs: WindowAttrs): Conv2dGeometry => ({
  ...convExtents(x, weight, attrs),
  strideHeight: attrs.stride[0],
  strideWidth: attrs.stride[1],
  padTop: attrs.padding[0],
  padLeft: attrs.padding[1],
  dilationHeight: attrs.dilation[0],
  dilationWidth: attrs.dilation[1],
  groups: attrs.groups,
});

const table: Readonly<Record<string, EmitStep>> = {
  loop: (module, _inputs, _output, attrs) => emitLoop(module, (attrs as LoopAttrs).loop),
  concat: (module, inputs, output, attrs) => emitConcat(module, inputs, output, attrs as ConcatAttrs),
  pad: (module, [x], output, attrs) => emitPad(module, x!, output, attrs as PadAttrs),
  gather: (module, inputs, _output, attrs) => emitGather(module, inputs, attrs as GatherAttrs),
  scatterAdd: (module, inputs, output, attrs) =>
    emitScatterAdd(module, inputs, output, attrs as ScatterAttrs),
  argMax: (module, [x], _output, attrs) => emitArgMax(module, x!, attrs as ArgMaxAttrs),
  poolArgMax2d: (module, [x], output, attrs) => emitPoolArgMax(module, x!, output, attrs as PoolAttrs),
  conv2d: (module, [x, weight], _output, attrs, options) =>
    emitConv2d(module, geometryOf(x!.shape, weight!.shape, attrs as WindowAttrs), options),
  conv2dInputGrad: (module, [, weight], output, attrs, options) =>
    emitConv2dInputGrad(module, geometryOf(output.shape, weight!.shape, attrs as WindowAttrs), options),
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
