// The gradient of a convolution with respect to its images: a convolution of the output gradient with the
// filters turned around and their channels exchanged, in one pass per residue of the stride.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { i32, memory } from '../assembler/scalar.ts';
import { epilogueKey, operandCount } from './epilogue.ts';
import type { GatherPass, KernelContext } from './gatherProduct.ts';
import { gatherProduct } from './gatherProduct.ts';
import type { Conv2dGeometry } from './geometry.ts';
import { conv2dName, partOfPass, simplified } from './geometry.ts';
import type { Kernel, KernelOptions, Range } from './kernel.ts';
import { partName, pointerParams, pointersOf } from './kernel.ts';
import { panelRows } from './microKernel.ts';
import { scratchLayout } from './scratch.ts';
import { emitThinInputGrad, isInputGradThin } from './thinGroups.ts';
import { isSeen, packTurnedFilters, planePasses, turnedFilters, turnedPlaces } from './turnedFilters.ts';
import { isWinogradFaster } from './winograd/choice.ts';
import { emitWinogradInputGrad } from './winograd/forward.ts';

/**
 * The kernel (outputGrad, weights, operands of the epilogue, inputGrad, scratch) of the gradient with respect to the
 * images. A part is a range of positions along `dividedAxis` of every pass, or of channels. There is no part of
 * positions and no epilogue where pixels are seen by no tap.
 *
 * Shapes   outputGrad [batch, outChannels, outHeight, outWidth], weights [outChannels, channels / groups,
 *          kernelHeight, kernelWidth], inputGrad [batch, channels, height, width]
 */
export function emitConv2dInputGrad(
  module: ModuleBuilder,
  geometry: Conv2dGeometry,
  options: KernelOptions = {},
): Kernel {
  const { fma = false, panels, epilogue } = options;
  const isWinograd = panels === undefined ? isWinogradFaster(geometry, 'images') : panels === 'winograd';
  if (isWinograd) return emitWinogradInputGrad(module, geometry, options);
  if (isInputGradThin(geometry)) return emitThinInputGrad(module, geometry, options);
  const name = conv2dName(`conv2dInputGrad${panels === undefined ? '' : ' of panels'}`, geometry, fma);
  const exportName = name + partName(options) + epilogueKey(epilogue);
  return module.once(exportName, () => {
    let scratchBytes = 0;
    const params = pointerParams(2 + operandCount(epilogue));
    const func = module.define({ exportName, params, result: 'void' }, (pointers, local) => {
      const { first, second, operands, output, scratch: pointer } = pointersOf(pointers);
      const scratch = scratchLayout(pointer);
      const places = { outputGrad: first, weights: second, inputGrad: output, operands };
      const body = inputGradient({ module, fma, scratch, local }, simplified(geometry), places, options);
      scratchBytes = scratch.bytes();
      return body;
    });
    return { func, scratchBytes };
  });
}

interface Operands {
  readonly outputGrad: Expression<'i32'>;
  readonly weights: Expression<'i32'>;
  readonly inputGrad: Expression<'i32'>;
  /** Of the epilogue. */
  readonly operands: readonly Expression<'i32'>[];
}

function inputGradient(
  context: KernelContext,
  geometry: Conv2dGeometry,
  { outputGrad, weights, inputGrad, operands }: Operands,
  { part, channels: computed, panels: given, epilogue }: KernelOptions,
): readonly Statement[] {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, groups } = geometry;
  const zeros = zeroPlanes(context.local, inputGrad, geometry, computed);
  const allPasses = planePasses(geometry);
  const passes = allPasses.filter(isSeen);
  if (batch * channels * outChannels * outHeight * outWidth * passes.length === 0) return zeros;

  const form = turnedFilters(geometry);
  const { places, bytes } = turnedPlaces(form);
  const panels = given === undefined ? context.scratch.region(bytes) : weights;
  const prepared = passes
    .map((pass, at) => ({ ...partOfPass(pass, part), filters: panelsAt(panels, places[at]) }))
    .filter(({ rows, columns }) => rows.count * columns.count > 0);
  return [
    // Pixels that no tap sees belong to passes without taps: their gradient is zero.
    ...(passes.length < allPasses.length ? zeros : []),
    ...(given === undefined ? packTurnedFilters(context, form, weights, panels) : []),
    ...gatherProduct(context, {
      batch,
      groups,
      source: { channels: outChannels, height: outHeight, width: outWidth },
      result: { channels, height, width },
      passes: prepared,
      channels: computed,
      input: outputGrad,
      output: inputGrad,
      epilogue,
      operands,
    }),
  ];
}

/** Zeros in the planes of a range of channels, of all without one. */
function zeroPlanes(
  local: NewLocal,
  inputGrad: Expression<'i32'>,
  { batch, channels, height, width }: Conv2dGeometry,
  { from, to }: Range = { from: 0, to: channels },
): readonly Statement[] {
  const plane = 4 * height * width;
  const target = local('i32');
  return [
    target.set(i32.add(inputGrad, from * plane)),
    forRange(local('i32'), 0, batch, 1, [
      memory.fill(target, 0, (to - from) * plane),
      increment(target, channels * plane),
    ]),
  ];
}

/** The panels of one pass as the tiles read them. */
function panelsAt(
  panels: Expression<'i32'>,
  { offset, panelBytes, groupStride } = { offset: 0, panelBytes: 0, groupStride: 0 },
): GatherPass['filters'] {
  const pointer = i32.add(panels, offset);
  return { layout: 'panel', pointer, stride: panelBytes, step: 4 * panelRows, groupStride };
}
