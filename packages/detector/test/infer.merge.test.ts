// Putting several looks at a picture together: laws of suppression, of softening and of voting.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Detections } from '../src/infer/decode.ts';
import { mergeDetections } from '../src/infer/merge.ts';

const detections = (rows: readonly (readonly number[])[]): Detections => ({
  boxes: Float32Array.from(rows.flatMap(([x, y, w, h]) => [x!, y!, x! + w!, y! + h!])),
  scores: Float32Array.from(rows, (row) => row[4]!),
  labels: Int32Array.from(rows, (row) => row[5]!),
});

const row = fc.tuple(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 1, max: 30 }),
  fc.integer({ min: 1, max: 30 }),
  fc.integer({ min: 1, max: 1000 }).map((x) => x / 1000),
  fc.integer({ min: 0, max: 2 }),
);
const looks = fc.array(fc.array(row, { maxLength: 12 }).map(detections), { maxLength: 4 });
const rowsOf = ({ boxes, scores, labels }: Detections): string[] =>
  Array.from(scores, (score, i) => [...boxes.subarray(4 * i, 4 * i + 4), score, labels[i]].join(' '));

describe('looks put together', () => {
  test('a look by itself is what suppression leaves of it, and a second time nothing changes', () => {
    fc.assert(
      fc.property(looks, (parts) => {
        const once = mergeDetections(parts);
        expect(rowsOf(mergeDetections([once]))).toEqual(rowsOf(once));
        expect(rowsOf(mergeDetections([...parts, once]))).toEqual(rowsOf(mergeDetections([once, ...parts])));
        expect([...once.scores]).toEqual([...once.scores].sort((a, b) => b - a));
        for (const label of [0, 1, 2]) {
          const own = rowsOf(once).filter((text) => text.endsWith(` ${label}`));
          const alone = parts.map((part) =>
            detections(
              Array.from(part.labels.keys())
                .filter((i) => part.labels[i] === label)
                .map((i) => {
                  const [x1, y1, x2, y2] = part.boxes.subarray(4 * i, 4 * i + 4) as unknown as number[];
                  return [x1!, y1!, x2! - x1!, y2! - y1!, part.scores[i]!, label];
                }),
            ),
          );
          expect(rowsOf(mergeDetections(alone))).toEqual(own);
        }
      }),
      { seed: 21, numRuns: 150 },
    );
  });

  test('softening keeps every box that overlaps none, never raises a score, and with a tiny sigma drops what overlaps', () => {
    fc.assert(
      fc.property(looks, (parts) => {
        const hard = mergeDetections(parts, { iouThreshold: 0 });
        const soft = mergeDetections(parts, { softSigma: 1e-9 });
        expect(rowsOf(soft)).toEqual(rowsOf(hard));
        const gentle = mergeDetections(parts, { softSigma: 0.5 });
        const given = new Map<string, number>();
        for (const part of parts)
          rowsOf(part).forEach((text, i) => {
            const key = text.replace(/ \S+( \d+)$/, '$1');
            given.set(key, Math.max(given.get(key) ?? 0, part.scores[i]!));
          });
        rowsOf(gentle).forEach((text, i) => {
          expect(gentle.scores[i]!).toBeLessThanOrEqual(given.get(text.replace(/ \S+( \d+)$/, '$1'))!);
        });
        expect(gentle.scores.length).toBeGreaterThanOrEqual(hard.scores.length);
      }),
      { seed: 22, numRuns: 150 },
    );
  });

  test('voting weighs the boxes of a class by their scores', () => {
    const parts = [
      detections([[0, 0, 10, 10, 0.75, 1]]),
      detections([
        [0, 0, 10, 8, 0.25, 1],
        [0, 0, 10, 9, 0.5, 2],
      ]),
    ];
    const voted = mergeDetections(parts, { votingIou: 0.6 });
    expect(rowsOf(voted)).toEqual(['0 0 10 9.5 0.75 1', '0 0 10 9 0.5 2']);
    expect(rowsOf(mergeDetections(parts, { votingIou: 0.9 }))).toEqual(rowsOf(mergeDetections(parts)));
  });

  test('no more than the limit, the best', () => {
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 6 }), (parts, limit) => {
        for (const softSigma of [undefined, 0.5]) {
          const options = softSigma === undefined ? {} : { softSigma };
          const all = rowsOf(mergeDetections(parts, { ...options, limit: 1000 }));
          const few = rowsOf(mergeDetections(parts, { ...options, limit }));
          expect(few.length).toBe(Math.min(limit, all.length));
          if (softSigma === undefined) expect(few).toEqual(all.slice(0, limit));
        }
      }),
      { seed: 23, numRuns: 100 },
    );
  });
});
