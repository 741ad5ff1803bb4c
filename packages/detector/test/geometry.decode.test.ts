// Decoding by hand-made examples: what each option does, and inputs that do not fit.
import { ShapeError } from '@autoassign/tensor';
import { describe, expect, test } from 'vitest';
import type { DecodeOptions, HeadOutput, ImageGeometry } from '../src/infer/decode.ts';
import { decodeCandidates, decodeDetections } from '../src/infer/decode.ts';

const levels = [
  { height: 2, width: 2, stride: 8 },
  { height: 1, width: 1, stride: 16 },
];
const image: ImageGeometry = { height: 16, width: 12 };
const logit = (p: number): number => Math.log(p / (1 - p));
const [absent, even] = [logit(0.01), 0];

/** Two classes; every location unsure but the ones given as [location, class, probability]. */
const outputWith = (...sure: readonly (readonly [number, number, number])[]): HeadOutput => {
  const logits = new Array<number>(10).fill(absent);
  for (const [location, label, p] of sure) logits[2 * location + label] = logit(p);
  return {
    logits,
    objectness: [even, even, even, even, logit(0.8)],
    distances: new Array<number>(20).fill(5),
  };
};

describe('decoding', () => {
  test('boxes reach the distances, are cut to the image and divided by its scale', () => {
    const scaled = { ...image, scale: { x: 2, y: 4 } };
    const found = decodeDetections(outputWith([3, 1, 0.9]), levels, scaled);
    expect([...found.boxes]).toEqual([3 / 2, 3 / 4, 12 / 2, 13 / 4]);
    expect([...found.labels]).toEqual([1]);
    expect(found.scores[0]).toBeCloseTo(0.45, 6);
  });

  test('thresholds apply to the class probability, the score counts objectness in', () => {
    const output = outputWith([0, 0, 0.06], [1, 0, 0.04]);
    const found = decodeDetections(output, levels, image);
    expect([...found.scores].map((x) => x.toFixed(4))).toEqual(['0.0300']);
    expect(decodeDetections(output, levels, image, { scoreThreshold: 0.03 }).scores.length).toBe(2);
  });

  test('without objectness the score is the class probability', () => {
    const found = decodeDetections(outputWith([3, 1, 0.9]), levels, image, { usesObjectness: false });
    expect(found.scores[0]).toBeCloseTo(0.9, 6);
  });

  test('candidates come by level, in a level by class probability, no more than allowed', () => {
    const output = outputWith([0, 0, 0.3], [3, 0, 0.6], [2, 1, 0.5], [4, 0, 0.9]);
    const of = (options: DecodeOptions) =>
      [...decodeCandidates(output, levels, image, options).scores].map((x) => x.toFixed(2));
    expect(of({})).toEqual(['0.30', '0.25', '0.15', '0.72']);
    expect(of({ candidatesPerLevel: 1 })).toEqual(['0.30', '0.72']);
  });

  test('boxes without extent after clipping are dropped, as are those under the smallest side', () => {
    const output = outputWith([0, 0, 0.9], [3, 0, 0.8]);
    expect(decodeCandidates(output, levels, { height: 16, width: 3 }).scores.length).toBe(1);
    expect(decodeCandidates(output, levels, image, { smallestSide: 5 }).scores.length).toBe(1);
  });

  test('outputs of other levels are refused', () => {
    expect(() => decodeDetections(outputWith(), levels.slice(0, 1), image)).toThrow(ShapeError);
    expect(() => decodeDetections(outputWith(), levels.slice(0, 1), image)).toThrow(/4 locations/);
  });
});
