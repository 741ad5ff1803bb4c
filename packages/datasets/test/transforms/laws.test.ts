// What holds for every step and every list of steps.
import {
  applySteps,
  companionIndices,
  parseSteps,
  type Sample,
  type TransformStep,
} from '@autoassign/datasets';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleOf } from '../samples.ts';
import { anyKey, anySamples, anySteps, someKeys } from './anySteps.ts';

const seed = 34;

const transformed = (steps: readonly TransformStep[], samples: readonly Sample[], key: number): Sample => {
  const companions = companionIndices(steps, key, samples.length).map((index) => samples[index]!);
  return applySteps(steps, samples[0]!, key, companions);
};

/** All of a sample as text: pixels too. */
const textOf = (sample: Sample): string =>
  JSON.stringify({
    ...sample,
    pixels: { ...sample.pixels, data: Buffer.from(sample.pixels.data).toString('hex') },
  });

const allRight = { isInside: true, hasSize: true, hasArea: true, isProper: true };

test('sizes, boxes and areas fit together, whatever the steps', () => {
  fc.assert(
    fc.property(anySteps, anySamples, anyKey, (steps, samples, key) => {
      const { width, height, pixels, annotations } = transformed(steps, samples, key);
      expect(pixels).toMatchObject({ width, height, channels: 3 });
      expect(pixels.data.length).toBe(width * height * 3);
      for (const { box, size, area } of annotations) {
        const [x1, y1, x2, y2] = box;
        const isInside = x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height;
        const hasSize = Math.abs(size[0] - (x2 - x1)) < 1e-9 && Math.abs(size[1] - (y2 - y1)) < 1e-9;
        // The test's objects fill their boxes.
        const hasArea = Math.abs(area - size[0] * size[1]) < 1e-6;
        const isProper = [...box, area].every(Number.isFinite) && x1 < x2 && y1 < y2;
        expect({ isInside, hasSize, hasArea, isProper }).toEqual(allRight);
      }
    }),
    { seed, numRuns: 150 },
  );
});

test('objects keep what is known of them, and none comes from nowhere', () => {
  fc.assert(
    fc.property(anySteps, anySamples, anyKey, (steps, samples, key) => {
      const known = new Map(samples.flatMap(({ annotations }) => annotations.map((each) => [each.id, each])));
      const { id, file, annotations } = transformed(steps, samples, key);
      expect([id, file]).toEqual([samples[0]!.id, samples[0]!.file]);
      for (const annotation of annotations) {
        const before = known.get(annotation.id)!;
        const { label, isCrowd, isIgnored, isDifficult } = before;
        expect(annotation).toMatchObject({ label, isCrowd, isIgnored, isDifficult });
      }
    }),
    { seed, numRuns: 50 },
  );
});

test('samples are left as they were, and the same key gives the same sample', () => {
  fc.assert(
    fc.property(anySteps, anySamples, anyKey, (steps, samples, key) => {
      const before = samples.map(textOf);
      const once = transformed(steps, samples, key);
      expect(samples.map(textOf)).toEqual(before);
      expect(textOf(transformed(steps, samples, key))).toBe(textOf(once));
    }),
    { seed, numRuns: 100 },
  );
});

test('steps are plain data: copies that went through JSON do the same', () => {
  fc.assert(
    fc.property(anySteps, anySamples, anyKey, (steps, samples, key) => {
      const copies = parseSteps(JSON.parse(JSON.stringify(steps)), 'copy');
      expect(textOf(transformed(copies, samples, key))).toBe(textOf(transformed(steps, samples, key)));
    }),
    { seed, numRuns: 30 },
  );
});

const withChoice: readonly TransformStep[] = [
  { type: 'resize', shortSide: { from: 10, to: 30 }, longSide: 60 },
  { type: 'flip' },
  { type: 'crop', width: { from: 5, to: 15 }, height: 9 },
  { type: 'minimumIouCrop' },
  { type: 'photometric' },
  { type: 'mosaic', size: 32 },
];

test.each(withChoice)('different keys give different samples: $type', (step) => {
  const data = Uint8Array.from({ length: 20 * 16 * 3 }, (_, i) => (i * 37) % 251);
  const samples = [1, 2, 3].map((id) => sampleOf(id, 20, 16, [[2, 3, 15, 14]], data));
  const found = new Set(someKeys.map((key) => textOf(transformed([step], samples, key))));
  expect(found.size).toBeGreaterThan(step.type === 'flip' ? 1 : 10);
});

test('the choices of one step say nothing about those of the next', () => {
  const steps = [{ type: 'flip' }, { type: 'flip', axis: 'vertical' }] as const;
  const sample = sampleOf(1, 8, 8, [[0, 0, 2, 2]]);
  const corners = someKeys.map((key) => applySteps(steps, sample, key).annotations[0]!.box.join());
  expect(new Set(corners).size).toBe(4);
});
