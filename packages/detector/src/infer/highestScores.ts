// The highest of many scores, without sorting all of them.
import { byDescendingScore } from '../geometry/nms.ts';

/**
 * The indices of the `count` highest scores, from the highest down; of equal scores the lower index first.
 *
 * Example  highestScores([0.2, 0.9, 0.5], 2) // [1, 2]
 */
export const highestScores = (scores: ArrayLike<number>, count: number): Int32Array => {
  if (scores.length <= count) return byDescendingScore(scores);
  if (count < 1) return new Int32Array(0);
  const least = nthHighest(Float32Array.from(scores), count);
  const chosen: number[] = [];
  for (let i = 0; i < scores.length; i++) if (scores[i]! >= least) chosen.push(i);
  const order = byDescendingScore(chosen.map((i) => scores[i]!)).subarray(0, count);
  return order.map((position) => chosen[position]!);
};

/**
 * The value that stands at place `n`, from 1, when the values are sorted from the highest down; they are rearranged.
 *
 * Source   Hoare, Algorithm 65: Find (1961)
 */
const nthHighest = (values: Float32Array, n: number): number => {
  let [low, high] = [0, values.length - 1];
  const place = n - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i > j) break;
      const kept = values[i]!;
      values[i++] = values[j]!;
      values[j--] = kept;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  return values[place]!;
};
