// The name that was probably meant, for messages about a name that does not exist.

/**
 * The name of a list that takes the fewest letters added, removed or replaced to reach, unless that is more than a third of them.
 *
 * Source   the edit distance of Levenshtein (1966), row by row
 * Example  nearestName('forceTopk', ['forceTopK', 'kind']) // 'forceTopK'
 */
export const nearestName = (name: string, names: readonly string[]): string | undefined => {
  const distances = names.map((candidate) => editDistance(name.toLowerCase(), candidate.toLowerCase()));
  const least = Math.min(...distances);
  const nearest = names[distances.indexOf(least)];
  return nearest !== undefined && least <= Math.max(1, nearest.length / 3) ? nearest : undefined;
};

const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(from).entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = row[j]! + (letter === to[j] ? 0 : 1);
      next.push(Math.min(replaced, row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
};
