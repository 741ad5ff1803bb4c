// Stable orders against the sort of the language.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderByKey, sortByScore } from '../../src/evaluate/order.ts';

const seed = 81;

test('by key: ascending, equal keys as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(6), { maxLength: 50 }), (keys) => {
      const given = Uint32Array.from(keys, (_, i) => keys.length - 1 - i);
      const expected = [...given].sort((a, b) => keys[a]! - keys[b]!);
      expect([...orderByKey(given, keys, 7)]).toEqual(expected);
    }),
    { seed, numRuns: 100 },
  );
});

test('by score: descending, equal scores as they were, nothing outside of the stretch moves', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 150 }),
      fc.nat(20),
      fc.nat(20),
      (scores, before, after) => {
        const [from, to] = [Math.min(before, scores.length), Math.max(before, scores.length - after)];
        const order = Uint32Array.from(scores, (_, i) => scores.length - 1 - i);
        const given = [...order];
        const end = Math.min(to, scores.length);
        sortByScore(order, scores, from, end);
        const sorted = given.slice(from, end).sort((a, b) => scores[b]! - scores[a]!);
        expect([...order]).toEqual([...given.slice(0, from), ...sorted, ...given.slice(end)]);
      },
    ),
    { seed, numRuns: 100 },
  );
});
