// The forward convolution and the input gradient, both Winograd convolutions.

import type { ModuleBuilder } from '../../assembler/module.ts';
import type { Conv2dGeometry } from '../geometry.ts';
import { conv2dName } from '../geometry.ts';
import type { Kernel, KernelOptions } from '../kernel.ts';
import { scratchLayout } from '../scratch.ts';
import type { WinogradConvolution } from './convolution.ts';
import { winogradConvolution } from './convolution.ts';
import { filterBytes } from './panels.ts';

/** What a kernel convolves, without its pointers. */
type Form = Omit<WinogradConvolution, 'input' | 'output' | 'filters'> & {
  readonly filters: Omit<WinogradConvolution['filters'], 'pointer'>;
};

/**
 * The kernel (images, weights, output, scratch) of a convolution with 3x3 filters, at least one pixel and channel.
 *
 * Shapes   images [batch, channels, height, width], weights [outChannels, channels, 3, 3], output [batch,
 *          outChannels, outHeight, outWidth]
 */
export function emitWinogradConv2d(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, padTop, padLeft } = geometry;
  return emitConvolution(module, conv2dName('winogradConv2d', geometry, options.fma ?? false), options, {
    batch,
    source: { channels, height, width },
    result: { channels: outChannels, height: outHeight, width: outWidth },
    padTop,
    padLeft,
    filters: { resultStride: channels * filterBytes, sourceStride: filterBytes, isTurned: false },
  });
}

/**
 * The kernel (outputGrad, weights, inputGrad, scratch) of the gradient with respect to the images: the
 * convolution of the output gradient with the filters turned around and their channels exchanged.
 *
 * Shapes   outputGrad [batch, outChannels, outHeight, outWidth], weights [outChannels, channels, 3, 3],
 *          inputGrad [batch, channels, height, width]
 */
export function emitWinogradInputGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, padTop, padLeft } = geometry;
  return emitConvolution(module, conv2dName('winogradInputGrad', geometry, options.fma ?? false), options, {
    batch,
    source: { channels: outChannels, height: outHeight, width: outWidth },
    result: { channels, height, width },
    padTop: 2 - padTop,
    padLeft: 2 - padLeft,
    filters: { resultStride: filterBytes, sourceStride: channels * filterBytes, isTurned: true },
  });
}

function emitConvolution(
  module: ModuleBuilder,
  exportName: string,
  { fma = false }: KernelOptions,
  form: Form,
): Kernel {
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = ['i32', 'i32', 'i32', 'i32'] as const;
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const [input, weights, output, scratchPointer] = pointers;
      const scratch = scratchLayout(scratchPointer);
      const body = winogradConvolution(
        { module, fma, scratch, local },
        { ...form, filters: { ...form.filters, pointer: weights }, input, output },
      );
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}
