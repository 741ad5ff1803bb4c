// How far two pictures are apart.

/** The largest and the mean difference of two arrays of bytes. */
export const differencesOf = (
  one: Uint8Array,
  other: Uint8Array,
): { readonly largest: number; readonly mean: number } => {
  let largest = one.length === other.length ? 0 : Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < one.length; i++) {
    const difference = Math.abs(one[i]! - other[i]!);
    largest = Math.max(largest, difference);
    sum += difference;
  }
  return { largest, mean: sum / one.length };
};
