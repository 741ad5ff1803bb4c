// Where tensors lie: each in a buffer of its own, or several one after the other in one buffer, which lives as long as any of them.
import type { Part } from './joinUpdates.ts';

/** A range of a buffer. */
export interface Place {
  readonly buffer: GPUBuffer;
  /** Bytes before it. */
  readonly offset: number;
  /** How many tensors share the buffer; not set for one alone. */
  readonly sharers?: { count: number };
}

/** A copy from a place into a buffer, `offset` bytes from its beginning. */
export interface Move {
  readonly from: Place;
  readonly to: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** The place of a buffer's only tensor. */
export const wholeOf = (buffer: GPUBuffer): Place => ({ buffer, offset: 0 });

/** Ends the life of a tensor's place: its buffer is given back with the last tensor in it. */
export const leave = ({ buffer, sharers }: Place, giveBack: (buffer: GPUBuffer) => void): void => {
  if (sharers !== undefined) sharers.count--;
  if (sharers === undefined || sharers.count === 0) giveBack(buffer);
};

/** The places of the parts of a bundle, which share its buffer; the one of a tensor alone is the bundle's own. */
export const placesOfParts = (bundle: Place, parts: readonly Part[]): readonly Place[] => {
  if (parts.length === 1) return [bundle];
  const sharers = { count: parts.length };
  return parts.map(({ offset }) => ({ buffer: bundle.buffer, offset: 4 * offset, sharers }));
};

/** The place of a bundle whose parts are at the given places, and of nothing else; undefined where they are not. */
export const bundleAt = (places: readonly Place[], parts: readonly Part[]): Place | undefined => {
  const { buffer, sharers } = places[0]!;
  const isThere = places.every(
    (place, i) => place.buffer === buffer && place.offset === 4 * parts[i]!.offset,
  );
  return isThere && sharers?.count === parts.length ? wholeOf(buffer) : undefined;
};
