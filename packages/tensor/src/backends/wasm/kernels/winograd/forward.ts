// The forward convolution and the input gradient, both Winograd convolutions.

import type { ModuleBuilder } from '../../assembler/module.ts';
import { epilogueKey, operandCount } from '../epilogue.ts';
import type { Conv2dGeometry } from '../geometry.ts';
import { conv2dName } from '../geometry.ts';
import type { Kernel, KernelOptions } from '../kernel.ts';
import { partName, pointerParams, pointersOf } from '../kernel.ts';
import { scratchLayout } from '../scratch.ts';
import type { WinogradConvolution } from './convolution.ts';
import { winogradConvolution } from './convolution.ts';
import type { TileSize } from './convolutionTiles.ts';
import { tilesOfSize } from './convolutionTiles.ts';
import { packWinogradFilters, winogradFilterBytes } from './filters.ts';

/** What a kernel convolves, without its pointers. */
type Form = Pick<WinogradConvolution, 'batch' | 'source' | 'result' | 'padTop' | 'padLeft'> & {
  readonly isTurned: boolean;
  readonly tileSize: TileSize;
};

/**
 * The kernel (images, weights, operands of the epilogue, output, scratch) of a convolution with 3x3 filters, at least one pixel and channel.
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
  const { fma = false, tileSize = 2 } = options;
  return emitConvolution(
    module,
    conv2dName(`winogradConv2d ${tileSize}x${tileSize}`, geometry, fma),
    options,
    {
      batch,
      source: { channels, height, width },
      result: { channels: outChannels, height: outHeight, width: outWidth },
      padTop,
      padLeft,
      isTurned: false,
      tileSize,
    },
  );
}

/**
 * The kernel (outputGrad, weights, operands of the epilogue, inputGrad, scratch) of the gradient with respect to the images: the
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
    isTurned: true,
    tileSize: 2,
  });
}

function emitConvolution(
  module: ModuleBuilder,
  name: string,
  options: KernelOptions,
  { isTurned, tileSize, ...form }: Form,
): Kernel {
  const { fma = false, part, channels, panels: given, epilogue } = options;
  const kind = given === undefined ? '' : ' of panels';
  const exportName = `${name}${kind}${partName(options)}${epilogueKey(epilogue)}`;
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = pointerParams(2 + operandCount(epilogue));
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const { first: input, second: weights, operands, output, scratch: pointer } = pointersOf(pointers);
      const scratch = scratchLayout(pointer);
      const context = { module, fma, scratch, local };
      const filters = {
        resultChannels: form.result.channels,
        sourceChannels: form.source.channels,
        isTurned,
        tileSize,
      };
      const panels = given === undefined ? scratch.region(winogradFilterBytes(filters)) : weights;
      const body = [
        ...(given === undefined ? packWinogradFilters(context, filters, weights, panels) : []),
        ...winogradConvolution(context, {
          ...form,
          form: tilesOfSize(tileSize, fma),
          panels,
          part,
          channels,
          input,
          output,
          epilogue,
          operands,
        }),
      ];
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}
