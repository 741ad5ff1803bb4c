// The contract between kernel emitters and the executor that calls the kernels.

import type { Epilogue } from '../../../graph/epilogues.ts';
import type { FunctionRef } from '../assembler/module.ts';
import type { TileSize } from './winograd/convolutionTiles.ts';

/**
 * A kernel emitted into a module. The executor instantiates the module and calls
 * `exports[kernel.func.exportName](...inputs, output, scratch)`.
 *
 * Every parameter is a byte address in the module's memory, a multiple of 4 (whole buffers and scratch memory begin at
 * multiples of 64, parts of them anywhere). Kernels may read up to
 * `readableBytesAfter` bytes behind the end of an input; they write the output and the scratch memory only,
 * never behind their ends. Scratch memory needs no particular content and holds none of value afterwards.
 * Inputs and output must not overlap. The same inputs give the same bits.
 */
export interface Kernel {
  readonly func: FunctionRef<readonly 'i32'[], 'void'>;
  readonly scratchBytes: number;
}

/** Bytes behind the end of every buffer that kernels may read (never use). */
export const readableBytesAfter = 64;

/** How kernels are emitted. */
export interface KernelOptions {
  /** Fused multiply-add of relaxed SIMD: faster on most machines, but the last bits depend on it. */
  readonly fma?: boolean;
  /** The part of its output that a kernel computes; only kernels that can be divided are asked for one. */
  readonly part?: Range;
  /** The result channels that a convolution of one group computes, from a multiple of four on. */
  readonly channels?: Range;
  /**
   * The panels that a convolution finds in place of its filters, made by the kernel of `filterPanels.ts`. Without it a kernel
   * chooses for itself which it needs, and makes them in each call.
   */
  readonly panels?: 'winograd' | 'turned';
  /** The size of Winograd's tiles where a convolution is computed by them; 2 without it. */
  readonly tileSize?: TileSize;
  /** What a convolution does to its result before it stores it; the kernel's further inputs follow the filters. */
  readonly epilogue?: Epilogue;
}

/** The numbers from `from` up to `to`, the latter excluded. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What tells the names of kernels of different parts apart. */
export function partName({ part, channels }: Pick<KernelOptions, 'part' | 'channels'>): string {
  const ofPart = part === undefined ? '' : ` part ${part.from} to ${part.to}`;
  return channels === undefined ? ofPart : `${ofPart} channels ${channels.from} to ${channels.to}`;
}

/** The pointers of a kernel with two inputs, further operands, an output and scratch memory. */
export function pointersOf<Pointer>(pointers: readonly Pointer[]): {
  readonly first: Pointer;
  readonly second: Pointer;
  readonly operands: readonly Pointer[];
  readonly output: Pointer;
  readonly scratch: Pointer;
} {
  const [first, second] = pointers;
  const [output, scratch] = pointers.slice(-2);
  if (first === undefined || second === undefined || output === undefined || scratch === undefined)
    throw new RangeError(`pointersOf: needs at least four pointers, got ${pointers.length}.`);
  return { first, second, operands: pointers.slice(2, -2), output, scratch };
}

/** The parameter types of a kernel with so many inputs: their pointers, the output's, and the scratch memory's. */
export function pointerParams(inputs: number): readonly 'i32'[] {
  return Array.from({ length: inputs + 2 }, () => 'i32' as const);
}
