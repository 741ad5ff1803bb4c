// Boxes, locations, overlaps and suppression: worked examples, laws over random boxes, gradients and their conventions at ties.
import { checkGrad, grad } from '@autoassign/autograd';
import type { Tensor } from '@autoassign/tensor';
import { sum, tensor } from '@autoassign/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boxAreas, boxCenters, clipBoxes, decodeBoxes, encodeDistances } from '../src/geometry/boxes.ts';
import { giou, iou, pairwiseGiou, pairwiseIou } from '../src/geometry/iou.ts';
import { nms } from '../src/geometry/nms.ts';
import { locations } from '../src/geometry/points.ts';
import { exactBackend, largestDifference, valuesOf } from './assign.scenes.ts';

const runs = { numRuns: 40, seed: 11 };

type Box = readonly [number, number, number, number];

/** Boxes on a grid of quarters: contained, touching, equal and separate ones all occur. */
const boxArbitrary = (side = 40): fc.Arbitrary<Box> => {
  const coordinate = fc.integer({ min: 0, max: side }).map((x) => x / 4);
  const extent = fc.integer({ min: 1, max: side }).map((x) => x / 4);
  return fc
    .tuple(coordinate, coordinate, extent, extent)
    .map(([x, y, width, height]): Box => [x, y, x + width, y + height]);
};
const boxes = (count: number): fc.Arbitrary<Box[]> =>
  fc.array(boxArbitrary(), { minLength: count, maxLength: count });

describe('locations and boxes', () => {
  test('locations run row by row from (0, 0), finest level first', async () => {
    const levels = [
      { height: 2, width: 3, stride: 8 },
      { height: 1, width: 2, stride: 16 },
    ];
    expect(await valuesOf(locations(levels))).toEqual({
      locations: [0, 0, 8, 0, 16, 0, 0, 8, 8, 8, 16, 8, 0, 0, 16, 0],
      strides: [8, 8, 8, 8, 8, 8, 16, 16],
    });
  });

  test('distances of decoded boxes are the distances', () =>
    fc.assert(
      fc.asyncProperty(boxes(4), boxes(4), async (corners, distances) => {
        const places = tensor(corners.map(([x, y]) => [x, y]));
        const given = tensor([distances]);
        const { back } = await valuesOf({ back: encodeDistances(places, decodeBoxes(places, given)) });
        expect(largestDifference(back!, distances.flat())).toBe(0);
      }),
      runs,
    ));

  test('areas, middles and clipping of examples', async () => {
    const given = tensor([
      [1, 2, 4, 8],
      [-3, 5, 20, 30],
    ]);
    const values = await valuesOf({
      areas: boxAreas(given),
      centers: boxCenters(given),
      clipped: clipBoxes(given, { height: 25, width: 10 }),
    });
    expect(values).toEqual({
      areas: [18, 575],
      centers: [2.5, 5, 8.5, 17.5],
      clipped: [1, 2, 4, 8, 0, 5, 10, 25],
    });
  });
});

describe('overlaps', () => {
  test('examples: equal, nested, touching, apart', async () => {
    const a = tensor([0, 0, 4, 4]);
    const others = tensor([
      [0, 0, 4, 4],
      [1, 1, 3, 3],
      [4, 0, 8, 4],
      [8, 0, 12, 4],
    ]);
    const values = await valuesOf({ iou: iou(a, others), giou: giou(a, others) });
    expect(values.iou).toEqual([1, 0.25, 0, 0]);
    expect(values.giou).toEqual([1, 0.25, 0, -1 / 3]);
  });

  test('pairs equal aligned ones, are symmetric, lie in their ranges, and survive moving and scaling', () =>
    fc.assert(
      fc.asyncProperty(boxes(3), boxes(3), async (first, second) => {
        const [a, b] = [tensor(first), tensor(second)];
        const changed = (list: readonly Box[]) => tensor(list.map((box) => box.map((x) => 4 * x + 12)));
        const values = await valuesOf({
          iou: pairwiseIou(a, b),
          giou: pairwiseGiou(a, b),
          aligned: giou(a, b),
          turned: pairwiseGiou(b, a),
          changed: pairwiseGiou(changed(first), changed(second)),
        });
        expect([0, 4, 8].map((i) => values.giou![i])).toEqual(values.aligned);
        expect([0, 3, 6, 1, 4, 7, 2, 5, 8].map((i) => values.giou![i])).toEqual(values.turned);
        expect(largestDifference(values.changed!, values.giou!)).toBeLessThan(1e-12);
        values.iou!.forEach((x, i) => {
          const generalized = values.giou![i]!;
          expect(x >= 0 && x <= 1 && generalized > -1 && generalized <= x).toBe(true);
        });
      }),
      runs,
    ));

  test('gradients to second order, away from equal sides', () => {
    // Odd eighths against quarters: no two sides are equal.
    const shifted = (list: readonly Box[]) => tensor(list.map((box) => box.map((x) => x + 0.125)));
    return fc.assert(
      fc.asyncProperty(boxes(3), boxes(3), async (first, second) => {
        const both = (a: Tensor, b: Tensor) => [pairwiseIou(a, b), giou(a, b)];
        const options = { order: 2, backend: exactBackend, directions: 1 } as const;
        await checkGrad(both, [tensor(first), shifted(second)], options);
      }),
      { ...runs, numRuns: 4 },
    );
  });

  test('at equal sides half of the gradient flows, at touching sides as if they overlapped', async () => {
    const gradientAt = (a: Box, b: Box) => grad((x: Tensor) => sum(iou(x, tensor(b))))(tensor(a));
    const { equal, touching } = await valuesOf({
      equal: gradientAt([0, 0, 4, 4], [0, 0, 4, 8]),
      touching: gradientAt([0, 0, 4, 4], [4, 0, 8, 4]),
    });
    // d(I/U) = dI/U - I dU/U^2 with I = 16, U = 32, dU = dA - dI; dA = 4 for every side, dI = 2 for the equal ones
    expect(equal).toEqual([-1 / 32, -1 / 32, 1 / 32, 4 / 32]);
    expect(touching).toEqual([0, 0, 4 / 32, 0]);
  });
});

describe('suppression', () => {
  const scored = fc.array(
    fc.record({
      box: boxArbitrary(),
      score: fc.integer({ min: 0, max: 6 }).map((x) => x / 6),
      label: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 30 },
  );

  const overlap = (a: Box, b: Box): number => {
    const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
    const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
    const shared = width * height;
    const area = ([left, top, right, bottom]: Box): number => (right - left) * (bottom - top);
    return shared / (area(a) + area(b) - shared);
  };

  test('keeps exactly the boxes that no better kept one of their class overlaps too much', () =>
    fc.assert(
      fc.property(scored, fc.constantFrom(0.3, 0.55), (given, iouThreshold) => {
        const kept = nms(
          given.flatMap(({ box }) => box),
          given.map(({ score }) => score),
          { iouThreshold, labels: given.map(({ label }) => label) },
        );
        const precedes = (i: number, j: number): boolean =>
          given[i]!.score > given[j]!.score || (given[i]!.score === given[j]!.score && i < j);
        given.forEach((candidate, j) => {
          const isBeaten = [...kept].some(
            (i) =>
              precedes(i, j) &&
              given[i]!.label === candidate.label &&
              overlap(given[i]!.box, candidate.box) > iouThreshold,
          );
          expect(kept.includes(j)).toBe(!isBeaten);
        });
        expect([...kept].every((i, k) => k === 0 || precedes(kept[k - 1]!, i))).toBe(true);
      }),
      { numRuns: 200, seed: 12 },
    ));

  test('again over what was kept keeps all; a limit keeps the first', () =>
    fc.assert(
      fc.property(scored, (given) => {
        const run = (list: typeof given, limit?: number) =>
          nms(
            list.flatMap(({ box }) => box),
            list.map(({ score }) => score),
            { iouThreshold: 0.5, ...(limit === undefined ? {} : { limit }) },
          );
        const kept = run(given);
        expect(run([...kept].map((i) => given[i]!)).length).toBe(kept.length);
        expect(run(given, 3)).toEqual(kept.slice(0, 3));
      }),
      { numRuns: 100, seed: 13 },
    ));

  test('no boxes give none; empty boxes suppress nothing', () => {
    expect([...nms([], [], { iouThreshold: 0.5, labels: [] })]).toEqual([]);
    expect([...nms([1, 1, 1, 1, 1, 1, 1, 1], [1, 1], { iouThreshold: 0.5 })]).toEqual([0, 1]);
  });

  test('an IoU equal to the threshold is kept', () => {
    const given = [0, 0, 2, 1, 0, 0, 1, 1];
    expect([...nms(given, [1, 0.9], { iouThreshold: 0.5 })]).toEqual([0, 1]);
    expect([...nms(given, [1, 0.9], { iouThreshold: 0.49 })]).toEqual([0]);
  });
});
