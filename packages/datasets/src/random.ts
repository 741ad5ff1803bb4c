// Random numbers as explicit generators: the same seeds give the same numbers on every machine, and nothing is shared.

/** A stream of random numbers; each call moves this stream on and touches nothing else. */
export interface RandomStream {
  /** The next 32 random bits as an unsigned integer. */
  bits(): number;
  /** The next number in [low, high). */
  uniform(low: number, high: number): number;
  /** The next integer in 0 .. count - 1. */
  integer(count: number): number;
}

/**
 * 32 well mixed bits that depend on every one of the given integers and on their order.
 *
 * Source   the finaliser of MurmurHash3 (Appleby), applied once per integer to its low and high word
 * Example  mixSeeds(seed, epoch) === mixSeeds(seed, epoch)
 */
export const mixSeeds = (...seeds: readonly number[]): number => {
  let hash = 0x2545f491;
  for (const seed of seeds) {
    hash = finalise(hash + (seed >>> 0) + 0x9e3779b9);
    hash = finalise(hash + (Math.floor(seed / 2 ** 32) >>> 0) + 0x85ebca77);
  }
  return hash >>> 0;
};

const finalise = (value: number): number => {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
};

/**
 * A new stream that depends only on the given integers.
 *
 * Source   sfc32 of PractRand (Doty-Humphrey): 128 bits of state, period at least 2^32
 * Example  const random = randomStream(seed, index); random.uniform(50, 205)
 */
export const randomStream = (...seeds: readonly number[]): RandomStream => {
  let a = mixSeeds(...seeds, 1) | 0;
  let b = mixSeeds(...seeds, 2) | 0;
  let c = mixSeeds(...seeds, 3) | 0;
  let counter = 1;
  const bits = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  // The first outputs still resemble the seeds.
  for (let i = 0; i < 12; i++) bits();
  const uniform = (low: number, high: number): number => low + (high - low) * (bits() / 2 ** 32);
  return { bits, uniform, integer: (count) => Math.floor((bits() / 2 ** 32) * count) };
};

/**
 * The numbers 0 .. length - 1 in an order that depends only on the seeds.
 *
 * Source   Fisher and Yates, in Durstenfeld's form
 * Example  shuffledIndices(dataset.length, seed, epoch)
 */
export const shuffledIndices = (length: number, ...seeds: readonly number[]): Uint32Array => {
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  const random = randomStream(...seeds);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
};
