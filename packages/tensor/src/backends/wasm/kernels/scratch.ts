// Scratch memory of a kernel: regions laid out one after the other behind the scratch pointer.

import type { Expression } from '../assembler/code.ts';
import { i32 } from '../assembler/scalar.ts';

/** Scratch memory under layout. */
export interface Scratch {
  /** The address of a new region of the given size. */
  readonly region: (bytes: number) => Expression<'i32'>;
  /** Bytes taken by the regions so far. */
  readonly bytes: () => number;
}

/** An empty layout behind the given pointer; every region starts at a multiple of 16. */
export function scratchLayout(pointer: Expression<'i32'>): Scratch {
  let used = 0;
  return {
    region: (bytes) => {
      const start = used;
      used += Math.ceil(bytes / 16) * 16;
      return i32.add(pointer, start);
    },
    bytes: () => used,
  };
}
