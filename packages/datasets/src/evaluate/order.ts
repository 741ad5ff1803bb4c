// Stable orders of columns: by small whole numbers, and by score from high to low.

/**
 * The entries of `order` by ascending key, equal keys as they were.
 *
 * Shapes   keys 0 .. count - 1, by entry
 */
export const orderByKey = (order: Uint32Array, keys: ArrayLike<number>, count: number): Uint32Array => {
  const next = new Uint32Array(count + 1);
  for (const entry of order) next[keys[entry]! + 1]! += 1;
  for (let key = 0; key < count; key++) next[key + 1]! += next[key]!;
  const sorted = new Uint32Array(order.length);
  for (const entry of order) sorted[next[keys[entry]!]!++] = entry;
  return sorted;
};

/** Stretches up to this length are sorted by insertion. */
const shortStretch = 16;

/**
 * Sorts `order[from .. to - 1]` in place by descending score, equal scores as they were.
 */
export const sortByScore = (
  order: Uint32Array,
  scores: ArrayLike<number>,
  from: number,
  to: number,
): void => {
  for (let start = from; start < to; start += shortStretch)
    insertionSort(order, scores, start, Math.min(to, start + shortStretch));
  if (to - from <= shortStretch) return;
  let source: Uint32Array = order.subarray(from, to);
  let target: Uint32Array = new Uint32Array(to - from);
  for (let width = shortStretch; width < to - from; width *= 2) {
    mergeNeighbours(source, target, scores, width);
    [source, target] = [target, source];
  }
  if (source.buffer !== order.buffer) order.set(source, from);
};

const insertionSort = (order: Uint32Array, scores: ArrayLike<number>, from: number, to: number): void => {
  for (let i = from + 1; i < to; i++) {
    const entry = order[i]!;
    const score = scores[entry]!;
    let place = i;
    while (place > from && scores[order[place - 1]!]! < score) {
      order[place] = order[place - 1]!;
      place -= 1;
    }
    order[place] = entry;
  }
};

/** Merges sorted stretches of the given width two by two. */
const mergeNeighbours = (
  source: Uint32Array,
  target: Uint32Array,
  scores: ArrayLike<number>,
  width: number,
): void => {
  const { length } = source;
  for (let start = 0; start < length; start += 2 * width) {
    const middle = Math.min(length, start + width);
    const end = Math.min(length, start + 2 * width);
    let left = start;
    let right = middle;
    for (let place = start; place < end; place++) {
      const takesLeft = left < middle && (right >= end || scores[source[left]!]! >= scores[source[right]!]!);
      target[place] = source[takesLeft ? left++ : right++]!;
    }
  }
};
