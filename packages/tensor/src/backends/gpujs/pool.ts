// Arrays that wait to be used again. The length of an array decides the shape of its texture, so arrays are exchanged within a length.
import type { Handle, Host } from './host.ts';

/** How many arrays of every length are in use at once. */
export type Demand = ReadonlyMap<number, number>;

/** Arrays by length. */
export interface Pool {
  take(length: number): Handle;
  /** Takes an array back. It is kept while some program needs as many of its length. */
  give(handle: Handle): void;
  /** Makes the pool keep what a program needs; the function that this returns ends that. */
  reserve(demand: Demand): () => void;
}

/** An empty pool; `free` frees an array once commands that use it are done. */
export const openPool = (host: Host, free: (handle: Handle) => void): Pool => {
  const waiting = new Map<number, Handle[]>();
  const demands = new Set<Demand>();
  const limitOf = (length: number): number => {
    let most = 0;
    for (const demand of demands) most = Math.max(most, demand.get(length) ?? 0);
    return most;
  };
  const trim = (length: number): void => {
    const handles = waiting.get(length) ?? [];
    while (handles.length > limitOf(length)) free(handles.pop()!);
  };
  return {
    take: (length) => waiting.get(length)?.pop() ?? host.allocate(length),
    give: (handle) => {
      const handles = waiting.get(handle.length) ?? [];
      waiting.set(handle.length, handles);
      handles.push(handle);
      trim(handle.length);
    },
    reserve: (demand) => {
      demands.add(demand);
      return () => {
        demands.delete(demand);
        for (const length of demand.keys()) trim(length);
      };
    },
  };
};
