// The forward convolution: filters times gathered pixels.

import type { ModuleBuilder } from '../assembler/module.ts';
import { memory } from '../assembler/scalar.ts';
import { epilogueKey, operandCount } from './epilogue.ts';
import { gatherProduct } from './gatherProduct.ts';
import type { Conv2dGeometry } from './geometry.ts';
import { axesOf, conv2dName, forwardPass, partOfPass, simplified } from './geometry.ts';
import type { Kernel, KernelOptions } from './kernel.ts';
import { partName, pointerParams, pointersOf } from './kernel.ts';
import { scratchLayout } from './scratch.ts';
import { areGroupsThin, emitThinConv2d } from './thinGroups.ts';
import { isWinogradFaster } from './winograd/choice.ts';
import { emitWinogradConv2d } from './winograd/forward.ts';

/**
 * The kernel (images, weights, operands of the epilogue, output, scratch) of a convolution; a part is a range of
 * positions along `dividedAxis`, or of channels.
 *
 * Shapes   images [batch, channels, height, width], weights [outChannels, channels / groups, kernelHeight,
 *          kernelWidth], output [batch, outChannels, outHeight, outWidth]
 */
export function emitConv2d(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  if (options.panels === 'winograd' || isWinogradFaster(geometry, 'output'))
    return emitWinogradConv2d(module, geometry, options);
  if (areGroupsThin(geometry)) return emitThinConv2d(module, geometry, options);
  const { fma = false, part, channels: computed, epilogue } = options;
  const exportName = conv2dName('conv2d', geometry, fma) + partName(options) + epilogueKey(epilogue);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = pointerParams(2 + operandCount(epilogue));
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const { first: images, second: weights, operands, output, scratch: pointer } = pointersOf(pointers);
      const { batch, channels, height, width, outChannels, outHeight, outWidth, groups, ...rest } =
        simplified(geometry);
      const depth = (channels / groups) * rest.kernelHeight * rest.kernelWidth;
      const outputCount = batch * outChannels * outHeight * outWidth;
      if (outputCount * depth === 0) return [memory.fill(output, 0, 4 * outputCount)];
      const axes = axesOf(simplified(geometry));
      const scratch = scratchLayout(pointer);
      const body = gatherProduct(
        { module, fma, scratch, local },
        {
          batch,
          groups,
          source: { channels, height, width },
          result: { channels: outChannels, height: outHeight, width: outWidth },
          passes: [
            {
              ...partOfPass({ rows: forwardPass(axes.rows), columns: forwardPass(axes.columns) }, part),
              filters: {
                layout: 'rows',
                pointer: weights,
                stride: 4 * depth,
                step: 4,
                groupStride: 4 * depth * (outChannels / groups),
              },
            },
          ],
          channels: computed,
          input: images,
          output,
          epilogue,
          operands,
        },
      );
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}
