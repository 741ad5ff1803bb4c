// Which convolutions of this backend finish their results by the loop that reads them.
import type { EpilogueOptions, EpilogueRead } from '../../graph/epilogues.ts';
import type { Step } from '../../graph/graph.ts';
import type { Spec } from '../../tensor.ts';
import { forwardGeometry, inputGradGeometry, isConvolution, optionsOf } from './convolutionSteps.ts';
import { isSeen, planePasses } from './kernels/turnedFilters.ts';
import { isWinogradFaster } from './kernels/winograd/choice.ts';

/** Whether the kernel stores every element of the result exactly once, where it belongs. */
const canFinish = (step: Step, inputs: readonly Spec[], reads: readonly EpilogueRead[]): boolean => {
  const isForward = step.op.name === 'conv2d';
  const geometry = isForward ? forwardGeometry(inputs, step.attrs) : inputGradGeometry(inputs, step.attrs);
  const { batch, channels, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = geometry;
  const work = batch * channels * outChannels * outHeight * outWidth * kernelHeight * kernelWidth;
  if (work * geometry.height * geometry.width === 0) return false;
  if (isWinogradFaster(geometry, isForward ? 'output' : 'images')) {
    // where tiles reach over the edge the result is put together elsewhere first
    const { tileSize = 2 } = optionsOf(step.attrs);
    const sides = isForward ? [outHeight, outWidth] : [geometry.height, geometry.width];
    return reads.every(({ kind }) => kind !== 'alike') || sides.every((side) => side % tileSize === 0);
  }
  return isForward || planePasses(geometry).every(isSeen);
};

/** Convolutions and their input gradients; every further input takes a pointer of the kernel. */
export const epilogues: EpilogueOptions = { mostOperands: 8, isProducer: isConvolution, canFinish };
