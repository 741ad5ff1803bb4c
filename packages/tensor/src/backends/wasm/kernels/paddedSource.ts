// The images a convolution reads, surrounded by zeros, so that no tap has to look where the image ends.

import type { Expression, Statement } from '../assembler/code.ts';
import { forRange, increment } from '../assembler/control.ts';
import type { Local, ModuleBuilder, NewLocal } from '../assembler/module.ts';
import { newLocals } from '../assembler/module.ts';
import { i32, memory } from '../assembler/scalar.ts';
import type { AxisPass } from './geometry.ts';
import { copyRows } from './packing.ts';
import type { Scratch } from './scratch.ts';

/** One dimension of a padded plane: zeros before the image (negative: pixels left out) and the whole size. */
interface PaddedAxis {
  readonly before: number;
  readonly size: number;
}

/** A padded plane of one channel of one image. */
export interface PaddedPlane {
  readonly rows: PaddedAxis;
  readonly columns: PaddedAxis;
  /** False when the passes stay inside the image: the images are then read where they lie. */
  readonly isCopied: boolean;
  /** Bytes of a plane. */
  readonly bytes: number;
}

/** The part of one dimension that the passes with taps read, with the zeros it needs. */
function paddedAxis(size: number, passes: readonly AxisPass[]): PaddedAxis {
  const ends = passes
    .filter(({ taps, count }) => taps > 0 && count > 0)
    .flatMap(({ start, step, count, taps, tapStep }) => {
      const tapSpan = (taps - 1) * tapStep;
      return [start + Math.min(0, tapSpan), start + (count - 1) * step + Math.max(0, tapSpan)];
    });
  if (ends.length === 0) return { before: 0, size };
  const first = Math.min(...ends);
  return { before: -first, size: Math.max(...ends) - first + 1 };
}

/**
 * The plane that holds everything the passes over the rows and the columns of an image read. Images are read in
 * place only where the turns are whole (`isWhole`): a turn of fewer images still reads as many as the others.
 */
export function paddedPlane(
  height: number,
  width: number,
  rowPasses: readonly AxisPass[],
  columnPasses: readonly AxisPass[],
  isWhole: boolean,
): PaddedPlane {
  const rows = paddedAxis(height, rowPasses);
  const columns = paddedAxis(width, columnPasses);
  const isInside = (axis: PaddedAxis, size: number): boolean =>
    axis.before <= 0 && axis.size - axis.before <= size;
  if (isWhole && isInside(rows, height) && isInside(columns, width)) {
    const whole = { rows: { before: 0, size: height }, columns: { before: 0, size: width } };
    return { ...whole, isCopied: false, bytes: 4 * height * width };
  }
  return { rows, columns, isCopied: true, bytes: 4 * rows.size * columns.size };
}

/** The source of a kernel: where the planes of the current images lie, and the code that brings them there. */
export interface Source {
  readonly pointer: Local<'i32'>;
  readonly once: readonly Statement[];
  /** Makes `pointer` the first plane of an image, of which `planes` planes are needed. */
  readonly load: (image: Expression<'i32'>, planes: Expression<'i32'>) => readonly Statement[];
}

/** What a source is made of. */
export interface SourceImages {
  readonly plane: PaddedPlane;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly imagesTogether: number;
  readonly input: Expression<'i32'>;
}

/** The source that reads images in place, or copies them between zeros written once per call. */
export function sourceOf(
  module: ModuleBuilder,
  { plane, channels, height, width, imagesTogether, input }: SourceImages,
  scratch: Scratch,
  local: NewLocal,
): Source {
  const pointer = local('i32');
  const imageBytes = 4 * channels * height * width;
  const imageAt = (image: Expression<'i32'>): Expression<'i32'> => i32.add(input, i32.mul(image, imageBytes));
  if (!plane.isCopied) return { pointer, once: [], load: (image) => [pointer.set(imageAt(image))] };

  const bytes = imagesTogether * channels * plane.bytes;
  const region = scratch.region(bytes);
  const [at, from, to] = newLocals(local, 'i32', 3);
  const rows = visiblePart(plane.rows, height);
  const columns = visiblePart(plane.columns, width);
  const copyPlane = copyRows(module).call(
    from,
    4 * width,
    to,
    4 * plane.columns.size,
    rows.count,
    columns.count,
  );
  return {
    pointer,
    once: [pointer.set(region), memory.fill(region, 0, bytes)],
    load: (image, planes) => [
      from.set(i32.add(imageAt(image), 4 * (rows.from * width + columns.from))),
      to.set(i32.add(pointer, 4 * (rows.to * plane.columns.size + columns.to))),
      forRange(at, 0, planes, 1, [
        copyPlane,
        increment(from, 4 * height * width),
        increment(to, plane.bytes),
      ]),
    ],
  };
}

/** The pixels of one dimension that lie inside the padded axis: from where, to where, how many. */
function visiblePart(
  { before, size }: PaddedAxis,
  imageSize: number,
): { readonly from: number; readonly to: number; readonly count: number } {
  const from = Math.max(0, -before);
  const to = Math.max(0, before);
  return { from, to, count: Math.max(0, Math.min(imageSize - from, size - to)) };
}
