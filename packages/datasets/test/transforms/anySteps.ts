// Random lists of steps, as small as the pictures of the tests, and keys.
import type { Box, Range, Sample, TransformStep } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { sampleOf } from '../samples.ts';

export const anyKey: fc.Arbitrary<number> = fc.integer({ min: 0, max: 2 ** 32 - 1 });
/** The same few keys every time, where something must happen to some of them. */
export const someKeys: readonly number[] = Array.from({ length: 40 }, (_, i) => i * 7919);

const anyShare = fc.constantFrom(0, 0.3, 0.5, 1);
const anySide = fc.integer({ min: 1, max: 50 });
const anyRange = (bound: fc.Arbitrary<number>): fc.Arbitrary<Range> =>
  fc.tuple(bound, bound).map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }));
const anySides = fc.oneof(anySide, anyRange(anySide));
const anyAxis = fc.constantFrom('horizontal' as const, 'vertical' as const);

/** A step that uses one picture only. */
export const anyOwnStep: fc.Arbitrary<TransformStep> = fc.oneof(
  fc.record({
    type: fc.constant('resize' as const),
    shortSide: fc.oneof(anySides, fc.array(anySide, { minLength: 1, maxLength: 3 })),
    longSide: anySide,
    enlarge: fc.boolean(),
  }),
  fc.record({ type: fc.constant('flip' as const), probability: anyShare, axis: anyAxis }),
  fc.record({
    type: fc.constant('crop' as const),
    width: anySides,
    height: anySides,
    allowEmpty: fc.boolean(),
  }),
  fc.record({ type: fc.constant('minimumIouCrop' as const), smallest: fc.constantFrom(0.1, 0.3, 1) }),
  fc.record({
    type: fc.constant('photometric' as const),
    probability: anyShare,
    swapChannels: anyShare,
    hue: fc.constantFrom(0, 18, 180),
  }),
  fc.record({
    type: fc.constant('normalizeJitter' as const),
    gain: fc.constant({ from: 0.5, to: 2 }),
    offset: fc.constant({ from: -1, to: 1 }),
  }),
);

const anyMosaic: fc.Arbitrary<TransformStep> = fc.record({
  type: fc.constant('mosaic' as const),
  size: anySide,
  center: anyRange(fc.double({ min: 0, max: 1, noNaN: true })),
  probability: anyShare,
});

const someSteps = fc.array(anyOwnStep, { maxLength: 3 });

/** Up to seven steps, with a mosaic among some of them. */
export const anySteps: fc.Arbitrary<readonly TransformStep[]> = fc
  .tuple(someSteps, fc.option(anyMosaic, { nil: undefined }), someSteps)
  .map(([before, mosaic, after]) => [...before, ...(mosaic === undefined ? [] : [mosaic]), ...after]);

const anyLength = fc.integer({ min: 3, max: 40 });
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const anyInterval = (length: number): fc.Arbitrary<readonly [number, number]> =>
  fc.tuple(fraction, fraction).map(([start, end]) => {
    const first = start * (length - 1);
    return [first, first + 1 + end * (length - first - 1)];
  });

/** Samples of random size with up to five objects and a random pattern: quicker to make, and to shrink, than random bytes. */
export const anySmallSample: fc.Arbitrary<Sample> = fc
  .tuple(anyLength, anyLength, fc.integer({ min: 1, max: 250 }))
  .chain(([width, height, id]) =>
    fc.array(fc.tuple(anyInterval(width), anyInterval(height)), { maxLength: 5 }).map((intervals) => {
      const boxes = intervals.map(([[x1, x2], [y1, y2]]): Box => [x1, y1, x2, y2]);
      const data = Uint8Array.from(
        { length: width * height * 3 },
        (_, i) => Math.imul(i * i + id, 2654435761) >>> 24,
      );
      return sampleOf(id, width, height, boxes, data);
    }),
  );

/** A small dataset: the sample to transform is the first one. */
export const anySamples: fc.Arbitrary<readonly Sample[]> = fc.array(anySmallSample, {
  minLength: 1,
  maxLength: 4,
});
