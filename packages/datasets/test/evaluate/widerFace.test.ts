// Laws and hand-worked cases of the WiderFace evaluation; numbers of a published port are in ../golden.
import {
  evaluateWiderFace,
  type WiderFaceGroundTruth,
  type WiderFaceResult,
  widerFaceGroundTruthOf,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { annotationOf, datasetOf, sampleOf } from '../samples.ts';

const seed = 41;

interface Scene {
  readonly truth: WiderFaceGroundTruth;
  readonly results: readonly WiderFaceResult[];
}

/** Faces on a grid, so that a detection is near one of them at most; the first and last scores are 1 and 0. */
const anyScene: fc.Arbitrary<Scene> = fc
  .array(
    fc.record({
      counts: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      found: fc.array(
        fc.tuple(fc.nat(6), fc.integer({ min: -7, max: 7 }), fc.integer({ min: 1, max: 999 })),
        {
          maxLength: 8,
        },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((images) => ({
    truth: {
      settings: ['hard'],
      images: images.map(({ counts }, i) => ({
        event: `${i % 2}--Event`,
        name: `image ${i}`,
        faces: counts.map((_, j) => [j * 100, 10, 20, 20] as const),
        counted: { hard: [...counts.keys()].filter((j) => counts[j]) },
      })),
    },
    results: images.map(({ found }, i) => ({
      event: `${i % 2}--Event`,
      name: `image ${i}`,
      detections: [
        // Far from every face: they fix the range of the scores.
        { bbox: [900, 900, 5, 5] as const, score: 1 },
        { bbox: [900, 900, 5, 5] as const, score: 0 },
        ...found.map(([j, move, score]) => ({
          bbox: [j * 100 + move, 10, 20, 20] as const,
          score: score / 1000,
        })),
      ],
    })),
  }));

const property = (check: (scene: Scene) => void): void =>
  fc.assert(fc.property(anyScene, check), { seed, numRuns: 40 });

const hardOf = ({ truth, results }: Scene): { ap: number | null; faces: number } => {
  const { ap, faces } = evaluateWiderFace(truth, results).hard!;
  return { ap, faces };
};

describe('evaluateWiderFace', () => {
  test('images in another order change nothing', () => {
    property((scene) => {
      const turned = { ...scene.truth, images: scene.truth.images.toReversed() };
      expect(hardOf({ truth: turned, results: scene.results.toReversed() })).toEqual(hardOf(scene));
    });
  });

  test('detections of faces that do not count change nothing', () => {
    property(({ truth, results }) => {
      const without = results.map((result, i) => {
        const { faces, counted } = truth.images[i]!;
        // Moved by up to 6 of 21 pixels, an IoU of at least 15 / 27.
        const isIgnored = (x: number): boolean =>
          faces.some(([left], j) => Math.abs(x - left) <= 6 && !counted.hard!.includes(j));
        return { ...result, detections: result.detections.filter(({ bbox }) => !isIgnored(bbox[0])) };
      });
      expect(hardOf({ truth, results: without })).toEqual(hardOf({ truth, results }));
    });
  });

  test('only where scores lie between the lowest and the highest matters', () => {
    property(({ truth, results }) => {
      const logits = results.map((result) => ({
        ...result,
        detections: result.detections.map(({ bbox, score }) => ({ bbox, score: 1024 * score - 512 })),
      }));
      const [found, expected] = [hardOf({ truth, results: logits }), hardOf({ truth, results })];
      if (expected.ap === null) expect(found.ap).toBeNull();
      else expect(found.ap).toBeCloseTo(expected.ap, 12);
    });
  });

  test('a wrong detection above all others lowers AP or leaves it', () => {
    property(({ truth, results }) => {
      const worse = results.map((result) => ({
        ...result,
        detections: [...result.detections, { bbox: [900, 900, 5, 5] as const, score: 1 }],
      }));
      const [after, before] = [hardOf({ truth, results: worse }).ap, hardOf({ truth, results }).ap];
      if (before !== null) expect(after).toBeLessThanOrEqual(before + 1e-12);
    });
  });

  test('by hand: a hit, one of a face that does not count, a duplicate, a miss, a hit', () => {
    const faces = [0, 100, 200, 300].map((x) => [x, 0, 20, 20] as const);
    const truth = {
      settings: ['easy', 'hard'],
      images: [{ event: 'e', name: 'i', faces, counted: { easy: [0], hard: [0, 2, 3] } }],
    };
    const at = (x: number, score: number) => ({ bbox: [x, 0, 20, 20] as const, score });
    const detections = [at(0, 1), at(100, 0.9), at(1, 0.8), at(500, 0.7), at(200, 0)];
    const { easy, hard } = evaluateWiderFace(truth, [{ event: 'e', name: 'i', detections }]);
    // easy: only the first face counts and comes first
    expect(easy).toMatchObject({ ap: 1, faces: 1 });
    // hard: proposals 1, 2 (duplicate), 3 (miss), 4; hits 1, 1, 1, 2; precision 1 up to recall 1/3, 1/2 up to 2/3
    expect(hard!.faces).toBe(3);
    expect(hard!.ap).toBeCloseTo((1 + 1 / 2) / 3, 12);
    // thresholds 0.999, 0.998, ...: the score 1 is there from the first on, 0.9 ten percent of the way later
    expect(hard!.precision[0]).toBe(1);
    expect(hard!.precision[500]).toBeCloseTo(1 / 3, 12);
    expect(hard!.precision[999]).toBe(1 / 2);
    expect(hard!.recall[999]).toBeCloseTo(2 / 3, 12);
  });

  test('lengths are one more than differences: 9 of 19 by edges, 10 of 20 by pixels', () => {
    const faces = [[0, 0, 9, 0] as const];
    const truth = { settings: ['all'], images: [{ event: 'e', name: 'i', faces, counted: { all: [0] } }] };
    const found = (width: number): number | null => {
      const detections = [{ bbox: [0, 0, width, 0] as const, score: 0.5 }];
      return evaluateWiderFace(truth, [{ event: 'e', name: 'i', detections }]).all!.ap;
    };
    expect(found(19)).toBe(1);
    expect(found(20)).toBe(0);
  });

  test('images without faces are left out, images without results count', () => {
    const faces = [[0, 0, 20, 20] as const];
    const image = { event: 'e', name: 'i', faces, counted: { all: [0] } };
    const empty = { event: 'e', name: 'empty', faces: [], counted: { all: [] } };
    const truth = { settings: ['all'], images: [image, { ...image, name: 'j' }, empty] };
    const hit = { bbox: faces[0]!, score: 0.5 };
    const results = ['i', 'empty'].map((name) => ({
      event: 'e',
      name,
      detections: [{ ...hit, score: name === 'i' ? 0.5 : 0.9 }],
    }));
    expect(evaluateWiderFace(truth, results).all).toMatchObject({ ap: 0.5, faces: 2 });
    expect(evaluateWiderFace({ settings: ['all'], images: [empty] }, []).all!.ap).toBeNull();
  });

  test.each([
    [[{ event: 'e', name: 'z', detections: [] }], /e\/z\): needs an image of the ground truth/],
    [[1, 2].map(() => ({ event: 'e', name: 'i', detections: [] })), /e\/i\): needs every image once/],
    [
      [{ event: 'e', name: 'i', detections: [{ bbox: [0, 0, 1, 1] as const, score: Number.NaN }] }],
      /e\/i, detection 0\): needs five finite numbers/,
    ],
  ])('refuses %j', (results, message) => {
    const truth = { settings: ['all'], images: [{ event: 'e', name: 'i', faces: [], counted: { all: [] } }] };
    expect(() => evaluateWiderFace(truth, results)).toThrow(message);
  });

  test.each([
    [{ all: [1] }, /e\/i\.all\): needs faces from 0 to 0, got 1/],
    [{}, /e\/i\.all\): needs a list of faces, got none/],
  ])('refuses lists %j', (counted, message) => {
    const image = { event: 'e', name: 'i', faces: [[0, 0, 1, 1] as const], counted };
    expect(() => evaluateWiderFace({ settings: ['all'], images: [image] }, [])).toThrow(message);
  });
});

describe('widerFaceGroundTruthOf', () => {
  test('takes event and name from the path, and leaves ignored faces out of every list', () => {
    const annotations = [
      annotationOf(1, [0, 0, 60, 80]),
      annotationOf(2, [5, 5, 9, 9]),
      { ...annotationOf(3, [0, 0, 60, 80]), isIgnored: true },
    ];
    const file = 'WIDER_val/images/0--Parade/0_Parade_1.jpg';
    const dataset = datasetOf([{ ...sampleOf(1, 90, 90, []), file, annotations }]);
    const settings = { all: () => true, large: ({ size }: { size: readonly number[] }) => size[1]! >= 50 };
    expect(widerFaceGroundTruthOf(dataset, settings)).toEqual({
      settings: ['all', 'large'],
      images: [
        {
          event: '0--Parade',
          name: '0_Parade_1',
          faces: [
            [0, 0, 60, 80],
            [5, 5, 4, 4],
            [0, 0, 60, 80],
          ],
          counted: { all: [0, 1], large: [0] },
        },
      ],
    });
  });

  test('refuses an image in no folder', () => {
    expect(() => widerFaceGroundTruthOf(datasetOf([sampleOf(1, 9, 9, [])]), {})).toThrow(
      /last folder is the event/,
    );
  });
});
