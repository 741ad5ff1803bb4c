// Looking up ids against a plain map, for ids close together and ids all over the numbers.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { repeatedIds, rowsById } from '../src/ids.ts';

const anyIds = fc.oneof(
  fc.array(fc.integer({ min: -20, max: 40 })),
  fc.array(fc.maxSafeInteger()),
  fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(2 ** 53 - 1, -(2 ** 53) + 1, 0))),
);

test('every id has its first row, every other number none', () => {
  fc.assert(
    fc.property(
      anyIds,
      fc.array(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -30, max: 50 }))),
      (ids, others) => {
        const rowOf = rowsById(Float64Array.from(ids));
        for (const id of [...ids, ...others]) expect(rowOf(id)).toBe(ids.indexOf(id));
      },
    ),
    { numRuns: 200 },
  );
});

test('repeated ids are those that are there twice', () => {
  fc.assert(
    fc.property(anyIds, (ids) => {
      const repeated = ids.filter((id, i) => ids.indexOf(id) !== i);
      expect(repeatedIds(Float64Array.from(ids))).toEqual(new Set(repeated));
    }),
    { numRuns: 200 },
  );
});
