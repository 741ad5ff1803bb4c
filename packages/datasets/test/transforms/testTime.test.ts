// Test-time variants: what is found in one of them is brought back to the original picture.
import { applySteps, testTimeVariants } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anySample } from '../samples.ts';

const seed = 38;
const scales = [
  { shortSide: 20, longSide: 50 },
  { shortSide: 33, longSide: 60 },
];
const variants = testTimeVariants({ scales, flips: ['horizontal', 'vertical'] });

test('every size, as it is and mirrored', () => {
  expect(variants.map(({ name }) => name)).toEqual([
    '20 px',
    '20 px, horizontal',
    '20 px, vertical',
    '33 px',
    '33 px, horizontal',
    '33 px, vertical',
  ]);
  expect(testTimeVariants({ scales }).map(({ name }) => name)).toEqual(['20 px', '33 px']);
});

test.each(variants)(
  '$name: there and back again, boxes are where they were',
  ({ forward, backward, steps }) => {
    fc.assert(
      fc.property(anySample, (sample) => {
        const seen = forward(sample);
        const same = applySteps(steps, sample, 5);
        expect(same.annotations).toEqual(seen.annotations);
        expect(Buffer.compare(same.pixels.data, seen.pixels.data)).toBe(0);
        for (const [i, { box }] of seen.annotations.entries()) {
          const back = backward(box, sample);
          for (const side of [0, 1, 2, 3] as const)
            expect(back[side]).toBeCloseTo(sample.annotations[i]!.box[side], 9);
        }
      }),
      { seed, numRuns: 20 },
    );
  },
);
