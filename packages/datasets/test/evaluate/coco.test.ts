// Laws of the COCO evaluation that hold whatever the numbers; the numbers themselves are in ../golden.
import {
  averageOf,
  type CocoBox,
  type CocoDetection,
  type CocoGroundTruth,
  type CocoObject,
  evaluateCoco,
  formatCocoReport,
  groundTruthOf,
  parseCocoResults,
  shapes,
  toCocoDetections,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datasetOf, sampleOf } from '../samples.ts';

const seed = 22;

const anyBox = fc
  .tuple(fc.nat(200), fc.nat(200), fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 150 }))
  .map(([x, y, width, height]) => [x, y, width, height] as const);

const anyObject: fc.Arbitrary<CocoObject> = fc.record({
  image_id: fc.integer({ min: 1, max: 4 }),
  category_id: fc.constantFrom(2, 5),
  bbox: anyBox,
  iscrowd: fc.constantFrom(0, 0, 0, 1),
});

/** Scores all different, since the order of equal ones may depend on the order of images. */
const anyScene: fc.Arbitrary<{ truth: CocoGroundTruth; detections: CocoDetection[] }> = fc
  .tuple(
    fc.array(anyObject, { minLength: 1, maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(11), fc.integer({ min: -9, max: 9 })), { maxLength: 25 }),
  )
  .map(([annotations, moves]) => ({
    truth: {
      images: [1, 2, 3, 4].map((id) => ({ id })),
      categories: [{ id: 5, name: 'five' }, { id: 2 }],
      annotations,
    },
    // Detections near objects, so that many match and many nearly do.
    detections: moves.map(([which, move], i) => {
      const { image_id, category_id, bbox } = annotations[which % annotations.length]!;
      const moved = [bbox[0] + move, bbox[1], bbox[2], bbox[3] + Math.abs(move)] as const;
      return { image_id, category_id, bbox: moved, score: ((i * 7) % 26) / 26 };
    }),
  }));

const property = (check: (scene: { truth: CocoGroundTruth; detections: CocoDetection[] }) => void): void =>
  fc.assert(fc.property(anyScene, check), { seed, numRuns: 40 });

describe('evaluateCoco', () => {
  test('finding exactly the objects gives 1 in every number that is defined', () => {
    property(({ truth }) => {
      const found = truth.annotations
        .filter((object) => !object.iscrowd)
        .map(({ image_id, category_id, bbox }, i) => ({ image_id, category_id, bbox, score: 1 - i / 100 }));
      const { AR1: _, ...metrics } = evaluateCoco(truth, found).metrics;
      for (const [name, value] of Object.entries(metrics)) {
        if (value !== null) expect(value, name).toBeCloseTo(1, 12);
      }
    });
  });

  test('numbering the images the other way round changes nothing', () => {
    property(({ truth, detections }) => {
      const turn = <Entry extends { readonly image_id: number }>(entry: Entry): Entry => ({
        ...entry,
        image_id: 5 - entry.image_id,
      });
      const turned = { ...truth, annotations: truth.annotations.map(turn) };
      expect(evaluateCoco(turned, detections.map(turn)).metrics).toEqual(
        evaluateCoco(truth, detections).metrics,
      );
    });
  });

  test('only the order of the scores matters, and the order of the file does not', () => {
    property(({ truth, detections }) => {
      const squashed = detections.map((d) => ({ ...d, score: Math.exp(d.score) / 9 })).reverse();
      expect(evaluateCoco(truth, squashed).metrics).toEqual(evaluateCoco(truth, detections).metrics);
    });
  });

  test('a wrong detection below all others lowers no number', () => {
    property(({ truth, detections }) => {
      const wrong = { image_id: 1, category_id: 2, bbox: [900, 900, 50, 50], score: -1 } as const;
      const before = evaluateCoco(truth, detections).metrics;
      const after = evaluateCoco(truth, [...detections, wrong]).metrics;
      for (const name of ['AP', 'AP50', 'AR1', 'AR100'] as const)
        if (before[name] !== null) expect(after[name]!).toBeCloseTo(before[name], 12);
    });
  });

  test('restricted to some images, it is the evaluation of those images', () => {
    property(({ truth, detections }) => {
      const isChosen = ({ image_id }: { readonly image_id: number }): boolean => image_id <= 2;
      const part = { ...truth, annotations: truth.annotations.filter(isChosen) };
      const some = evaluateCoco(truth, detections, { imageIds: [2, 1] });
      expect(some.metrics).toEqual(evaluateCoco(part, detections.filter(isChosen)).metrics);
    });
  });

  test('class-agnostic, it is the evaluation of one class', () => {
    property(({ truth, detections }) => {
      const one = <Entry extends { readonly category_id: number }>(entry: Entry): Entry => ({
        ...entry,
        category_id: 2,
      });
      const merged = { ...truth, categories: [{ id: 2 }], annotations: truth.annotations.map(one) };
      const agnostic = evaluateCoco(truth, detections, { isClassAgnostic: true });
      expect(agnostic.metrics).toEqual(evaluateCoco(merged, detections.map(one)).metrics);
      expect(agnostic.axes.categoryIds).toEqual([-1]);
    });
  });

  test('the mean over classes is the mean of the classes', () => {
    property(({ truth, detections }) => {
      const evaluation = evaluateCoco(truth, detections);
      const selection = { of: 'precision', iouThreshold: 0.75, area: 'medium', maxDetections: 10 } as const;
      const each = [2, 5].map((id) => averageOf(evaluation, { ...selection, categoryIds: [id] }));
      const defined = each.filter((value) => value !== null);
      const all = averageOf(evaluation, selection);
      if (defined.length === 0) expect(all).toBeNull();
      else expect(all).toBeCloseTo(defined.reduce((sum, value) => sum + value, 0) / defined.length, 12);
    });
  });

  test('numbers that the options leave no place for are null', () => {
    const truth = groundTruthOf(shapes({ length: 3 }));
    const options = { iouThresholds: [0.5], areas: { all: [0, 1e10] as const }, maxDetections: [5] };
    const { metrics, perClass } = evaluateCoco(truth, [], { ...options, categoryIds: [1] });
    expect(metrics).toMatchObject({ AP: 0, AP50: 0, AP75: null, APs: null, AR1: null, AR100: null });
    expect(perClass.map(({ categoryId }) => categoryId)).toEqual([1]);
  });

  test.each([
    [{ iouThresholds: [] }, /iouThresholds\): needs 1 to 32 ascending numbers/],
    [{ iouThresholds: [0.7, 0.5] }, /got \[0\.7, 0\.5\]/],
    [{ iouThresholds: [0] }, /iouThresholds/],
    [{ iouThresholds: Array.from({ length: 33 }, (_, i) => 0.5 + i / 100) }, /iouThresholds/],
    [{ maxDetections: [0] }, /maxDetections\): needs ascending whole numbers above 0, got \[0\]/],
    [{ maxDetections: [10, 1] }, /maxDetections/],
  ])('refuses %j', (options, message) => {
    expect(() => evaluateCoco(groundTruthOf(shapes({ length: 1 })), [], options)).toThrow(message);
  });

  test('without detections the numbers are 0, without objects null', () => {
    const truth = groundTruthOf(shapes({ length: 5 }));
    expect(evaluateCoco(truth, []).metrics).toMatchObject({ AP: 0, AP50: 0, AR100: 0 });
    expect(evaluateCoco({ ...truth, annotations: [] }, []).metrics).toMatchObject({ AP: null, AR1: null });
  });

  test.each([
    [{ image_id: 77 }, /detections\[0\]\.image_id\): needs the id of an image .*, got 77/],
    [{ category_id: 77 }, /detections\[0\]\.category_id\): needs the id of a category .*, got 77/],
    [{ score: Number.NaN }, /detections\[0\]\.score\): needs finite numbers, got NaN/],
    [{ bbox: [0, 0, Number.POSITIVE_INFINITY, 1] as const }, /detections\[0\]\.bbox\): needs finite/],
    [
      { bbox: [0, 0, 1] as unknown as CocoBox },
      /detections\[0\]\.bbox\): needs finite numbers, got 0, 0, 1\./,
    ],
  ])('refuses a detection with %j', (change, message) => {
    const truth = groundTruthOf(shapes({ length: 1 }));
    const detection = { image_id: 1, category_id: 1, bbox: [0, 0, 5, 5] as const, score: 1, ...change };
    expect(() => evaluateCoco(truth, [detection])).toThrow(message);
  });
});

describe('forms', () => {
  const dataset = datasetOf([sampleOf(4, 50, 50, [[1, 2, 4, 6.5]])]);

  test('the ground truth of a dataset keeps widths and heights as annotated', () => {
    const { annotations } = groundTruthOf(dataset);
    expect(annotations).toEqual([
      { image_id: 4, category_id: 1, bbox: [1, 2, 3, 4.5], area: 13.5, iscrowd: 0 },
    ]);
  });

  test('detections become results entries and survive a file', () => {
    const found = { boxes: [1, 2, 4, 6.5], scores: [0.5], labels: [0] };
    const entries = toCocoDetections(dataset, 4, found);
    expect(entries).toEqual([{ image_id: 4, category_id: 1, bbox: [1, 2, 3, 4.5], score: 0.5 }]);
    expect(parseCocoResults(JSON.stringify(entries), 'r.json')).toEqual(entries);
    expect(evaluateCoco(groundTruthOf(dataset), entries).metrics.AP).toBeCloseTo(1, 12);
    expect(() => toCocoDetections(dataset, 4, { ...found, labels: [3] })).toThrow(/from 0 to 2, got 3/);
  });

  test.each([
    ['[', /r\.json\): needs a JSON file/],
    ['{}', /r\.json\): needs an array of detections, got object/],
    ['[{"image_id": 1}]', /r\.json\): needs image_id, category_id, bbox and score .* as entry 0/],
  ])('refuses the results file %s', (text, message) => {
    expect(() => parseCocoResults(text, 'r.json')).toThrow(message);
  });

  test('the report has a line per class and "-" where there is nothing to find', () => {
    const entries = toCocoDetections(dataset, 4, { boxes: [1, 2, 4, 6.5], scores: [0.5], labels: [0] });
    expect(formatCocoReport(evaluateCoco(groundTruthOf(dataset), entries))).toBe(
      [
        'class  objects     AP   AP50   AP75    APs  APm  APl  AR100',
        'a            1  100.0  100.0  100.0  100.0    -    -  100.0',
        'b            0      -      -      -      -    -    -      -',
        'c            0      -      -      -      -    -    -      -',
        'all          1  100.0  100.0  100.0  100.0    -    -  100.0',
      ].join('\n'),
    );
  });
});
