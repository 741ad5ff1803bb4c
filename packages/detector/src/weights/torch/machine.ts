// The state of reading a pickle: its bytes, stack, marks and memo, and what bounds them.
import { callKnown, isKnown } from './globals.ts';
import type { Refuse, TorchOpaque, TorchValue } from './values.ts';

/** How much a pickle may ask for. */
export interface PickleLimits {
  /** Bytes of one pickle. */
  readonly bytes: number;
  /** Instructions. */
  readonly steps: number;
  /** Lists, tuples, dictionaries, sets, objects. */
  readonly containers: number;
  /** Containers within containers. */
  readonly depth: number;
  /** Values, when what is referred to several times is counted as often. */
  readonly expanded: number;
  /** Bytes of one integer. */
  readonly integerBytes: number;
  /** Bytes of the name of a module, class or function. */
  readonly nameLength: number;
}

/** The limits of every pickle; those of large training checkpoints ask for a hundredth of them. */
export const pickleLimits: PickleLimits = {
  bytes: 2 ** 26,
  steps: 4_000_000,
  containers: 500_000,
  depth: 1000,
  expanded: 20_000_000,
  integerBytes: 64,
  nameLength: 500,
};

/** What a pickle is read with. */
export interface PickleOptions {
  readonly refuse: Refuse;
  /** What a class or function outside the table of known ones is: an error, or an opaque value. */
  readonly foreign: 'refuse' | 'opaque';
  /** What a persistent id stands for. */
  readonly persistent: (id: TorchValue) => TorchValue;
}

/** There are fewer bytes than the pickle needs. */
export class ShortPickle extends Error {
  override readonly name = 'ShortPickle';
}

/** A pickle while it is read: instructions take bytes and work on the stack. */
export interface PickleMachine {
  readonly stack: TorchValue[];
  /** Where the stack was when a mark was set, the last one on top. */
  readonly marks: number[];
  readonly memo: Map<number, TorchValue>;
  readonly refuse: Refuse;
  readonly persistent: PickleOptions['persistent'];
  /** The position of the next byte. */
  readonly position: () => number;
  /** The next byte; a view for every one would take longer than all else. */
  readonly byte: () => number;
  /** The next bytes. */
  readonly take: (count: number) => Uint8Array;
  /** The text up to the next line end, which is taken too. */
  readonly takeLine: () => string;
  /** A class or function. */
  readonly global: (module: string, name: string) => TorchOpaque;
  /** What calling a class or function gives. */
  readonly call: (callee: TorchOpaque, argument: readonly TorchValue[]) => TorchValue;
  /** Counts a container, which a pickle may not make without end. */
  readonly made: <Container>(container: Container) => Container;
}

/** A machine over bytes, and the foreign names that it meets. */
export const pickleMachine = (
  bytes: Uint8Array,
  from: number,
  { refuse, foreign, persistent }: PickleOptions,
): { readonly machine: PickleMachine; readonly foreignNames: ReadonlySet<string> } => {
  const foreignNames = new Set<string>();
  let [at, containers] = [from, 0];
  const take = (count: number): Uint8Array => {
    if (!(count <= bytes.length - at)) throw new ShortPickle(`${count} bytes at ${at}`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const byte = (): number => {
    if (at >= bytes.length) throw new ShortPickle(`a byte at ${at}`);
    at += 1;
    return bytes[at - 1]!;
  };
  const made = <Container>(container: Container): Container => {
    containers += 1;
    if (containers > pickleLimits.containers)
      refuse(`at most ${pickleLimits.containers} lists, dictionaries and objects`, 'more');
    return container;
  };
  const global = (module: string, name: string): TorchOpaque => {
    const path = `${module}.${name}`;
    if (!isKnown(path)) {
      foreignNames.add(path);
      if (foreign === 'refuse') refuseForeign(path, refuse);
    }
    return { kind: 'opaque', name: path };
  };
  const machine: PickleMachine = {
    stack: [],
    marks: [],
    memo: new Map(),
    refuse,
    persistent,
    position: () => at,
    byte,
    take,
    takeLine: () => takeLine(bytes, at, { take, refuse }),
    global,
    call: (callee, argument) => made(callKnown(callee, argument, refuse)),
    made,
  };
  return { machine, foreignNames };
};

const takeLine = (
  bytes: Uint8Array,
  at: number,
  { take, refuse }: Pick<PickleMachine, 'take' | 'refuse'>,
): string => {
  const length = bytes.subarray(at, at + pickleLimits.nameLength).indexOf(0x0a);
  if (length >= 0) return textOf(take(length + 1).subarray(0, length), refuse);
  if (bytes.length - at < pickleLimits.nameLength) throw new ShortPickle(`a line at ${at}`);
  return refuse(`names of at most ${pickleLimits.nameLength} bytes`, 'a longer one');
};

/** Throws the error for a class or function that is not known, which it names: that is what one decides by. */
export const refuseForeign = (name: string, refuse: Refuse): never =>
  refuse(
    'tensors and plain values only',
    `the Python object '${name}'`,
    'Nothing of it was executed. Save the state dictionary alone and read that.',
  );

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bytes as text.
 *
 * Throws   what `refuse` throws, when they are not UTF-8
 */
export const textOf = (bytes: Uint8Array, refuse: Refuse): string => {
  try {
    return decoder.decode(bytes);
  } catch {
    return refuse('text in UTF-8', `${bytes.length} bytes that are not`);
  }
};
