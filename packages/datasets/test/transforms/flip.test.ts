// Mirror images along both axes.
import { flip } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anySample, sampleOf } from '../samples.ts';

const seed = 36;
const axes = ['horizontal', 'vertical'] as const;

test.each(axes)('twice is nothing: %s', (axis) => {
  fc.assert(
    fc.property(anySample, (sample) => {
      const twice = flip(flip(sample, axis), axis);
      expect(Buffer.compare(twice.pixels.data, sample.pixels.data)).toBe(0);
      for (const [i, { box, size, area }] of twice.annotations.entries()) {
        const before = sample.annotations[i]!;
        expect([size, area]).toEqual([before.size, before.area]);
        for (const side of [0, 1, 2, 3] as const) expect(box[side]).toBeCloseTo(before.box[side], 9);
      }
    }),
    { seed, numRuns: 30 },
  );
});

test('the axes commute', () => {
  fc.assert(
    fc.property(anySample, (sample) => {
      const one = flip(flip(sample, 'horizontal'), 'vertical');
      const other = flip(flip(sample, 'vertical'), 'horizontal');
      expect(Buffer.compare(one.pixels.data, other.pixels.data)).toBe(0);
      expect(one.annotations).toEqual(other.annotations);
    }),
    { seed, numRuns: 30 },
  );
});

test('pixels and boxes move together', () => {
  const data = Uint8Array.from([1, 2, 3, 4, 5, 6].flatMap((value) => [value, value, value]));
  const sample = sampleOf(1, 3, 2, [[0, 1, 1, 2]], data);
  const [across, down] = axes.map((axis) => flip(sample, axis));
  const firsts = (bytes: Uint8Array): number[] => Array.from(bytes).filter((_, i) => i % 3 === 0);
  expect(firsts(across!.pixels.data)).toEqual([3, 2, 1, 6, 5, 4]);
  expect(across!.annotations[0]?.box).toEqual([2, 1, 3, 2]);
  expect(firsts(down!.pixels.data)).toEqual([4, 5, 6, 1, 2, 3]);
  expect(down!.annotations[0]?.box).toEqual([0, 0, 1, 1]);
});
