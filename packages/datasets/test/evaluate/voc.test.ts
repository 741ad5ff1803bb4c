// Laws and hand-worked cases of the VOC evaluation; numbers of a published implementation are in ../golden.
import {
  type Box,
  evaluateVoc,
  type VocDetection,
  type VocGroundTruth,
  vocGroundTruthOf,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { annotationOf, datasetOf, sampleOf } from '../samples.ts';

const seed = 31;
const ids = ['a', 'b', 'c'] as const;

const anyBox: fc.Arbitrary<Box> = fc
  .tuple(fc.nat(80), fc.nat(80), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }))
  .map(([x, y, width, height]) => [x, y, x + width, y + height]);

interface Scene {
  readonly truth: VocGroundTruth;
  readonly detections: readonly VocDetection[];
}

/** Detections near objects, all scores different. */
const anyScene: fc.Arbitrary<Scene> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...ids), fc.nat(1), anyBox, fc.nat(4)), { minLength: 1, maxLength: 9 }),
    fc.array(fc.tuple(fc.nat(8), fc.integer({ min: -8, max: 8 })), { maxLength: 16 }),
  )
  .map(([objects, moves]) => ({
    truth: {
      classes: ['dog', 'cat'],
      images: ids.map((id) => ({
        id,
        objects: objects
          .filter(([image]) => image === id)
          .map(([, label, box, dice]) => ({ box, label, isDifficult: dice === 0 })),
      })),
    },
    detections: moves.map(([which, move], i) => {
      const [imageId, label, box] = objects[which % objects.length]!;
      return {
        imageId,
        label,
        box: [box[0] + move, box[1], box[2] + move, box[3]],
        score: ((i * 7) % 17) / 17,
      };
    }),
  }));

const property = (check: (scene: Scene) => void): void =>
  fc.assert(fc.property(anyScene, check), { seed, numRuns: 60 });

const aps = (scene: Scene, options = {}): (number | null)[] =>
  evaluateVoc(scene.truth, scene.detections, options).perClass.map(({ ap }) => ap);

describe('evaluateVoc', () => {
  test('finding exactly the objects gives 1 by both averages', () => {
    property(({ truth }) => {
      const detections = truth.images.flatMap(({ id, objects }, i) =>
        objects.map(({ box, label }, j) => ({ imageId: id, label, box, score: i + j / 10 })),
      );
      // Of two objects with the same box one detection finds the first, so that the other looks like a duplicate.
      const boxes = truth.images.flatMap(({ id, objects }) =>
        objects.map(({ box, label }) => `${id} ${label} ${box}`),
      );
      fc.pre(new Set(boxes).size === boxes.length);
      for (const average of ['area', '11 points'] as const)
        for (const ap of aps({ truth, detections }, { average, iouThresholds: [1] }))
          if (ap !== null) expect(ap).toBeCloseTo(1, 12);
    });
  });

  test('images in another order change nothing, nor does another scale of the scores', () => {
    property(({ truth, detections }) => {
      const turned = { ...truth, images: truth.images.toReversed() };
      const squashed = detections.map((d) => ({ ...d, score: Math.exp(d.score) })).reverse();
      expect(aps({ truth: turned, detections: squashed })).toEqual(aps({ truth, detections }));
    });
  });

  test('what a detection near a difficult object says does not count', () => {
    property(({ truth, detections }) => {
      const difficult = truth.images.flatMap(({ id, objects }) =>
        objects
          .filter(({ isDifficult }) => isDifficult)
          .map(({ box, label }): VocDetection => ({ imageId: id, label, box, score: 2 })),
      );
      const isShared = difficult.some(({ imageId, label, box }) =>
        truth.images
          .find(({ id }) => id === imageId)!
          .objects.some((o) => !o.isDifficult && o.label === label && String(o.box) === String(box)),
      );
      fc.pre(!isShared);
      expect(aps({ truth, detections: [...detections, ...difficult] })).toEqual(aps({ truth, detections }));
    });
  });

  test('a difficult object more lowers nothing but what was wrong', () => {
    property(({ truth, detections }) => {
      const more = truth.images.map(({ id, objects }) => ({
        id,
        objects: [...objects, { box: [300, 300, 320, 320] as const, label: 0, isDifficult: true }],
      }));
      expect(aps({ truth: { ...truth, images: more }, detections })).toEqual(aps({ truth, detections }));
    });
  });

  test('the pixel convention is the edge convention with the last pixels one further', () => {
    property(({ truth, detections }) => {
      const grow = <Entry extends { readonly box: Box }>(entry: Entry): Entry => ({
        ...entry,
        box: [entry.box[0], entry.box[1], entry.box[2] + 1, entry.box[3] + 1],
      });
      const images = truth.images.map(({ id, objects }) => ({ id, objects: objects.map(grow) }));
      const edges = { truth: { ...truth, images }, detections: detections.map(grow) };
      expect(aps({ truth, detections }, { boxEnds: 'pixels' })).toEqual(aps(edges, { boxEnds: 'edges' }));
    });
  });

  test('several thresholds give the mean of each alone', () => {
    property((scene) => {
      const [low, high] = [0.5, 0.75].map((threshold) => aps(scene, { iouThresholds: [threshold] }));
      for (const [label, ap] of aps(scene, { iouThresholds: [0.5, 0.75] }).entries())
        if (ap === null) expect(low![label]).toBeNull();
        else expect(ap).toBeCloseTo((low![label]! + high![label]!) / 2, 12);
    });
  });

  test('by hand: a hit, a duplicate, a hit', () => {
    const truth: VocGroundTruth = {
      classes: ['dog'],
      images: [
        {
          id: 'a',
          objects: [0, 100, 200, 300].map((x) => ({ box: [x, 0, x + 10, 10], label: 0, isDifficult: false })),
        },
      ],
    };
    const found = (x: number, score: number): VocDetection => ({
      imageId: 'a',
      label: 0,
      box: [x, 0, x + 10, 10],
      score,
    });
    const detections = [found(100, 0.7), found(0, 0.8), found(1, 0.75)];
    const [dog] = evaluateVoc(truth, detections).perClass;
    // precision 1, 1/2, 2/3 at recall 1/4, 1/4, 1/2
    expect([...dog!.curves[0]!.precision]).toEqual([1, 1 / 2, 2 / 3]);
    expect([...dog!.curves[0]!.recall]).toEqual([1 / 4, 1 / 4, 1 / 2]);
    expect([...dog!.curves[0]!.scores]).toEqual([0.8, 0.75, 0.7]);
    expect(dog!.ap).toBeCloseTo((1 + 2 / 3) / 4, 12);
    // 1 at the recalls 0, 0.1, 0.2; 2/3 at 0.3, 0.4, 0.5
    expect(aps({ truth, detections }, { average: '11 points' })[0]).toBeCloseTo((3 + 2) / 11, 12);
  });

  test('of equal scores the first in the list comes first', () => {
    const box = [0, 0, 10, 10] as const;
    const truth = {
      classes: ['dog'],
      images: [{ id: 'a', objects: [{ box, label: 0, isDifficult: false }] }],
    };
    const hit = { imageId: 'a', label: 0, box, score: 0.5 };
    const miss = { ...hit, box: [50, 50, 60, 60] as const };
    expect(evaluateVoc(truth, [hit, miss]).meanAp).toBe(1);
    expect(evaluateVoc(truth, [miss, hit]).meanAp).toBe(0.5);
  });

  test('a class without objects has no AP and is no part of the mean', () => {
    const truth = { classes: ['dog', 'cat'], images: [{ id: 'a', objects: [] }] };
    const stray = { imageId: 'a', label: 1, box: [0, 0, 1, 1] as const, score: 1 };
    expect(evaluateVoc(truth, [stray])).toMatchObject({
      meanAp: null,
      perClass: [{ ap: null }, { ap: null }],
    });
  });

  test.each([
    [{ imageId: 'z' }, {}, /detections\[0\]\.imageId\): needs an image of the ground truth, got z/],
    [{ label: 7 }, {}, /detections\[0\]\.label\): needs a label from 0 to 0, got 7/],
    [{ score: Number.NaN }, {}, /detections\[0\]\.score\): needs a finite number, got NaN/],
    [{ box: [0, 0, 1, Number.NaN] as const }, {}, /detections\[0\]\.box\): needs finite numbers/],
    [{}, { iouThresholds: [0] }, /iouThresholds\): needs numbers above 0 and at most 1, got \[0\]/],
    [{}, { iouThresholds: [] }, /iouThresholds\)/],
  ])('refuses %j with %j', (change, options, message) => {
    const truth = { classes: ['dog'], images: [{ id: 'a', objects: [] }] };
    const detection = { imageId: 'a', label: 0, box: [0, 0, 1, 1] as const, score: 1, ...change };
    expect(() => evaluateVoc(truth, [detection], options)).toThrow(message);
  });

  test('refuses an image that comes twice', () => {
    const image = { id: 'a', objects: [] };
    expect(() => evaluateVoc({ classes: [], images: [image, image] }, [])).toThrow(/every image once/);
  });
});

describe('vocGroundTruthOf', () => {
  test('keeps the difficult flag, and takes crowds and ignored objects for difficult', () => {
    const base = annotationOf(1, [1, 2, 5, 9], 2);
    const flags = ['isDifficult', 'isCrowd', 'isIgnored', 'isTruncated'] as const;
    const annotations = flags.map((flag) => ({ ...base, [flag]: true }));
    const sample = { ...sampleOf(1, 20, 20, []), file: 'VOC2007/JPEGImages/000005.jpg', annotations };
    const truth = vocGroundTruthOf(datasetOf([sample]));
    expect(truth.images[0]!.id).toBe('000005');
    expect(truth.images[0]!.objects.map(({ isDifficult }) => isDifficult)).toEqual([true, true, true, false]);
    expect(truth.images[0]!.objects[0]).toEqual({ box: [1, 2, 5, 9], label: 2, isDifficult: true });
  });

  test('refuses two images of the same name', () => {
    const samples = ['x/1.png', 'y/1.png'].map((file, i) => ({ ...sampleOf(i, 9, 9, []), file }));
    expect(() => vocGroundTruthOf(datasetOf(samples))).toThrow(
      /different file names, got x\/1.png and y\/1.png/,
    );
  });
});
