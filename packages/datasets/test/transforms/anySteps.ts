// Random lists of steps, as small as the pictures of the tests, and keys.
import type { Range, Sample, TransformStep } from '@autoassign/datasets';
import * as fc from 'fast-check';
import { anySample } from '../samples.ts';

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

/** A small dataset: the sample to transform is the first one. */
export const anySamples: fc.Arbitrary<readonly Sample[]> = fc.array(anySample, {
  minLength: 1,
  maxLength: 4,
});
