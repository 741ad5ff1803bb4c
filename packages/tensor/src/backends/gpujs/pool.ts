// Arrays that wait to be used again. The layout of an array decides what its texture is, so arrays are exchanged within a layout.
import type { Handle, Host, Layout } from './host.ts';

/** How many arrays of every layout, by its key, are in use at once. */
export type Demand = ReadonlyMap<string, number>;

/** What two layouts have in common if they are equal. */
export const layoutKey = ({ length, contents }: Layout): string => `${length} ${contents}`;

/** Arrays by layout. */
export interface Pool {
  take(layout: Layout): Handle;
  /** Takes an array back. It is kept while some program needs as many of its layout. */
  give(handle: Handle): void;
  /** Makes the pool keep what a program needs; the function that this returns ends that. */
  reserve(demand: Demand): () => void;
}

/** An empty pool; `free` frees an array once commands that use it are done. */
export const openPool = (host: Host, free: (handle: Handle) => void): Pool => {
  const waiting = new Map<string, Handle[]>();
  const demands = new Set<Demand>();
  const limitOf = (key: string): number => {
    let most = 0;
    for (const demand of demands) most = Math.max(most, demand.get(key) ?? 0);
    return most;
  };
  const trim = (key: string): void => {
    const handles = waiting.get(key) ?? [];
    while (handles.length > limitOf(key)) free(handles.pop()!);
  };
  return {
    take: (layout) => waiting.get(layoutKey(layout))?.pop() ?? host.allocate(layout.length, layout.contents),
    give: (handle) => {
      const key = layoutKey(handle);
      const handles = waiting.get(key) ?? [];
      waiting.set(key, handles);
      handles.push(handle);
      trim(key);
    },
    reserve: (demand) => {
      demands.add(demand);
      return () => {
        demands.delete(demand);
        for (const key of demand.keys()) trim(key);
      };
    },
  };
};
