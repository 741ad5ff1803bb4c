import type { LoopAttrs } from '../../graph/loop.ts';
import type { MatmulAttrs } from '../../ops/matmul.ts';
import { matmulExtents } from '../../ops/matmul.ts';
import type { Attrs, Primitive } from '../../primitive.ts';
import type { Spec } from '../../tensor.ts';
import type { ModuleBuilder } from './assembler/module.ts';
import type { Kernel, KernelOptions } from './kernels/kernel.ts';
import { emitLoop } from './kernels/loop.ts';
import { emitMatmul } from './kernels/matmul.ts';

/** Emits the kernel of one step. */
export type EmitStep = (
  module: ModuleBuilder,
  inputs: readonly Spec[],
  output: Spec,
  attrs: Attrs,
  options: KernelOptions,
) => Kernel;

const table: Readonly<Record<string, EmitStep>> = {
  loop: (module, inputs, _out, attrs) =>
    emitLoop(
      module,
      (attrs as LoopAttrs).loop,
      inputs.map(({ dtype }) => dtype),
    ),
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
export const tableEntry = (op: Primitive, _inputs: readonly Spec[], _attrs: Attrs): EmitStep | undefined =>
  table[op.name];
