// Decoding by the authors' own rules against an evaluation written down plainly, and choosing the highest scores against sorting all.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byDescendingScore } from '../src/geometry/nms.ts';
import type { FeatureLevel } from '../src/geometry/points.ts';
import { locationCount } from '../src/geometry/points.ts';
import type { HeadOutput, ImageGeometry } from '../src/infer/decode.ts';
import { decodeDetections } from '../src/infer/decode.ts';
import { highestScores } from '../src/infer/highestScores.ts';

const levels: readonly FeatureLevel[] = [
  { height: 4, width: 5, stride: 8 },
  { height: 2, width: 3, stride: 16 },
  { height: 1, width: 1, stride: 32 },
];
const classes = 3;
const count = locationCount(levels);
/** No ratio of areas on the grid comes near it. */
const iouThreshold = Math.E - Math.PI / 1.5;

interface Found {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly label: number;
}

const probability = (logit: number): number => 1 / (1 + Math.exp(-logit));

const overlap = (a: Found['box'], b: Found['box']): number => {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = (box: Found['box']): number => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
};

/** All that is found in one level: every product of probabilities, sorted, the best kept, those above the threshold. */
const foundInLevel = (output: HeadOutput, level: number, threshold: number, most: number): Found[] => {
  const start = locationCount(levels.slice(0, level));
  const { height, width, stride } = levels[level]!;
  const all: Found[] = [];
  for (let cell = 0; cell < height * width; cell++)
    for (let label = 0; label < classes; label++) {
      const location = start + cell;
      const d = [0, 1, 2, 3].map((side) => output.distances[4 * location + side]!);
      const [x, y] = [(cell % width) * stride, Math.floor(cell / width) * stride];
      all.push({
        box: [x - d[0]!, y - d[1]!, x + d[2]!, y + d[3]!],
        score:
          probability(output.logits[location * classes + label]!) * probability(output.objectness[location]!),
        label,
      });
    }
  const best = all.sort((a, b) => b.score - a.score).slice(0, Math.min(most, height * width));
  return best.filter(({ score }) => score > threshold);
};

/** The authors' rules step by step, in double precision. */
const evaluated = (
  output: HeadOutput,
  { width, height, scale }: Required<ImageGeometry>,
  { threshold, most, limit }: { threshold: number; most: number; limit: number },
): Found[] => {
  const pool = levels.flatMap((_, level) => foundInLevel(output, level, threshold, most));
  const kept: Found[] = [];
  for (const one of pool.sort((a, b) => b.score - a.score)) {
    const isRepeated = kept.some(
      ({ label, box }) => label === one.label && overlap(box, one.box) > iouThreshold,
    );
    if (!isRepeated) kept.push(one);
  }
  const [right, bottom] = [width / scale.x, height / scale.y];
  const clip = (value: number, edge: number): number => Math.min(Math.max(value, 0), edge);
  return kept
    .slice(0, limit)
    .map(({ box: [x1, y1, x2, y2], ...rest }) => ({
      ...rest,
      box: [
        clip(x1 / scale.x, right),
        clip(y1 / scale.y, bottom),
        clip(x2 / scale.x, right),
        clip(y2 / scale.y, bottom),
      ] as const,
    }))
    .filter(({ box }) => box[2] > box[0] && box[3] > box[1]);
};

/** Numbers on a grid, of which single precision loses nothing. */
const numbers = (size: number, min: number, max: number) =>
  fc
    .array(fc.integer({ min: min * 64, max: max * 64 }), { minLength: size, maxLength: size })
    .map((list) => Float32Array.from(list, (x) => x / 64));

describe("the authors' own rules", () => {
  test('give what an evaluation written down plainly gives', () => {
    const outputs = fc.record({
      logits: numbers(count * classes, -4, 3),
      objectness: numbers(count, -3, 3),
      distances: numbers(count * 4, 0, 40),
    });
    const image = { height: 30, width: 37, scale: { x: 1.5, y: 2 } };
    let total = 0;
    fc.assert(
      fc.property(
        outputs,
        fc.constantFrom(2, 7, 1000),
        fc.constantFrom(3, 100),
        fc.constantFrom(0.05, 0.3),
        (output, most, limit, threshold) => {
          const found = decodeDetections(output, levels, image, {
            variant: 'megvii',
            scoreThreshold: threshold,
            candidatesPerLevel: most,
            limit,
            iouThreshold,
          });
          const expected = evaluated(output, image, { threshold, most, limit });
          expect([...found.labels]).toEqual(expected.map(({ label }) => label));
          expected.forEach(({ box, score }, i) => {
            expect(found.scores[i]).toBeCloseTo(score, 6);
            box.forEach((side, k) => {
              expect(found.boxes[4 * i + k]).toBeCloseTo(side, 4);
            });
          });
          total += expected.length;
        },
      ),
      { seed: 11, numRuns: 150 },
    );
    expect(total).toBeGreaterThan(1000);
  });

  test('differ from the usual ones where objectness decides, and where boxes reach beyond the image', () => {
    const logit = (p: number): number => Math.log(p / (1 - p));
    const one = [{ height: 1, width: 2, stride: 8 }];
    const image = { height: 8, width: 10 };
    const output = {
      logits: [logit(0.5), logit(0.08)],
      objectness: [logit(0.5), logit(0.5)],
      distances: [40, 4, 4, 4, 0, 4, 4, 4],
    };
    expect([...decodeDetections(output, one, image).scores].map((score) => score.toFixed(2))).toEqual([
      '0.25',
      '0.04',
    ]);
    const found = decodeDetections(output, one, image, { variant: 'megvii' });
    expect([...found.boxes]).toEqual([0, 0, 4, 4]);
    // Of the same class and alike within the image only: the usual rules keep one, the authors' both.
    const pair = { ...output, logits: [0, 0], distances: [60, 4, 2, 4, 8, 4, -6, 4] };
    expect(decodeDetections(pair, one, image).scores.length).toBe(1);
    expect(decodeDetections(pair, one, image, { variant: 'megvii' }).scores.length).toBe(2);
  });
});

test('the highest scores are those that sorting all puts first', () => {
  const score = fc.oneof(fc.constantFrom(0, 0.25, 0.5), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.array(score, { maxLength: 60 }), fc.nat({ max: 70 }), (list, most) => {
      const scores = list.map(Math.fround);
      expect([...highestScores(scores, most)]).toEqual([...byDescendingScore(scores).subarray(0, most)]);
    }),
    { seed: 5, numRuns: 500 },
  );
});
