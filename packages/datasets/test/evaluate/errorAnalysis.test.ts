// Laws and hand-worked cases of the error analysis; numbers from TIDE's definitions are in ../golden.
import {
  analyseErrors,
  type CocoDetection,
  type CocoGroundTruth,
  type CocoObject,
  evaluateCoco,
  formatErrorReport,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const seed = 71;

interface Scene {
  readonly truth: CocoGroundTruth;
  readonly detections: readonly CocoDetection[];
}

const anyObject: fc.Arbitrary<CocoObject> = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom(2, 5, 8),
    fc.tuple(fc.nat(120), fc.nat(120), fc.integer({ min: 5, max: 80 }), fc.integer({ min: 5, max: 80 })),
    fc.constantFrom(0, 0, 0, 0, 1),
  )
  .map(([image_id, category_id, bbox, iscrowd]) => ({ image_id, category_id, bbox, iscrowd }));

/** Detections near objects and far from them, in the right class and in others, equal scores among them. */
const anyScene: fc.Arbitrary<Scene> = fc
  .tuple(
    fc.array(anyObject, { minLength: 1, maxLength: 10 }),
    fc.array(
      fc.tuple(fc.nat(9), fc.integer({ min: -30, max: 30 }), fc.constantFrom(2, 5, 8, 0, 0), fc.nat(9)),
      {
        maxLength: 25,
      },
    ),
  )
  .map(([annotations, moves]) => ({
    truth: {
      images: [1, 2, 3].map((id) => ({ id })),
      categories: [2, 5, 8].map((id) => ({ id })),
      annotations,
    },
    detections: moves.map(([which, move, category, score]) => {
      const { image_id, category_id, bbox } = annotations[which % annotations.length]!;
      const moved = [bbox[0] + move, bbox[1], bbox[2], bbox[3]] as const;
      return { image_id, category_id: category || category_id, bbox: moved, score: score / 9 };
    }),
  }));

const property = (check: (scene: Scene) => void): void =>
  fc.assert(fc.property(anyScene, check), { seed, numRuns: 50 });

describe('analyseErrors', () => {
  test('every detection and every object is accounted for once', () => {
    property(({ truth, detections }) => {
      const { kinds, ...all } = analyseErrors(truth, detections);
      const { missed, ...ofDetections } = kinds;
      const wrong = Object.values(ofDetections).reduce((sum, { count }) => sum + count, 0);
      expect(all.detections).toBe(detections.length);
      expect(all.wrong.count).toBe(wrong);
      expect(all.hits + all.ignored + wrong).toBe(all.detections);
      expect(all.hits + all.notFound.count).toBe(all.objects);
      expect(all.objects).toBe(truth.annotations.filter(({ iscrowd }) => iscrowd !== 1).length);
      expect(missed.count).toBeLessThanOrEqual(all.notFound.count);
    });
  });

  test('AP is that of the COCO evaluation at the same threshold', () => {
    property(({ truth, detections }) => {
      const { AP50, AP75 } = evaluateCoco(truth, detections).metrics;
      for (const [iouThreshold, expected] of [
        [0.5, AP50],
        [0.75, AP75],
      ] as const) {
        const { ap } = analyseErrors(truth, detections, { iouThreshold });
        if (expected === null) expect(ap).toBeNull();
        else expect(ap).toBeCloseTo(expected, 12);
      }
    });
  });

  test('fixing anything gains nothing or more, and no more than there is to gain', () => {
    property(({ truth, detections }) => {
      const { ap, kinds, wrong, notFound } = analyseErrors(truth, detections);
      for (const { count, gain } of [...Object.values(kinds), wrong, notFound])
        if (ap === null) expect(gain).toBeNull();
        else {
          expect(gain).toBeGreaterThanOrEqual(0);
          expect(gain! + ap).toBeLessThanOrEqual(1 + 1e-12);
          if (count === 0) expect(gain).toBeCloseTo(0, 12);
        }
    });
  });

  test('exact detections have no errors', () => {
    property(({ truth }) => {
      const objects = truth.annotations.filter(({ iscrowd }) => iscrowd !== 1);
      const found = objects.map(({ image_id, category_id, bbox }) => ({
        image_id,
        category_id,
        bbox,
        score: 1,
      }));
      const { hits, kinds, wrong, notFound } = analyseErrors(truth, found);
      expect(hits).toBe(objects.length);
      for (const { count, gain } of [...Object.values(kinds), wrong, notFound]) {
        expect(count).toBe(0);
        expect(gain ?? 0).toBeCloseTo(0, 12);
      }
    });
  });

  test('numbering the images the other way round changes no count', () => {
    property(({ truth, detections }) => {
      const turn = <Entry extends { readonly image_id: number }>(entry: Entry): Entry => ({
        ...entry,
        image_id: 4 - entry.image_id,
      });
      const counts = (scene: Scene): number[] =>
        Object.values(analyseErrors(scene.truth, scene.detections).kinds).map(({ count }) => count);
      const turned = { ...truth, annotations: truth.annotations.map(turn) };
      expect(counts({ truth: turned, detections: detections.map(turn) })).toEqual(
        counts({ truth, detections }),
      );
    });
  });

  const truth: CocoGroundTruth = {
    images: [{ id: 1 }],
    categories: [
      { id: 1, name: 'dog' },
      { id: 2, name: 'cat' },
    ],
    annotations: [
      { image_id: 1, category_id: 1, bbox: [0, 0, 100, 100] },
      { image_id: 1, category_id: 2, bbox: [200, 0, 100, 100] },
      { image_id: 1, category_id: 1, bbox: [400, 0, 100, 100], iscrowd: 1 },
    ],
  };
  const found = (category_id: number, x: number, width = 100, score = 0.5): CocoDetection => ({
    image_id: 1,
    category_id,
    bbox: [x, 0, width, 100],
    score,
  });

  test.each([
    ['localisation', found(1, 60)],
    ['classification', found(2, 0)],
    ['both', found(2, 60)],
    ['background', found(1, 95)],
    ['background', found(2, 700)],
  ] as const)('%s: %j', (kind, detection) => {
    const { kinds, hits } = analyseErrors(truth, [detection]);
    expect(hits).toBe(0);
    for (const [name, { count }] of Object.entries(kinds))
      if (name !== 'missed') expect(count).toBe(name === kind ? 1 : 0);
  });

  test('the second detection of an object is a duplicate, one in a crowd does not count', () => {
    const { kinds, hits, ignored } = analyseErrors(truth, [found(1, 0), found(1, 1), found(1, 430, 20)]);
    expect([hits, ignored, kinds.duplicate.count, kinds.missed.count]).toEqual([1, 1, 1, 1]);
  });

  test('an object that a wrong class or place would have found is not missed', () => {
    expect(analyseErrors(truth, [found(2, 0)]).kinds.missed.count).toBe(1);
    expect(analyseErrors(truth, [found(2, 0), found(2, 250)]).kinds.missed.count).toBe(0);
  });

  test('by hand: fixing a class makes a hit, fixing what is missing makes a smaller task', () => {
    const { ap, kinds } = analyseErrors(truth, [found(2, 0)]);
    // Fixed, the detection finds the dog: one class of two is perfect. The cat is missed; without it one class has nothing left to find, but something wrong.
    expect(ap).toBe(0);
    expect(kinds.classification.gain).toBeCloseTo(0.5, 12);
    expect(kinds.missed.gain).toBe(0);
    // Nothing found, nothing wrong: all there is to gain lies in what is missed.
    expect(analyseErrors(truth, []).kinds.missed).toEqual({ count: 2, gain: 1 });
  });

  test('of two detections that would find an object the better one does', () => {
    const two = [found(1, 60, 100, 0.4), found(1, 55, 100, 0.6)];
    const { kinds } = analyseErrors(truth, two);
    expect(kinds.localisation.count).toBe(2);
    expect(kinds.localisation.gain).toBeCloseTo(0.5, 12);
  });

  test.each([
    { backgroundIou: 0 },
    { backgroundIou: 0.5 },
    { iouThreshold: 1.5 },
    { maxDetections: 0 },
    { iouThreshold: Number.NaN },
  ])('refuses %j', (options) => {
    expect(() => analyseErrors(truth, [], options)).toThrow(
      /analyseErrors\(options\): needs 0 < backgroundIou/,
    );
  });

  test('names itself in errors about entries', () => {
    expect(() => analyseErrors(truth, [found(9, 0)])).toThrow(
      /analyseErrors\(detections\[0\]\.category_id\)/,
    );
  });
});

describe('formatErrorReport', () => {
  test('has a line per kind', () => {
    const truth = {
      images: [{ id: 1 }],
      categories: [{ id: 1 }],
      annotations: [{ image_id: 1, category_id: 1, bbox: [0, 0, 10, 10] as const }],
    };
    const detection = { image_id: 1, category_id: 1, bbox: [50, 0, 10, 10] as const, score: 1 };
    const hit = { ...detection, bbox: [0, 0, 10, 10] as const, score: 0.5 };
    expect(formatErrorReport(analyseErrors(truth, [detection, hit]))).toBe(
      [
        'AP50 50.0: 1 of 1 objects found by 2 detections',
        'error           count   AP50',
        'classification      0   +0.0  right place, wrong class',
        'localisation        0   +0.0  right class, IoU too low',
        'both                0   +0.0  wrong class, IoU too low',
        'duplicate           0   +0.0  object found already',
        'background          1  +50.0  no object there',
        'missed              0   +0.0  object no detection comes near to',
        'all wrong           1  +50.0  detections that are no hits',
        'not found           0   +0.0  objects without a hit',
      ].join('\n'),
    );
    expect(formatErrorReport(analyseErrors({ ...truth, annotations: [] }, []))).toMatch(/AP50 -: 0 of 0/);
  });
});
