// What a few runs allow to be said: mean, spread, and differences that share their seeds, with the interval they lie in.

/** A mean of several values and the spread around it. */
export interface Spread {
  readonly mean: number;
  /** The standard deviation of a sample; undefined for a single value. */
  readonly deviation?: number;
  readonly count: number;
}

/** The mean of some values and their sample standard deviation; the mean is NaN without any. */
export function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - 1)), count };
}

/**
 * How likely a variable of Student's t distribution lies between -t and t.
 *
 * Source   Abramowitz and Stegun (1964), 26.7.3 and 26.7.4
 */
function centralShare(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const cosine = Math.cos(angle);
  const isOdd = freedom % 2 === 1;
  if (freedom === 1) return (2 * angle) / Math.PI;
  let term = isOdd ? cosine : 1;
  let sum = term;
  for (let k = isOdd ? 2 : 1; k <= freedom - 3; k += 2) {
    term *= (k / (k + 1)) * cosine ** 2;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/**
 * The t between whose negative and itself 95 % of Student's distribution lie.
 *
 * Example  tQuantile(2) // 4.303
 */
export function tQuantile(freedom: number): number {
  let [low, high] = [0, 20]; // 12.7 for one degree of freedom, less for more
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (centralShare(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  return high;
}

/** What a difference allows to be said. */
type Claim = 'better' | 'worse' | 'within noise' | 'one seed, no claim';

/** The mean difference of pairs of values, and how well it is known. */
export interface PairedDifference {
  readonly mean: number;
  /** Its standard error over the pairs; undefined for a single one. */
  readonly error?: number;
  /** The 95 % interval by Student's t; undefined for a single pair. */
  readonly interval?: readonly [low: number, high: number];
  readonly count: number;
  readonly claim: Claim;
}

/**
 * The mean of the differences of pairs; a claim only where the 95 % interval does not cover 0. Undefined without pairs.
 *
 * Example  pairedDifference([[0.41, 0.46], [0.40, 0.47]]) // variant and reference of each seed
 */
export function pairedDifference(
  pairs: readonly (readonly [value: number, reference: number])[],
): PairedDifference | undefined {
  const { mean, deviation, count } = spreadOf(pairs.map(([value, reference]) => value - reference));
  if (count === 0) return undefined;
  if (deviation === undefined) return { mean, count, claim: 'one seed, no claim' };
  const error = deviation / Math.sqrt(count);
  const reach = tQuantile(count - 1) * error;
  const [low, high] = [mean - reach, mean + reach];
  const claim = low > 0 ? 'better' : high < 0 ? 'worse' : 'within noise';
  return { mean, error, interval: [low, high], count, claim };
}
