// Boxes go where the pixels go: a box around a white rectangle, transformed, is around the transformed white pixels within 1 px.
import {
  applySteps,
  type Box,
  crop,
  flip,
  type ImageSize,
  type Sample,
  type TransformStep,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleOf } from '../samples.ts';
import { anyKey, anyOwnStep } from './anySteps.ts';

const seed = 35;

/** A black picture with a white rectangle and its box. */
const rectangleIn = ({ width, height }: ImageSize, [x1, y1, x2, y2]: Box): Sample => {
  const data = new Uint8Array(width * height * 3);
  for (let y = y1; y < y2; y++) data.fill(255, (y * width + x1) * 3, (y * width + x2) * 3);
  return sampleOf(1, width, height, [[x1, y1, x2, y2]], data);
};

/** The box around what is rather white than black. */
const whiteBox = ({ pixels: { width, data } }: Sample): Box | undefined => {
  const white = Array.from(data.keys()).filter((i) => i % 3 === 0 && data[i]! > 127);
  if (white.length === 0) return undefined;
  const columns = white.map((i) => (i / 3) % width);
  const rows = white.map((i) => Math.floor(i / 3 / width));
  return [Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1];
};

const anyInterval = (length: number): fc.Arbitrary<[number, number]> =>
  fc
    .integer({ min: 0, max: length - 4 })
    .chain((start) =>
      fc.integer({ min: start + 4, max: length }).map((end): [number, number] => [start, end]),
    );

const anyRectangle: fc.Arbitrary<Sample> = fc
  .record({ width: fc.integer({ min: 8, max: 40 }), height: fc.integer({ min: 8, max: 40 }) })
  .chain((size) =>
    fc
      .tuple(anyInterval(size.width), anyInterval(size.height))
      .map(([[x1, x2], [y1, y2]]) => rectangleIn(size, [x1, y1, x2, y2])),
  );

const expectBoxAroundWhite = (sample: Sample): void => {
  const white = whiteBox(sample);
  const box = sample.annotations[0]?.box;
  // Less than a pixel may be left of one or the other.
  if (white === undefined || box === undefined) return;
  for (const [i, edge] of box.entries()) expect(Math.abs(edge - white[i]!)).toBeLessThanOrEqual(1);
};

describe('the box is around the rectangle after', () => {
  test('any step that uses one picture', () => {
    const moving = anyOwnStep.filter(({ type }) => type !== 'photometric');
    fc.assert(
      fc.property(anyRectangle, moving, anyKey, (sample, step, key) => {
        expectBoxAroundWhite(applySteps([step], sample, key));
      }),
      { seed, numRuns: 300 },
    );
  });

  test('both mirror images and a crop through it, exactly', () => {
    fc.assert(
      fc.property(
        anyRectangle,
        fc.constantFrom('horizontal' as const, 'vertical' as const),
        (sample, axis) => {
          const [x1, y1, x2, y2] = sample.annotations[0]!.box;
          expect(whiteBox(flip(sample, axis))).toEqual(flip(sample, axis).annotations[0]!.box);
          const middle = { left: Math.floor((x1 + x2) / 2), top: Math.floor((y1 + y2) / 2) };
          const cropped = crop(sample, {
            ...middle,
            width: sample.width - middle.left,
            height: sample.height - middle.top,
          });
          expect(whiteBox(cropped)).toEqual(cropped.annotations[0]!.box);
          expect(cropped.annotations[0]!.isTruncated).toBe(true);
        },
      ),
      { seed, numRuns: 50 },
    );
  });
});

describe('mosaics', () => {
  /** Four samples that only differ in which one has the rectangle. */
  const mosaicStep = (size: number): TransformStep => ({ type: 'mosaic', size });

  test('the box is around the rectangle, whichever of the four pictures has it', () => {
    fc.assert(
      fc.property(
        anyRectangle,
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 8, max: 60 }),
        anyKey,
        (marked, place, size, key) => {
          const blank = sampleOf(2, 30, 20, [], new Uint8Array(30 * 20 * 3));
          const four = [0, 1, 2, 3].map((i) => (i === place ? marked : blank));
          const [first, ...others] = four as [Sample, ...Sample[]];
          expectBoxAroundWhite(applySteps([mosaicStep(size)], first, key, others));
        },
      ),
      { seed, numRuns: 100 },
    );
  });

  test('four pictures of one colour fill the half of a square each, around one point', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const colours = [10, 20, 30, 40];
        const four = colours.map((colour) =>
          sampleOf(1, 16, 16, [[0, 0, 16, 16]], new Uint8Array(768).fill(colour)),
        );
        const [first, ...others] = four as [Sample, ...Sample[]];
        const { pixels, annotations } = applySteps([mosaicStep(32)], first, key, others);
        expect(new Set(pixels.data)).toEqual(new Set([...colours, 114]));
        const [upperLeft, upperRight, lowerLeft, lowerRight] = annotations.map(({ box }) => box);
        expect(upperLeft!.slice(2)).toEqual([upperRight![0], upperRight![3]]);
        expect(upperLeft!.slice(2)).toEqual([lowerLeft![2], lowerLeft![1]]);
        expect(upperLeft!.slice(2)).toEqual(lowerRight!.slice(0, 2));
        for (const [i, [x1, y1, x2, y2]] of annotations.map(({ box }) => box).entries())
          expect(colourAt(pixels.data, (y1 + y2) >> 1, (x1 + x2) >> 1)).toBe(colours[i]);
      }),
      { seed, numRuns: 50 },
    );
  });

  const colourAt = (data: Uint8Array, y: number, x: number): number => data[(y * 32 + x) * 3]!;

  test('companions go through the steps before the mosaic, each with choices of its own', () => {
    const sample = sampleOf(1, 8, 8, [[0, 0, 2, 2]]);
    const steps = [{ type: 'flip' }, { type: 'mosaic', size: 16, center: { from: 0.5, to: 0.5 } }] as const;
    const found = new Set(
      Array.from({ length: 30 }, (_, key) =>
        applySteps(steps, sample, key, [sample, sample, sample])
          .annotations.map(({ box }) => (box[0] % 8 === 0 ? 'left' : 'right'))
          .join(),
      ),
    );
    expect(found.size).toBeGreaterThan(8);
  });
});
