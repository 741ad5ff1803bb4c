// The sizes of a 2D convolution and what follows from them.

import type { ConvExtents } from '../../../ops/conv.ts';
import type { Range } from './kernel.ts';

/**
 * A convolution of images [batch, channels, height, width] with weights
 * [outChannels, channels / groups, kernelHeight, kernelWidth] to [batch, outChannels, outHeight, outWidth].
 * Zeros surround the images; `padTop` and `padLeft` say how many come before the first row and column, and
 * the output's size how many after the last. Strides and dilations are in pixels.
 */
export interface Conv2dGeometry extends ConvExtents {
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly groups: number;
}

/** The name of a convolution kernel: equal geometries share one function. */
export function conv2dName(kind: string, geometry: Conv2dGeometry, fma: boolean): string {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, groups } = geometry;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = geometry;
  const parts = [
    `${batch}x${channels}x${height}x${width}->${outChannels}x${outHeight}x${outWidth}`,
    `kernel ${kernelHeight}x${kernelWidth}`,
    `stride ${strideHeight},${strideWidth}`,
    `pad ${padTop},${padLeft}`,
    `dilation ${geometry.dilationHeight},${geometry.dilationWidth}`,
    `groups ${groups}`,
  ];
  return `${kind} ${parts.join(' ')}${fma ? ' fma' : ''}`;
}

/**
 * The same convolution in its simplest form: one of single pixels, where every pixel of the image becomes one
 * of the output, sees each image as one long row.
 */
export function simplified(geometry: Conv2dGeometry): Conv2dGeometry {
  const { height, width, outHeight, outWidth, padTop, padLeft } = geometry;
  const isPointwise =
    geometry.kernelHeight === 1 &&
    geometry.kernelWidth === 1 &&
    geometry.strideHeight === 1 &&
    geometry.strideWidth === 1 &&
    padTop === 0 &&
    padLeft === 0 &&
    outHeight === height &&
    outWidth === width;
  return isPointwise
    ? { ...geometry, height: 1, outHeight: 1, width: height * width, outWidth: height * width }
    : geometry;
}

// Images are taken together until they have this many pixels, so that small ones fill the tiles too.
const pixelsTogether = 256;

/** How many images of the given number of pixels one block of work takes together, at least 1. */
export function imagesTogether(batch: number, pixelsPerImage: number): number {
  return Math.max(1, Math.min(batch, Math.floor(pixelsTogether / Math.max(1, pixelsPerImage))));
}

/** How one dimension of a gathered product moves over its source and its result. */
export interface AxisPass {
  /** Positions computed, and where the first reads (in unpadded source pixels, may be negative). */
  readonly count: number;
  readonly start: number;
  /** Source pixels from one position to the next. */
  readonly step: number;
  /** Filter taps, and source pixels from one to the next. */
  readonly taps: number;
  readonly tapStep: number;
  /** Where the first position lies in the result, and result pixels from one to the next. */
  readonly resultStart: number;
  readonly resultStep: number;
  /** The first tap's index in the filter, and filter indices from one tap to the next. */
  readonly filterStart: number;
  readonly filterStep: number;
}

/** The dimension of an image that parts of a convolution divide: its rows, or the columns of a single row. */
export function dividedAxis({ rows }: { readonly rows: AxisPass }): 'rows' | 'columns' {
  return rows.count > 1 ? 'rows' : 'columns';
}

/** The pass over a range of positions along `dividedAxis`; without a range the whole pass. */
export function partOfPass<Pass extends { readonly rows: AxisPass; readonly columns: AxisPass }>(
  pass: Pass,
  part: Range | undefined,
): Pass {
  if (part === undefined) return pass;
  const axis = dividedAxis(pass);
  const { count, start, step, resultStart, resultStep, ...rest } = pass[axis];
  const divided: AxisPass = {
    ...rest,
    step,
    resultStep,
    count: Math.max(0, Math.min(part.to, count) - part.from),
    start: start + part.from * step,
    resultStart: resultStart + part.from * resultStep,
  };
  return { ...pass, [axis]: divided };
}

/** The sizes of a convolution along one dimension. */
export interface AxisGeometry {
  readonly size: number;
  readonly outSize: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padBefore: number;
  readonly dilation: number;
}

/** The sizes along the height and along the width. */
export function axesOf(geometry: Conv2dGeometry): {
  readonly rows: AxisGeometry;
  readonly columns: AxisGeometry;
} {
  return {
    rows: {
      size: geometry.height,
      outSize: geometry.outHeight,
      kernel: geometry.kernelHeight,
      stride: geometry.strideHeight,
      padBefore: geometry.padTop,
      dilation: geometry.dilationHeight,
    },
    columns: {
      size: geometry.width,
      outSize: geometry.outWidth,
      kernel: geometry.kernelWidth,
      stride: geometry.strideWidth,
      padBefore: geometry.padLeft,
      dilation: geometry.dilationWidth,
    },
  };
}

/** The pass of a forward convolution along one dimension. */
export function forwardPass({ outSize, kernel, stride, padBefore, dilation }: AxisGeometry): AxisPass {
  return {
    count: outSize,
    start: -padBefore,
    step: stride,
    taps: kernel,
    tapStep: dilation,
    resultStart: 0,
    resultStep: 1,
    filterStart: 0,
    filterStep: 1,
  };
}

/**
 * The passes of an input gradient along one dimension: one per residue of the stride, so that the positions
 * of a pass see the same taps and read the output gradient at distance 1. A pass may have no taps at all.
 */
export function inputGradPasses(axis: AxisGeometry): readonly AxisPass[] {
  const { size, kernel, stride, padBefore, dilation } = axis;
  const isSeen = (pixel: number, tap: number): boolean => (pixel + padBefore - tap * dilation) % stride === 0;
  const filterStep = stride / greatestCommonDivisor(stride, dilation);
  return Array.from({ length: Math.min(stride, size) }, (_, resultStart) => {
    const seen = Array.from({ length: kernel }, (_unused, tap) => tap).filter((tap) =>
      isSeen(resultStart, tap),
    );
    const filterStart = seen[0] ?? 0;
    return {
      count: Math.ceil((size - resultStart) / stride),
      start: seen.length === 0 ? 0 : (resultStart + padBefore - filterStart * dilation) / stride,
      step: 1,
      taps: seen.length,
      tapStep: -(filterStep * dilation) / stride,
      resultStart,
      resultStep: stride,
      filterStart,
      filterStep,
    };
  });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
