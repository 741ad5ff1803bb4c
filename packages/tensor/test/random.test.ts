// Randomness by keys: the published generator, independent streams, the distributions, the same bits everywhere.
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.ts';
import {
  createBackend,
  evaluate,
  key,
  normal,
  primitives,
  read,
  split,
  tensor,
  uniform,
} from '../src/index.ts';
import { viewOf } from '../src/ops/views.ts';
import { backends } from './backends.ts';

/** The words of counters (0, 0), (2, 0), (4, 0) … under a key, as unsigned numbers. */
const wordsOf = (k0: number, k1: number, count: number, bits = 32): number[] => {
  const out = new Int32Array(count);
  const from = viewOf(Int32Array.of(k0, k1), [2]);
  primitives.randomBits.reference([from], viewOf(out, [count]), { shape: [count], bits });
  return Array.from(out, (word) => word >>> 0);
};

/** Threefry-2x32, 20 rounds, for any counter, written from the paper with arbitrary integers. */
const threefry = (
  keys: readonly [bigint, bigint],
  counter: readonly [bigint, bigint],
): readonly [bigint, bigint] => {
  const mask = 0xffffffffn;
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n] as const;
  const schedule = [keys[0], keys[1], keys[0] ^ keys[1] ^ 0x1bd11bdan] as const;
  let x = (counter[0] + schedule[0]) & mask;
  let y = (counter[1] + schedule[1]) & mask;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8]!;
    x = (x + y) & mask;
    y = (((y << by) | (y >> (32n - by))) & mask) ^ x;
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    x = (x + schedule[injection % 3]!) & mask;
    y = (y + schedule[(injection + 1) % 3]! + BigInt(injection)) & mask;
  }
  return [x, y];
};

describe('the generator', () => {
  // Known answers of the authors' Random123 distribution (kat_vectors, threefry2x32 20).
  test.each([
    { keys: [0n, 0n], counter: [0n, 0n], words: [0x6b200159n, 0x99ba4efen] },
    {
      keys: [0xffffffffn, 0xffffffffn],
      counter: [0xffffffffn, 0xffffffffn],
      words: [0x1cb996fcn, 0xbb002be7n],
    },
    {
      keys: [0x13198a2en, 0x03707344n],
      counter: [0x243f6a88n, 0x85a308d3n],
      words: [0xc4923a9cn, 0x483df7a0n],
    },
  ] as const)('gives the published words for key $keys and counter $counter', ({ keys, counter, words }) => {
    expect(threefry(keys, counter)).toEqual(words);
  });

  test.each([
    [0, 0],
    [-1, -1],
    [0x13198a2e, 0x03707344],
    [123456789, -987654321],
  ])(
    'randomBits agrees with it for key (%i, %i): words 2i and 2i+1 are those of counter (2i, 0)',
    (k0, k1) => {
      const keys = [BigInt(k0 >>> 0), BigInt(k1 >>> 0)] as const;
      const expected = [0n, 2n, 4n, 6n].flatMap((i) => threefry(keys, [i, 0n]).map(Number));
      expect(wordsOf(k0, k1, 8)).toEqual(expected);
      expect(wordsOf(k0, k1, 7)).toEqual(expected.slice(0, 7));
    },
  );

  test('fewer bits are the leading ones', () => {
    expect(wordsOf(1, 2, 9, 24)).toEqual(wordsOf(1, 2, 9).map((word) => word >>> 8));
    expect(wordsOf(1, 2, 9, 1)).toEqual(wordsOf(1, 2, 9).map((word) => word >>> 31));
  });
});

const numbers = async (t: Tensor): Promise<number[]> => {
  const backend = await createBackend('cpu');
  return Array.from(await read(await evaluate(t, { backend })));
};
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const momentOf = (values: readonly number[], order: number): number => {
  const mean = meanOf(values);
  return meanOf(values.map((x) => (x - mean) ** order));
};
const correlation = (a: readonly number[], b: readonly number[]): number => {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  return meanOf(a.map((x, i) => (x - meanA) * (b[i]! - meanB))) / Math.sqrt(momentOf(a, 2) * momentOf(b, 2));
};

// Bounds are five standard errors for 20,000 draws; the keys are fixed, so these tests cannot flake.
const count = 20_000;

describe('distributions', () => {
  test('uniform fills [0, 1) evenly', async () => {
    const values = await numbers(uniform(key(1), [count]));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(Math.abs(meanOf(values) - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(momentOf(values, 2) - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / count));
    const bins = new Array<number>(16).fill(0);
    for (const x of values) bins[Math.floor(x * 16)]!++;
    const chiSquare = bins.reduce((total, n) => total + (n - count / 16) ** 2 / (count / 16), 0);
    expect(chiSquare).toBeLessThan(37.7); // the 0.999 quantile at 15 degrees of freedom
  });

  test('uniform keeps to [low, high)', async () => {
    const values = await numbers(uniform(key(2), [1000], { low: -3, high: 5 }));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-3);
    expect(Math.max(...values)).toBeLessThan(5);
    expect(Math.abs(meanOf(values) - 1)).toBeLessThan(5 * Math.sqrt(64 / 12 / 1000));
  });

  test('normal has the moments and the tails of the normal distribution', async () => {
    const values = await numbers(normal(key(3), [count]));
    expect(Math.abs(meanOf(values))).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(momentOf(values, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(momentOf(values, 3))).toBeLessThan(5 * Math.sqrt(15 / count));
    expect(Math.abs(momentOf(values, 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
    // P(|x| > 1.959964) = 0.05
    const tail = values.filter((x) => Math.abs(x) > 1.959964).length / count;
    expect(Math.abs(tail - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / count));
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test('normal takes mean and deviation', async () => {
    const [plain, moved] = [normal(key(4), [50]), normal(key(4), [50], { mean: 3, deviation: 0.5 })];
    const expected = (await numbers(plain)).map((x) => 3 + 0.5 * x);
    for (const [i, x] of (await numbers(moved)).entries()) expect(x).toBeCloseTo(expected[i]!, 5);
  });
});

describe('keys', () => {
  test('the same key gives the same numbers, another seed others', async () => {
    expect(await numbers(uniform(key(7), [9]))).toEqual(await numbers(uniform(key(7), [9])));
    expect(await numbers(uniform(key(7), [9]))).not.toEqual(await numbers(uniform(key(8), [9])));
  });

  test('seeds above 2^32 are all different keys', async () => {
    const seeds = [1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 1, 2 ** 53 - 1];
    const keys = await Promise.all(seeds.map(async (seed) => String(await numbers(key(seed)))));
    expect(new Set(keys).size).toBe(seeds.length);
  });

  test('split keys are new and their streams are not correlated', async () => {
    const parent = key(11);
    const children = split(parent, 3);
    const words = await Promise.all([parent, ...children].map(async (k) => String(await numbers(k))));
    expect(new Set(words).size).toBe(4);
    const streams = await Promise.all([parent, ...children].map((k) => numbers(uniform(k, [count]))));
    for (const [i, a] of streams.entries())
      for (const b of streams.slice(i + 1))
        expect(Math.abs(correlation(a, b))).toBeLessThan(5 / Math.sqrt(count));
  });

  test('the first keys of splits of different counts agree', async () => {
    const [two, five] = [split(key(5), 2), split(key(5), 5)];
    expect(await numbers(two[1]!)).toEqual(await numbers(five[1]!));
  });
});

test('every backend gives the same bits, and a key may be an argument', async () => {
  const results: string[] = [];
  for (const { make } of backends) {
    const backend = await make();
    const from = await evaluate(tensor(Int32Array.of(42, 7)), { backend });
    const [first] = split(from);
    const drawn = await evaluate([uniform(first!, [33]), uniform(from, [4, 5])], { backend });
    results.push((await Promise.all(drawn.map(read))).join());
  }
  expect(new Set(results).size).toBe(1);
});
