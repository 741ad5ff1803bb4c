// Looking up the ids of images and objects without a map of them all.
import type { Identifiers } from './columns.ts';

/** How far ids may be spread over a range for a table of the whole range to be worth its memory. */
const spread = 16;

/**
 * A function from an id to its first row, or -1 for an id that is not there.
 *
 * Example  rowsById(Float64Array.of(5, 3))(3) // 1
 */
export const rowsById = (ids: Float64Array): ((id: number) => number) => {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const id of ids) {
    if (id < low) low = id;
    if (id > high) high = id;
  }
  const range = ids.length === 0 ? 0 : high - low + 1;
  if (range <= spread * ids.length) return inRange(ids, low, range);
  return bySearch(ids);
};

const inRange = (ids: Float64Array, low: number, range: number): ((id: number) => number) => {
  const rows = new Int32Array(range).fill(-1);
  for (let row = ids.length - 1; row >= 0; row--) rows[ids[row]! - low] = row;
  return (id) => (id >= low && id < low + range ? rows[id - low]! : -1);
};

/** No hashing: ids made to collide would make it take forever. */
const bySearch = (ids: Float64Array): ((id: number) => number) => {
  const sorted = ids.slice().sort();
  const rows = new Int32Array(ids.length).fill(-1);
  for (let row = ids.length - 1; row >= 0; row--) rows[firstAtLeast(sorted, ids[row]!)] = row;
  return (id) => {
    const place = firstAtLeast(sorted, id);
    return sorted[place] === id ? rows[place]! : -1;
  };
};

const firstAtLeast = (sorted: Float64Array, id: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
};

/**
 * The ids that occur more than once.
 *
 * Example  repeatedIds(Float64Array.of(5, 3, 5)) // Set { 5 }
 */
export const repeatedIds = (ids: Identifiers): Set<number> => {
  const repeated = new Set<number>();
  if (isAscending(ids)) return repeated;
  const sorted = ids.slice().sort();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) repeated.add(sorted[i]!);
  return repeated;
};

const isAscending = (ids: Identifiers): boolean => {
  for (let i = 1; i < ids.length; i++) if (ids[i]! <= ids[i - 1]!) return false;
  return true;
};
