// What the comparison asks of a library, opening libraries, and moving numbers between layouts.
import type { Values, Work } from './work.ts';

/** What runs have taken of a device. */
export interface Usage {
  /** Kernels started. */
  readonly launches: number;
  /** Most bytes held at any time. */
  readonly peakBytes?: number;
}

/** Work made ready in one library: its inputs are in the library's own storage. */
export interface Prepared {
  /** Computes once, frees the result before, and resolves when the new one is there. */
  readonly run: () => Promise<void>;
  /** Milliseconds of runs made for about so long, measured where the library lives: for libraries in another process. */
  readonly time?: (milliseconds: number) => Promise<readonly number[]>;
  /** The last results in our layouts; for a training step: the loss, then every parameter. */
  readonly outputs: () => Promise<readonly ArrayLike<number>[]>;
  /** What all runs so far have taken, where the library tells. */
  readonly usage?: () => Usage;
  /** Frees what the work holds. */
  readonly free: () => void;
}

/** A library, ready to compute. */
export interface Library {
  readonly name: string;
  readonly version: string;
  /** Whether it can use more than one thread here. */
  readonly isThreaded: boolean;
  /** Whether the first run of a piece of work includes compiling it: then that run alone is never its time. */
  readonly compilesFirst: boolean;
  /** The work made ready, or why this library cannot do it. */
  readonly prepare: (work: Work) => Promise<Prepared | string>;
  /** Milliseconds of processors that its process has taken so far, for libraries in another process. */
  readonly cpu?: () => Promise<number>;
  /** Ends what the library keeps running. */
  readonly close?: () => Promise<void>;
}

/** The peers that load here, and for each other one the reason. */
export interface Peers {
  readonly libraries: readonly Library[];
  readonly absent: Readonly<Record<string, string>>;
}

/** What the openers give; each on its own, so that one failing leaves the rest. */
export const openAll = async (openers: Readonly<Record<string, () => Promise<Library>>>): Promise<Peers> => {
  const libraries: Library[] = [];
  const absent: Record<string, string> = {};
  for (const [name, open] of Object.entries(openers)) {
    try {
      libraries.push(await open());
    } catch (error) {
      absent[name] = (error as Error).message.split('\n')[0]!;
    }
  }
  return { libraries, absent };
};

/** The values with their axes in another order, as `numpy.transpose`. */
export const permuted = ({ shape, data }: Values, order: readonly number[]): Values => {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const outShape = order.map((axis) => shape[axis]!);
  const out = new Float32Array(data.length);
  const index = outShape.map(() => 0);
  for (let i = 0; i < out.length; i++) {
    let from = 0;
    for (let axis = 0; axis < order.length; axis++) from += index[axis]! * strides[order[axis]!]!;
    out[i] = data[from]!;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < outShape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape: outShape, data: out };
};
