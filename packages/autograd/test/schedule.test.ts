// Learning rate schedules at the steps where they are known.
import { cosine, multiStep, warmup } from '@autoassign/autograd';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('multiStep drops by the factor at every milestone, from that step on', () => {
  const rate = multiStep({ rate: 0.01, milestones: [60, 80] });
  expect([0, 59, 60, 79, 80, 1000].map((step) => rate(step).toPrecision(6))).toEqual(
    [0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001].map((x) => x.toPrecision(6)),
  );
});

test('cosine starts at the rate, is half way in the middle, ends at the final rate and stays there', () => {
  const rate = cosine({ rate: 3, steps: 200, final: 1 });
  expect(rate(0)).toBe(3);
  expect(rate(100)).toBeCloseTo(2, 12);
  expect(rate(200)).toBe(1);
  expect(rate(500)).toBe(1);
});

test('cosine falls all the way, symmetrically about its middle', () => {
  const rate = cosine({ rate: 1, steps: 100 });
  const law = fc.property(fc.integer({ min: 0, max: 99 }), (step) => {
    expect(rate(step + 1)).toBeLessThan(rate(step));
    expect(rate(step) + rate(100 - step)).toBeCloseTo(1, 12);
  });
  fc.assert(law, { seed: 5 });
});

test('warmup scales linearly from its share to the full schedule', () => {
  const rate = warmup(() => 2, { steps: 100, from: 0.01 });
  expect(rate(0)).toBeCloseTo(0.02, 12);
  expect(rate(50)).toBeCloseTo(2 * 0.505, 12);
  expect(rate(100)).toBe(2);
  expect(rate(101)).toBe(2);
});
